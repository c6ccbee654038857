"""Events, views and deltas through Microsoft's own client."""

from __future__ import annotations

from typing import Any

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.event import Event
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.location import Location
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.single_value_legacy_extended_property import (
    SingleValueLegacyExtendedProperty,
)
from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import (
    CalendarViewRequestBuilder,
)
from msgraph.generated.users.item.events.events_request_builder import EventsRequestBuilder
from msgraph.generated.users.item.events.item.event_item_request_builder import (
    EventItemRequestBuilder,
)
from msgraph.graph_service_client import GraphServiceClient

from infra.sandbox.client import Sandbox
from tests.sandbox.graph import event, weekly

WINDOW = {"start_date_time": "2027-01-01T00:00:00Z", "end_date_time": "2027-03-01T00:00:00Z"}
MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Mark"


async def test_an_event_is_made_read_changed_and_deleted(graph: GraphServiceClient) -> None:
    place = Location(display_name="Room 5")
    made = await graph.me.events.post(event(location=place))
    assert made is not None
    assert made.id is not None

    read = await graph.me.events.by_event_id(made.id).get()
    changed = await graph.me.events.by_event_id(made.id).patch(Event(subject="Moved"))
    await graph.me.events.by_event_id(made.id).delete()

    assert read is not None
    assert read.start is not None
    assert (read.start.date_time, read.start.time_zone) == ("2027-01-04T09:00:00.0000000", "UTC")
    assert read.original_start_time_zone == "Romance Standard Time"
    assert read.location is not None
    assert read.location.display_name == "Room 5"
    assert read.is_organizer
    assert changed is not None
    assert (changed.subject, changed.i_cal_u_id) == ("Moved", read.i_cal_u_id)
    assert changed.change_key != read.change_key
    with pytest.raises(ODataError) as gone:
        await graph.me.events.by_event_id(made.id).get()
    assert gone.value.response_status_code == 404
    assert gone.value.error is not None
    assert gone.value.error.code == "ErrorItemNotFound"


async def test_a_transaction_id_makes_one_event(graph: GraphServiceClient) -> None:
    first = await graph.me.events.post(event(transaction_id="tx-1"))
    again = await graph.me.events.post(event(transaction_id="tx-1"))

    with pytest.raises(ODataError) as refused:
        await graph.me.events.post(event("Another", transaction_id="tx-1"))

    assert first is not None
    assert again is not None
    assert first.id == again.id
    assert refused.value.error is not None
    assert refused.value.error.code == "ErrorDuplicateTransactionId"


async def test_a_property_is_found_by_its_value_and_told_only_when_asked_for(
    graph: GraphServiceClient,
) -> None:
    held = SingleValueLegacyExtendedProperty(id=MARK, value="m-1")
    made = await graph.me.events.post(event(single_value_extended_properties=[held]))
    await graph.me.events.post(event("Another"))
    assert made is not None
    assert made.id is not None
    query = EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(
        filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'm-1')"
    )
    expand = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(
        expand=[f"singleValueExtendedProperties($filter=id eq '{MARK}')"]
    )

    found = await graph.me.events.get(RequestConfiguration(query_parameters=query))
    shown = await graph.me.events.by_event_id(made.id).get(
        RequestConfiguration(query_parameters=expand)
    )

    assert made.single_value_extended_properties is None
    assert found is not None
    assert [one.id for one in found.value or []] == [made.id]
    assert shown is not None
    assert shown.single_value_extended_properties is not None
    assert shown.single_value_extended_properties[0].value == "m-1"


async def test_whoever_writes_over_an_old_version_is_refused(graph: GraphServiceClient) -> None:
    made = await graph.me.events.post(event())
    assert made is not None
    assert made.id is not None
    await graph.me.events.by_event_id(made.id).patch(Event(subject="Meanwhile"))
    late: RequestConfiguration[Any] = RequestConfiguration()
    late.headers.add("If-Match", str(made.additional_data["@odata.etag"]))

    with pytest.raises(ODataError) as refused:
        await graph.me.events.by_event_id(made.id).patch(Event(subject="Late"), late)

    assert refused.value.response_status_code == 412


async def test_html_becomes_a_page_and_text_stays_text(graph: GraphServiceClient) -> None:
    html = ItemBody(content_type=BodyType.Html, content="<p>Agenda</p>")
    plain = ItemBody(content_type=BodyType.Text, content="Agenda")

    rich = await graph.me.events.post(event(body=html))
    bare = await graph.me.events.post(event(body=plain))

    assert rich is not None
    assert rich.body is not None
    assert (rich.body.content or "").startswith("<html>")
    assert "<p>Agenda</p>" in (rich.body.content or "")
    assert bare is not None
    assert bare.body is not None
    assert (bare.body.content_type, bare.body.content) == (BodyType.Text, "Agenda")


async def test_a_teams_event_loses_its_meeting_with_its_block(graph: GraphServiceClient) -> None:
    made = await graph.me.events.post(event(is_online_meeting=True))
    assert made is not None
    assert made.id is not None
    assert made.online_meeting is not None

    bare = Event(body=ItemBody(content_type=BodyType.Html, content="Nothing"))
    changed = await graph.me.events.by_event_id(made.id).patch(bare)

    assert (made.online_meeting.join_url or "").startswith("https://teams.microsoft.com/")
    assert changed is not None
    assert changed.online_meeting is None


async def test_a_series_is_laid_out_in_its_own_zone(graph: GraphServiceClient) -> None:
    """T30"""
    made = await graph.me.events.post(event(recurrence=weekly(13)))
    assert made is not None
    query = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
        start_date_time="2027-01-01T00:00:00Z", end_date_time="2027-06-01T00:00:00Z", top=50
    )

    found = await graph.me.calendar_view.get(RequestConfiguration(query_parameters=query))

    assert found is not None
    starts = [one.start.date_time[11:16] for one in found.value or [] if one.start]
    assert starts == ["09:00"] * 12 + ["08:00"]  # summer time began on 28 March
    assert {one.series_master_id for one in found.value or []} == {made.id}


async def test_a_guest_has_a_copy_with_the_same_uid_and_another_id(
    graph: GraphServiceClient, sandbox: Sandbox
) -> None:
    bob = await sandbox.graph.add_account("bob@example.org")
    guests = [{"emailAddress": {"address": "bob@example.org"}, "type": "required"}]
    ada = await sandbox.graph.add_event("ada@example.org", title="Lunch", attendees=guests)

    (copy,) = await sandbox.graph.events(bob)

    assert copy.doc["iCalUId"] == ada.doc["iCalUId"]
    assert copy.id != ada.id
    assert copy.doc["isOrganizer"] is False
    await sandbox.graph.cancel_event("ada@example.org", ada.id)
    (copy,) = await sandbox.graph.events(bob)
    assert copy.doc["isCancelled"] is True
