"""Teams meetings without an event, through Microsoft's own client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.online_meeting import OnlineMeeting
from msgraph.generated.users.item.online_meetings.create_or_get import (
    create_or_get_post_request_body as wanted,
)
from msgraph.generated.users.item.online_meetings.online_meetings_request_builder import (
    OnlineMeetingsRequestBuilder,
)
from msgraph.graph_service_client import GraphServiceClient

STARTS = datetime(2027, 1, 4, 9, tzinfo=UTC)


async def made(graph: GraphServiceClient, external: str = "tl-1") -> OnlineMeeting:
    said = await graph.me.online_meetings.create_or_get.post(
        wanted.CreateOrGetPostRequestBody(
            external_id=external,
            subject="Interview",
            start_date_time=STARTS,
            end_date_time=STARTS + timedelta(hours=1),
        )
    )
    assert said is not None
    return said


async def test_an_external_id_is_one_meeting(graph: GraphServiceClient) -> None:
    first, again, other = await made(graph), await made(graph), await made(graph, "tl-2")

    assert first.id == again.id != other.id
    assert first.start_date_time == STARTS
    assert (first.join_web_url or "").startswith("https://teams.microsoft.com/l/meetup-join/")


async def test_a_meeting_is_changed_found_by_its_link_and_deleted(
    graph: GraphServiceClient,
) -> None:
    first = await made(graph)
    by_id = graph.me.online_meetings.by_online_meeting_id(str(first.id))
    query = OnlineMeetingsRequestBuilder.OnlineMeetingsRequestBuilderGetQueryParameters(
        filter=f"JoinWebUrl eq '{first.join_web_url}'"
    )

    changed = await by_id.patch(OnlineMeeting(subject="Moved"))
    found = await graph.me.online_meetings.get(RequestConfiguration(query_parameters=query))
    await by_id.delete()

    assert changed is not None
    assert (changed.subject, changed.join_web_url) == ("Moved", first.join_web_url)
    assert found is not None
    assert [one.id for one in found.value or []] == [first.id]
    with pytest.raises(ODataError) as gone:
        await by_id.get()
    assert gone.value.response_status_code == 404


async def test_there_is_no_list_of_all(graph: GraphServiceClient) -> None:
    with pytest.raises(ODataError) as refused:
        await graph.me.online_meetings.get()

    assert refused.value.response_status_code == 400
