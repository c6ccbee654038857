"""Deltas of a calendar view through Microsoft's own client."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.event import Event
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.users.item.calendar_view.delta.delta_get_response import DeltaGetResponse
from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import (
    DeltaRequestBuilder,
)
from msgraph.graph_service_client import GraphServiceClient

from infra.sandbox.client import Sandbox
from tests.sandbox.graph import event, weekly

WINDOW = {"start_date_time": "2027-01-01T00:00:00Z", "end_date_time": "2027-03-01T00:00:00Z"}
MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Mark"


async def first_view(graph: GraphServiceClient, page: int = 50) -> tuple[list[Event], str]:
    """All pages of the first round, and the delta link."""
    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(**WINDOW)
    told = RequestConfiguration(query_parameters=query)
    told.headers.add("Prefer", f"odata.maxpagesize={page}")
    return await rest(graph, await graph.me.calendar_view.delta.get(told))


async def rest(
    graph: GraphServiceClient, answer: DeltaGetResponse | None
) -> tuple[list[Event], str]:
    assert answer is not None
    found = list(answer.value or [])
    while answer.odata_next_link:
        answer = await graph.me.calendar_view.delta.with_url(answer.odata_next_link).get()
        assert answer is not None
        found += answer.value or []
    assert answer.odata_delta_link is not None
    return found, answer.odata_delta_link


async def changes(graph: GraphServiceClient, link: str) -> tuple[list[Event], str]:
    return await rest(graph, await graph.me.calendar_view.delta.with_url(link).get())


def removed(entry: Event) -> bool:
    return "@removed" in entry.additional_data


async def test_a_delta_shows_a_view_and_then_what_changed(graph: GraphServiceClient) -> None:
    single = await graph.me.events.post(event())
    series = await graph.me.events.post(event(recurrence=weekly(3)))
    assert single is not None
    assert single.id is not None
    assert series is not None

    shown, link = await first_view(graph)
    quiet, link = await changes(graph, link)
    await graph.me.events.by_event_id(single.id).delete()
    delta, _ = await changes(graph, link)

    kinds = sorted(str(one.type) for one in shown)
    assert len(shown) == 5
    assert [kind.rpartition(".")[2] for kind in kinds] == [
        "Occurrence",
        "Occurrence",
        "Occurrence",
        "SeriesMaster",
        "SingleInstance",
    ]
    assert quiet == []
    assert [(one.id, removed(one)) for one in delta] == [(single.id, True)]


async def test_pages_of_a_delta_lose_nothing(graph: GraphServiceClient) -> None:
    for number in range(7):
        await graph.me.events.post(event(f"{number}"))

    shown, _ = await first_view(graph, page=3)

    assert [one.subject for one in shown] == [str(number) for number in range(7)]


async def test_what_leaves_the_window_is_removed_and_still_there(
    graph: GraphServiceClient, sandbox: Sandbox, mailbox: str
) -> None:
    made = await sandbox.graph.add_event(mailbox, title="Away", starts=None)
    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time="2026-01-01T00:00:00Z", end_date_time="2027-12-31T00:00:00Z"
    )
    answer = await graph.me.calendar_view.delta.get(RequestConfiguration(query_parameters=query))
    _, link = await rest(graph, answer)
    far = await sandbox.now() + timedelta(days=1_000)
    await sandbox.graph.move_event(mailbox, made.id, starts=far)

    delta, _ = await changes(graph, link)

    assert [(one.id, removed(one)) for one in delta] == [(made.id, True)]
    assert await graph.me.events.by_event_id(made.id).get() is not None


async def test_a_token_of_another_life_is_refused(
    graph: GraphServiceClient, sandbox: Sandbox, mailbox: str
) -> None:
    _, link = await first_view(graph)
    await sandbox.graph.expire_deltas(mailbox)

    with pytest.raises(ODataError) as refused:
        await changes(graph, link)

    assert refused.value.response_status_code == 410
    assert refused.value.error is not None
    assert refused.value.error.code == "SyncStateNotFound"


async def test_an_occurrence_becomes_an_exception_or_goes(
    graph: GraphServiceClient, sandbox: Sandbox, mailbox: str
) -> None:
    series = await graph.me.events.post(event(recurrence=weekly(3)))
    assert series is not None
    assert series.id is not None
    shown, link = await first_view(graph)
    _, second, third = sorted(one.id for one in shown if one.series_master_id and one.id)
    await graph.me.events.by_event_id(second).patch(Event(subject="Only this one"))
    await graph.me.events.by_event_id(third).delete()

    delta, _ = await changes(graph, link)

    kinds = {one.id: str(one.type).rpartition(".")[2] for one in delta if not removed(one)}
    assert kinds[second] == "Exception"
    assert {one.id for one in delta if removed(one)} == {third}
