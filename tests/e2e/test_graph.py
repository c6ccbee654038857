"""Events of Microsoft 365 with conferences at Zoom and at Teams, from consent to callback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from infra.sandbox.documents import section, text
from tests.e2e.office import Office, opened
from tests.e2e.tenancy import tomorrow


@pytest_asyncio.fixture(loop_scope="session")
async def office(house: Rehearsal) -> AsyncIterator[Office]:
    async with opened(house) as office:
        yield office


async def test_an_event_gets_its_conference_at_zoom_its_link_and_one_callback(
    office: Office,
) -> None:
    event, meeting = await office.provisioned(
        body={"contentType": "html", "content": "<p>Agenda</p>"}
    )

    (conference,) = await office.at_zoom()
    shown, stands = await office.shown(event), await office.meeting(meeting)
    assert conference.topic == "Standup"
    assert conference.join_url in shown.location
    assert conference.join_url in shown.content
    assert "<p>Agenda</p>" in shown.content
    assert (stands["status"], stands["join_url"]) == ("provisioned", conference.join_url)
    assert office.heard() == ["meeting.provisioned"]


async def test_a_move_is_carried_to_zoom_and_a_cancel_takes_the_conference_away(
    office: Office,
) -> None:
    event, meeting = await office.provisioned()
    before = len(office.partner.heard)

    await office.sandbox.graph.move_event(office.mailbox, event.id, starts=tomorrow(3))
    moved = await office.hears("meeting.rescheduled", after=before)
    (conference,) = await office.at_zoom()
    await office.sandbox.graph.cancel_event(office.mailbox, event.id)
    gone = await office.hears("meeting.torn_down", after=before)

    assert conference.doc["start_time"] == f"{tomorrow(3):%Y-%m-%dT%H:%M:%SZ}"
    assert {moved["meeting"]["id"], gone["meeting"]["id"]} == {meeting}
    assert await office.at_zoom() == []
    assert (await office.meeting(meeting))["status"] == "cancelled"


async def test_an_event_gets_its_conference_at_teams_moved_and_cancelled_with_it(
    office: Office,
) -> None:
    event, _ = await office.provisioned(place="Teams")
    before = len(office.partner.heard)

    (conference,) = await office.at_teams()
    shown = await office.shown(event)
    await office.sandbox.graph.move_event(office.mailbox, event.id, starts=tomorrow(5))
    await office.hears("meeting.rescheduled", after=before)
    (moved,) = await office.at_teams()
    await office.sandbox.graph.cancel_event(office.mailbox, event.id)
    await office.hears("meeting.torn_down", after=before)

    assert text(conference, "joinWebUrl") in shown.location
    assert text(conference, "joinWebUrl") in shown.content
    assert moved["id"] == conference["id"]
    assert text(moved, "startDateTime").startswith(f"{tomorrow(5):%Y-%m-%dT%H:%M:%S}")
    assert await office.at_teams() == []
    assert await office.at_zoom() == []


async def test_the_echo_of_our_own_write_causes_no_write_and_no_callback(office: Office) -> None:
    await office.provisioned()
    written = await office.sandbox.writes("graph"), await office.sandbox.writes("zoom")
    heard = len(office.partner.heard)

    await office.sandbox.graph.notify(office.mailbox, count=5)
    await office.rests()

    assert (await office.sandbox.writes("graph"), await office.sandbox.writes("zoom")) == written
    assert len(office.partner.heard) == heard


async def test_an_event_becomes_its_own_teams_meeting_and_stays_it_when_moved(
    office: Office,
) -> None:
    event, meeting = await office.provisioned(place="Online")
    before = len(office.partner.heard)

    shown, stands = await office.shown(event), await office.meeting(meeting)
    link = text(section(shown.doc, "onlineMeeting"), "joinUrl")
    await office.sandbox.graph.move_event(office.mailbox, event.id, starts=tomorrow(4))
    await office.hears("meeting.rescheduled", after=before)
    await office.rests()
    written = await office.sandbox.writes("graph")
    await office.sandbox.graph.notify(office.mailbox)
    await office.rests()
    moved = await office.shown(event)
    await office.sandbox.graph.cancel_event(office.mailbox, event.id)
    await office.hears("meeting.torn_down", after=before)

    assert shown.doc["isOnlineMeeting"] is True
    assert stands["join_url"] == link
    assert link in shown.location
    assert text(section(moved.doc, "onlineMeeting"), "joinUrl") == link
    assert await office.sandbox.writes("graph") == written
    assert await office.at_teams() == []


async def test_a_partners_meeting_becomes_an_online_event_of_its_host(office: Office) -> None:
    wish = {
        "title": "Interview",
        "starts_at": f"{tomorrow():%Y-%m-%dT%H:%M:%SZ}",
        "ends_at": f"{tomorrow(1):%Y-%m-%dT%H:%M:%SZ}",
        "conferencing": {"connection": office.links["teams-event"]},
    }

    await office.api.put("/v1/meetings/i-1", wish)
    told = await office.hears("meeting.provisioned")
    (event,) = await office.sandbox.graph.events(office.mailbox)
    await office.api.put("/v1/meetings/i-1", {**wish, "title": "Second interview"})
    await office.hears("meeting.updated")
    (renamed,) = await office.sandbox.graph.events(office.mailbox)
    await office.api.delete("/v1/meetings/i-1")
    await office.hears("meeting.torn_down")

    assert told["meeting"]["join_url"] in event.content
    assert (event.title, renamed.title, renamed.id) == ("Interview", "Second interview", event.id)
    assert await office.sandbox.graph.events(office.mailbox) == []


async def test_an_answer_that_was_lost_is_looked_up_in_the_event(
    office: Office,
) -> None:
    """It is read again, and the Teams meeting that lives in it is adopted."""
    await office.sandbox.fault("graph.patch", "reset_after", times=2)

    event, meeting = await office.provisioned(place="Online")

    shown = await office.shown(event)
    link = text(section(shown.doc, "onlineMeeting"), "joinUrl")
    assert (await office.meeting(meeting))["join_url"] == link
