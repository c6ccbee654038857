"""Who is right, the calendar or the conference? Whichever side somebody changes, the other follows
or the change is put back, and then there is peace (B-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

import pytest

from schemas.callbacks import CallbackType
from schemas.commands import (
    ChangeEvent,
    ConferenceMissing,
    ConfirmConference,
    StillThere,
    TornDown,
    UpdateConference,
)
from schemas.events import Slot
from schemas.meetings import Status, is_complete, status_of, truth_of
from tests.domain.samples import JITSI, NOW, SERIES, ask, conference, copy, meeting, policy, slot
from tests.domain.world import World
from workers.domain.rehearse import rehearse
from workers.domain.truth import CALLED_OFF, difference, led

LATER = slot("Talk", after=timedelta(hours=2))
RENAMED = slot("Talk")
EVENING = slot(after=timedelta(hours=8))
Truth: TypeAlias = Literal["calendar", "conference"]


def standing(truth: Truth, wished: Slot | None = None, location: str = "zoom") -> World:
    """A meeting whose conference and event stand as they should."""
    world = World(meeting(wish=None), truth=truth)
    world.shows((copy(organizer=True, slot=wished or slot(), location=location),))
    rests(world)
    return world


def rests(world: World) -> None:
    world.settles()
    world.syncs()
    world.settles()


def in_calendar(world: World) -> Slot:
    (row,) = world.events.values()
    return row.event.slot


def at_provider(world: World) -> Slot:
    (row,) = world.live.values()
    return row.slot


@pytest.mark.parametrize("there", [RENAMED, LATER, EVENING], ids=["renamed", "both", "moved"])
def test_what_is_changed_at_the_conference_is_put_back_where_the_calendar_is_right(
    there: Slot,
) -> None:
    world = standing("calendar")
    writes = world.writes

    world.changes(there)
    rests(world)

    assert (at_provider(world), in_calendar(world)) == (slot(), slot())
    assert world.writes == writes
    assert [one.type for one in world.said] == [CallbackType.MEETING_PROVISIONED]


@pytest.mark.parametrize("there", [RENAMED, LATER, EVENING], ids=["renamed", "both", "moved"])
def test_what_is_changed_at_the_conference_reaches_the_event_where_that_is_right(
    there: Slot,
) -> None:
    world = standing("conference")
    writes = world.writes

    world.changes(there)
    rests(world)

    assert (at_provider(world), in_calendar(world)) == (there, there)
    assert world.writes == writes + 1
    moved = CallbackType.MEETING_UPDATED if there == RENAMED else CallbackType.MEETING_RESCHEDULED
    assert [one.type for one in world.said][1:] == [moved]


def test_what_is_changed_in_the_calendar_is_put_back_where_the_conference_is_right() -> None:
    world = standing("conference")

    world.shows((copy(organizer=True, slot=LATER),))
    rests(world)

    assert (at_provider(world), in_calendar(world)) == (slot(), slot())


def test_a_look_that_finds_what_is_known_changes_nothing() -> None:
    world = standing("conference")
    writes = world.writes

    world.changes(slot())
    world.look()

    assert isinstance(world.next_command(), ConfirmConference)
    rests(world)
    assert world.writes == writes


def test_until_the_calendar_is_read_again_an_event_that_was_changed_is_believed_to_be() -> None:
    world = standing("conference")

    world.changes(LATER)
    world.settles()
    world.look()

    assert not world.meeting.authoritative or world.meeting.authoritative.event.slot == slot()
    assert world.next_command() is None


def test_a_newer_version_that_shows_the_old_slot_is_changed_once_more() -> None:
    world = standing("conference")
    world.changes(LATER)
    world.settles()

    world.shows((copy(organizer=True),))
    world.look()

    assert world.next_command() == ChangeEvent(calendar="cal", event="ev", slot=LATER)


def test_the_copy_of_a_guest_is_never_moved() -> None:
    world = standing("conference")
    world.shows((copy(),))

    world.changes(LATER)
    rests(world)

    assert (at_provider(world), in_calendar(world)) == (LATER, slot())
    assert is_complete(world.meeting)


def test_a_conference_that_was_deleted_is_made_anew_where_the_calendar_is_right() -> None:
    world = standing("calendar")

    world.vanishes()
    rests(world)

    assert len(world.live) == 1
    assert world.made == 2


def test_a_conference_that_was_deleted_ends_the_meeting_where_it_is_right() -> None:
    world = standing("conference")

    world.vanishes()
    rests(world)

    assert world.live == {}
    assert world.standing() == {}
    assert status_of(world.meeting, NOW) is Status.CANCELLED
    assert (world.meeting.because, truth_of(world.meeting)) == (CALLED_OFF, "conference")
    assert world.said[-1].type is CallbackType.MEETING_TORN_DOWN


def test_a_meeting_that_was_called_off_begins_anew_when_it_is_wished_for_anew() -> None:
    world = standing("conference")
    world.vanishes()
    rests(world)

    world.shows((copy(organizer=True, location="the corner"),))
    rests(world)
    world.shows((copy(organizer=True),))
    rests(world)

    assert len(world.live) == 1
    assert world.meeting.called_off is None


def test_a_meeting_that_was_called_off_begins_anew_when_the_calendar_is_right_again() -> None:
    world = standing("conference")
    world.vanishes()
    rests(world)

    world.truth = "calendar"
    rests(world)

    assert len(world.live) == 1
    assert truth_of(world.meeting) == "calendar"


def test_of_a_series_a_conference_leads_the_title() -> None:
    world = standing("conference", SERIES)

    world.changes(SERIES.model_copy(update={"title": "Talk", "ends_at": EVENING.ends_at}))
    rests(world)

    assert in_calendar(world) == SERIES.model_copy(update={"title": "Talk"})


def test_what_becomes_a_series_does_so_as_its_maker_says() -> None:
    world = standing("conference")

    world.shows((copy(organizer=True, slot=SERIES),))
    rests(world)

    assert at_provider(world) == SERIES
    assert in_calendar(world) == SERIES


def test_what_cannot_lead_does_not() -> None:
    world = standing("conference", location="jitsi")

    world.shows((copy(organizer=True, location="jitsi", slot=LATER),))
    rests(world)

    assert (at_provider(world), in_calendar(world)) == (LATER, LATER)
    assert truth_of(world.meeting) == "calendar"


def test_a_partner_may_let_the_conference_lead() -> None:
    world = World(meeting(wish=None, origin="application", identity="app_1/x-1"))
    world.shows(ask(source_of_truth="conference"))
    world.settles()
    assert world.meeting.wish is not None

    world.changes(LATER)
    world.settles()

    assert at_provider(world) == LATER
    assert world.meeting.wish is not None
    assert world.meeting.wish.slot == LATER
    assert world.said[-1].type is CallbackType.MEETING_RESCHEDULED


def test_a_partners_meeting_leads_unless_it_says_otherwise() -> None:
    world = World(meeting(wish=None, origin="application", identity="app_1/x-1"))
    world.shows(ask())
    world.settles()

    world.changes(LATER)
    world.settles()

    assert at_provider(world) == slot()
    assert truth_of(world.meeting) == "application"


def test_a_wish_stands_while_its_connection_is_unknown_or_its_conference_elsewhere() -> None:
    wished = standing("conference").meeting
    elsewhere = wished.model_copy(update={"conference": conference(connection="con_other")})

    assert led(wished, policy(JITSI)) == wished
    assert led(elsewhere, policy()) == elsewhere


def test_a_dry_run_tells_of_the_change_of_the_event() -> None:
    world = standing("conference")
    world.shows((copy(organizer=True, slot=LATER),))
    world.look()

    planned = rehearse(world.meeting, world.policy(), b"key", NOW)

    assert [command.do for command in planned] == ["change", "write"]


def test_the_timeline_says_what_a_look_has_shown() -> None:
    leads, follows = standing("conference").meeting, standing("calendar").meeting
    there = StillThere(conference=conference(slot=LATER))
    moved = {"conference": conference(slot=LATER)}
    stale = {"conference": conference(shown="")}

    assert "the other side follows" in difference(there, leads, leads.model_copy(update=moved))
    assert "put back" in difference(there, follows, follows.model_copy(update=stale))
    assert difference(there, leads, leads) == ""
    gone = leads.model_copy(update={"conference": None, "called_off": NOW})
    assert difference(ConferenceMissing(), leads, gone) == CALLED_OFF
    anew = follows.model_copy(update={"conference": None})
    assert "deleted" in difference(ConferenceMissing(), follows, anew)
    assert difference(TornDown(), follows, anew) == ""
    assert difference(there, anew, follows) == ""


def test_an_update_of_the_conference_does_not_wait_for_the_event() -> None:
    """A zone is none of the things that a conference leads."""
    world = standing("conference")
    world.changes(LATER)
    world.settles()

    world.shows((copy(organizer=True, slot=LATER.model_copy(update={"timezone": "Asia/Tokyo"})),))
    world.look()

    assert isinstance(world.next_command(), UpdateConference)
