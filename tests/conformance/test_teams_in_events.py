"""Teams meetings that live in events join the suite of conferences, and what only they do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from typing_extensions import override

from infra.errors import Refused, Unknown
from infra.http.wire import Wire
from infra.sandbox.client import Entry, Sandbox
from schemas.meetings import Conference
from schemas.wire.graph import REFERENCE as PROPERTY
from tests.conformance.conferences import (
    ANOTHER,
    MOVED,
    NOW,
    REFERENCE,
    SLOT,
    STARTS,
    Joined,
    Rooms,
)
from workers.ports import Access
from workers.providers import conferences

ADA = "ada@example.org"


@dataclass
class InEvents(Joined):
    """A mailbox, and what its owner may do in it."""

    sandbox: Sandbox
    mailbox: str

    async def events(self) -> list[Entry]:
        """All that is in the calendar."""
        return await self.sandbox.graph.events(self.mailbox)

    async def asked(self, title: str = "Review") -> InEvents:
        """The same, for an event that Ada made and that asks for a conference."""
        made = await self.sandbox.graph.add_event(self.mailbox, title=title, starts=STARTS)
        return replace(self, access=replace(self.access, event=made.id))


async def in_events(sandbox: Sandbox, wire: Wire) -> InEvents:
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    tokens = await sandbox.graph.sign_in(mailbox, scopes="User.Read Calendars.ReadWrite")
    api = f"{sandbox.url}/graph/v1.0"
    access = Access(connection="con_1", api=api, host=mailbox, token=tokens.access, serial=1)
    port = conferences(wire, lambda: datetime.now(NOW.tzinfo))["teams-event"]
    return InEvents(port, access, sandbox, mailbox)


class TestEventsOfOurOwn(Rooms):
    """For a partner's meeting, which has no event yet."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> InEvents:
        return await in_events(sandbox, wire)


class TestEventsOfPeople(Rooms):
    """For an event that asks for its conference."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> InEvents:
        return await (await in_events(sandbox, wire)).asked()


@pytest.fixture
async def ours(sandbox: Sandbox, wire: Wire) -> InEvents:
    return await in_events(sandbox, wire)


async def test_a_create_behind_a_lost_answer_is_the_same_event_the_second_time(
    ours: InEvents,
) -> None:
    await ours.sandbox.fault("graph.insert", "reset_after")
    with pytest.raises(Unknown):
        await ours.create()

    made = await ours.create()

    (event,) = await ours.events()
    assert (event.id, event.doc["transactionId"]) == (made.id, REFERENCE)
    assert [one.id for one in await ours.find()] == [made.id]


async def test_a_create_that_was_not_found_in_time_is_the_same_event_all_the_same(
    ours: InEvents,
) -> None:
    """The search may lag; the transaction id does not, though the title was changed meanwhile."""
    made = await ours.create()
    nothing: dict[str, list[str]] = {"value": []}
    await ours.sandbox.fault("graph.events", "before", status=200, body=nothing)
    renamed = SLOT.model_copy(update={"title": "Second interview"})

    again = await ours.create(slot=renamed)

    assert again.id == made.id
    assert len(await ours.events()) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
async def test_what_was_made_and_cannot_be_read_is_looked_up_and_never_taken_for_unsent(
    ours: InEvents, status: int
) -> None:
    """Else the link in the event would count as somebody else's, and nobody would hear of it."""
    asking = await ours.asked()
    await ours.sandbox.fault("graph.get", "before", status=status, skip=1, times=1)

    with pytest.raises(Unknown):
        await asking.create()

    (found,) = await asking.find()
    (event,) = await ours.events()
    assert (found.id, event.doc["isOnlineMeeting"]) == (event.id, True)


async def test_two_references_are_two_events_and_deleting_one_leaves_the_other(
    ours: InEvents,
) -> None:
    first, second = await ours.create(), await ours.create(ANOTHER)

    await ours.port.delete(ours.access, first)

    assert [one.id for one in await ours.events()] == [second.id]
    assert await ours.port.read(ours.access, first) is None
    assert await ours.port.update(ours.access, first, MOVED) is None


async def test_an_event_of_ours_that_somebody_moved_no_longer_shows_its_slot(
    ours: InEvents,
) -> None:
    made = await ours.create()
    await ours.sandbox.graph.move_event(ours.mailbox, made.id, starts=MOVED.starts_at)

    read = await ours.port.read(ours.access, made)
    assert read is not None
    mended = await ours.port.update(ours.access, made, SLOT)

    assert read.shown == ""
    assert mended is not None
    assert await ours.port.read(ours.access, mended) == mended


async def test_a_persons_event_becomes_an_online_one_and_stays_theirs(ours: InEvents) -> None:
    asked = await ours.asked()

    made = await asked.create()
    written = await ours.sandbox.writes("graph")
    again = await asked.create()
    await ours.port.update(ours.access, made, MOVED)
    await ours.port.delete(ours.access, made)

    (event,) = await ours.events()
    assert again == made
    assert event.title == "Review"
    assert made.join_url in event.content
    assert await ours.sandbox.writes("graph") == written, "its times and its end are its owner's"


async def test_a_teams_meeting_that_somebody_made_is_not_ours(ours: InEvents) -> None:
    made = await ours.sandbox.graph.add_event(
        ours.mailbox, title="Theirs", starts=STARTS, isOnlineMeeting=True
    )
    asked = replace(ours, access=replace(ours.access, event=made.id))

    with pytest.raises(Refused, match="not ours"):
        await asked.create()

    assert await asked.find() == []
    assert PROPERTY not in str((await ours.events())[0].doc["properties"])


async def test_an_event_of_another_mailbox_cannot_hold_it(ours: InEvents) -> None:
    asked = replace(ours, access=replace(ours.access, event="A" * 30))

    with pytest.raises(Refused, match="mailbox"):
        await asked.create()


async def test_it_is_gone_with_its_event(ours: InEvents) -> None:
    asked = await ours.asked()
    made: Conference = await asked.create()

    await ours.sandbox.graph.cancel_event(ours.mailbox, made.id)

    assert await ours.port.read(ours.access, made) is None
