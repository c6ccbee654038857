"""Events of Microsoft 365 with conferences at GoTo: the second provider of each role together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Entry
from infra.sandbox.documents import section, text
from tests.e2e.office import Office, opened
from tests.e2e.tenancy import tomorrow, until
from tests.e2e.test_series import daily


@pytest_asyncio.fixture(loop_scope="session")
async def office(house: Rehearsal) -> AsyncIterator[Office]:
    """Ada's office, where an event whose location says GoTo gets its conference there."""
    async with opened(house, {"goto": "goto"}) as office:
        yield office


async def organizer(office: Office) -> str:
    """Ada's key at GoTo."""
    people = await office.sandbox.goto.people()
    return next(str(one["key"]) for one in people if one["email"] == office.ada)


async def test_an_event_gets_one_conference_at_goto_that_is_moved_and_ends_with_it(
    office: Office,
) -> None:
    event, meeting = await office.provisioned(place="GoTo")
    before, ada = len(office.partner.heard), await organizer(office)

    (conference,) = await office.sandbox.goto.meetings(ada)
    shown, stands = await office.shown(event), await office.meeting(meeting)
    await office.sandbox.graph.move_event(office.mailbox, event.id, starts=tomorrow(4))
    await office.hears("meeting.rescheduled", after=before)
    (moved,) = await office.sandbox.goto.meetings(ada)
    await office.sandbox.graph.cancel_event(office.mailbox, event.id)
    await office.hears("meeting.torn_down", after=before)

    link = f"https://meet.goto.com/{conference['id']}"
    assert stands["join_url"] == link
    assert link in shown.location
    assert link in shown.content
    assert (moved["id"], moved["starts"]) == (conference["id"], tomorrow(4).isoformat())
    assert await office.sandbox.goto.meetings(ada) == []
    assert await office.at_zoom() == []


async def test_a_create_whose_answer_was_lost_is_found_by_the_mark_in_its_subject(
    office: Office,
) -> None:
    await office.sandbox.fault("goto.create", "reset_after")

    event, meeting = await office.provisioned(place="GoTo")

    (conference,) = await office.sandbox.goto.meetings(await organizer(office))
    did = [one["what"] for one in await office.timeline(meeting)]
    assert f"https://meet.goto.com/{conference['id']}" in (await office.shown(event)).location
    assert any(what.startswith("find.") for what in did)


async def test_a_room_of_microsoft_is_bound_to_a_goto_account_and_shows_what_is_on(
    office: Office,
) -> None:
    """The rooms of a GoToConference account: join and start from the room, foreign links left."""
    room, theirs = f"/v1/rooms/{office.watched}", "https://zoom.us/j/123456789"
    await office.api.put(room, {"connection": office.links["goto"]})
    starts = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)

    await office.event("Running", place="", starts=starts)
    await office.event("Theirs", place=theirs)

    async def both() -> dict[str, Any]:
        told: dict[str, Any] = await office.api.get(f"{room}/agenda")
        linked = [one for one in (*told["now"], *told["next"]) if one["join_url"]]
        return told if len(linked) == 2 else {}

    told = await until(both, "the agenda")
    (now,), (later,) = told["now"], told["next"]
    link = (await office.api.get(now["start"]))["url"]
    await office.rests()
    (conference,) = await office.sandbox.goto.meetings(await organizer(office))
    assert (now["title"], now["foreign"]) == ("Running", False)
    assert now["join_url"] == f"https://meet.goto.com/{conference['id']}"
    assert "authorizationCode=" in link
    assert (later["title"], later["foreign"], later["start"]) == ("Theirs", True, None)
    assert later["join_url"] == theirs


async def test_what_was_changed_at_goto_unseen_reaches_the_event_where_that_is_right(
    office: Office,
) -> None:
    """B-10 and B-12: GoTo leads, and reconciling has the meeting look."""
    goto, ada = office.links["goto"], await organizer(office)
    rule = {"keyword": "goto", "conferencing": goto, "source_of_truth": "conference"}
    await office.api.replace("/v1/policy", {"rules": [rule]})
    await office.rests()
    event, _ = await office.provisioned(place="GoTo")
    (made,) = await office.sandbox.goto.meetings(ada)
    number = int(str(made["id"]))
    await office.sandbox.goto.rename_meeting(number, "Talk")
    await office.sandbox.goto.move_meeting(number, tomorrow(5), tomorrow(6))

    report = await office.api.post(f"/v1/connections/{goto}/reconcile", {"apply": True})

    async def follows() -> bool:
        shown = await office.shown(event)
        return (shown.title, began(shown)) == ("Talk", tomorrow(5))

    await until(follows, "title and time in the event")
    await office.rests()
    (there,) = await office.sandbox.goto.meetings(ada)
    assert [(one["id"], one["kind"]) for one in report["items"]] == [(str(number), "stale")]
    assert (there["subject"], there["starts"]) == ("Talk", tomorrow(5).isoformat())
    assert f"https://meet.goto.com/{number}" in (await office.shown(event)).location


async def test_a_link_that_left_an_event_of_microsoft_unseen_is_missed_and_put_back(
    office: Office,
) -> None:
    event, meeting = await office.provisioned(place="GoTo")
    link = (await office.meeting(meeting))["join_url"]
    graph = f"/v1/connections/{office.links['graph']}/reconcile"
    await office.sandbox.manners("graph", drop=1.0)
    try:
        bare = {"location": {"displayName": "GoTo"}, "body": {"contentType": "html", "content": ""}}
        await office.sandbox.graph.change_event(office.mailbox, event.id, **bare)
        await office.sandbox.graph.add_event(
            office.mailbox,
            title="Theirs",
            starts=tomorrow(2),
            location={"displayName": "https://zoom.us/j/123456789"},
        )
        await office.sandbox.settled()
    finally:
        await office.sandbox.manners("graph", drop=0.0)

    dry = await office.api.post(graph, {})
    untouched = (await office.shown(event)).location
    await office.api.post(graph, {"apply": True})

    async def back() -> bool:
        return link in (await office.shown(event)).location

    await until(back, "the link")
    assert sorted(one["kind"] for one in dry["items"]) == ["foreign", "missing"]
    assert untouched == "GoTo"
    assert len(await office.sandbox.goto.meetings(await organizer(office))) == 1


async def test_a_series_at_goto_has_no_fixed_time_and_its_timeline_says_so(office: Office) -> None:
    _, meeting = await office.provisioned(place="GoTo", recurrence=daily())

    (conference,) = await office.sandbox.goto.meetings(await organizer(office))
    (words,) = [
        one["words"]
        for one in await office.timeline(meeting)
        if one["what"] == "conference.without_fixed_time"
    ]
    assert (conference["kind"], conference["starts"]) == ("recurring", "")
    assert "GoTo" in words


def began(event: Entry) -> datetime:
    """When it begins, as its mailbox tells in UTC."""
    return datetime.fromisoformat(text(section(event.doc, "start"), "dateTime")[:19] + "+00:00")
