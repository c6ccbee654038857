"""Events of Microsoft 365 with conferences at GoTo: the second provider of each role together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from tests.e2e.office import Office, opened
from tests.e2e.tenancy import tomorrow, until


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
