"""What partners hear of a change, and what not."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest

from schemas.callbacks import (
    Callback,
    CallbackType,
    Cause,
    MeetingData,
    MeetingMomentData,
    MeetingRescheduledData,
    MeetingTroubleData,
    ParticipantData,
    Times,
)
from schemas.items import Happened
from schemas.meetings import Intent, Meeting, Status, Trouble
from tests.domain.samples import NOW, SERIES, conference, meeting, slot
from workers.domain.announce import Telling, announce, report
from workers.domain.evolve import settle

TELLING = Telling("acme", Cause(by="calendar", because="moved"), "tr_1", NOW)
MOVED = slot(after=timedelta(hours=2))


def shows(**fields: object) -> Meeting:
    """Provisioned, and told."""
    return settle(meeting(conference=conference(**fields)))


def said(before: Meeting, after: Meeting) -> list[Callback]:
    return announce(before, after, TELLING)[1]


def view(callback: Callback) -> MeetingData:
    assert isinstance(callback.data, MeetingData)
    return callback.data


def test_a_meeting_is_provisioned_once() -> None:
    after, callbacks = announce(meeting(), shows(), TELLING)

    (callback,) = callbacks
    data = view(callback)
    assert callback.type is CallbackType.MEETING_PROVISIONED
    assert (data.tenant, data.subject, data.sequence, data.trace_id) == (
        "acme",
        "mtg_1",
        1,
        "tr_1",
    )
    assert data.cause == Cause(by="calendar", because="moved")
    assert data.meeting.model_dump() == {
        "id": "mtg_1",
        "external_id": None,
        "ical_uid": "uid",
        "title": "Interview",
        "starts_at": slot().starts_at,
        "ends_at": slot().ends_at,
        "timezone": "UTC",
        "status": Status.PROVISIONED,
        "join_url": "https://zoom.us/j/1",
        "provider": "zoom",
        "conference": "c1",
    }
    assert after.sequence == 1
    assert said(after, after) == []


def test_a_new_link_is_an_update() -> None:
    (callback,) = said(shows(), shows(join_url="https://zoom.us/j/2"))

    assert callback.type is CallbackType.MEETING_UPDATED
    assert view(callback).meeting.join_url == "https://zoom.us/j/2"


@pytest.mark.parametrize("to", [MOVED, SERIES])
def test_a_moved_meeting_is_rescheduled_from_old_to_new(to: object) -> None:
    (callback,) = said(shows(), shows(slot=to))

    assert callback.type is CallbackType.MEETING_RESCHEDULED
    assert isinstance(callback.data, MeetingRescheduledData)
    assert callback.data.old == Times(starts_at=slot().starts_at, ends_at=slot().ends_at)
    assert callback.data.new.starts_at == callback.data.meeting.starts_at


def test_a_renamed_meeting_is_only_updated() -> None:
    (callback,) = said(shows(), shows(slot=slot("Renamed")))

    assert callback.type is CallbackType.MEETING_UPDATED
    assert view(callback).meeting.title == "Renamed"


def test_a_move_is_not_said_before_people_can_see_it() -> None:
    wants = shows().model_copy(update={"wish": None})

    assert said(shows(), wants) == []


def test_a_conference_that_was_made_anew_for_another_time_says_both() -> None:
    before = meeting(
        told="https://zoom.us/j/0", told_slot=slot(), sequence=4
    )  # its conference had vanished
    after = settle(before.model_copy(update={"conference": conference(slot=MOVED)}))

    now, callbacks = announce(before, after, TELLING)

    assert [one.type for one in callbacks] == [
        CallbackType.MEETING_UPDATED,
        CallbackType.MEETING_RESCHEDULED,
    ]
    assert [one.data.sequence for one in callbacks] == [5, 6]
    assert now.sequence == 6


def test_a_meeting_told_before_slots_were_remembered_is_not_rescheduled() -> None:
    before = shows().model_copy(update={"told_slot": None})

    assert said(before, shows()) == []


def test_torn_down_tells_what_there_was() -> None:
    after = settle(meeting(wish=None))

    (callback,) = said(shows(), after)

    data = view(callback)
    assert callback.type is CallbackType.MEETING_TORN_DOWN
    assert (data.meeting.title, data.meeting.conference) == ("Interview", "c1")
    assert (data.meeting.status, data.meeting.join_url) == (Status.CANCELLED, None)


def test_a_partner_hears_its_own_id_and_its_own_link() -> None:
    before = meeting(wish=None, origin="application", identity="app_1/x-1")
    given = {"given_link": "https://own", "given_slot": MOVED, "conference": conference()}
    after = settle(before.model_copy(update=given))

    (callback,) = said(before, after)

    data = view(callback).meeting
    assert (data.external_id, data.ical_uid) == ("x-1", None)
    assert (data.join_url, data.starts_at) == ("https://own", MOVED.starts_at)
    assert (data.provider, data.conference) == (None, None)


def trouble(**fields: object) -> Trouble:
    return Trouble.model_validate({"reason": "busy", "since": NOW, **fields})


def with_trouble(**fields: object) -> Meeting:
    return meeting(trouble=trouble(**fields))


def test_a_small_trouble_is_not_said() -> None:
    assert said(meeting(), with_trouble()) == []


def test_a_grave_trouble_is_said_once() -> None:
    again = NOW + timedelta(hours=1)

    (callback,) = said(with_trouble(), with_trouble(grave=True, until=again))

    assert callback.type is CallbackType.MEETING_PROVISIONING_FAILING
    assert isinstance(callback.data, MeetingTroubleData)
    assert callback.data.meeting.title == "Interview"
    assert (callback.data.reason, callback.data.again_at) == ("busy", again)
    assert said(with_trouble(grave=True), with_trouble(grave=True, times=3)) == []


def test_a_parked_meeting_has_failed() -> None:
    (callback,) = said(with_trouble(grave=True), with_trouble(grave=True, parked=True))

    assert callback.type is CallbackType.MEETING_FAILED
    assert view(callback).meeting.status is Status.PARKED


def test_nobody_hears_that_tearing_down_takes_its_time() -> None:
    before = meeting(wish=None, conference=conference())
    after = before.model_copy(update={"trouble": trouble(grave=True)})

    assert said(before, after) == []


def test_a_meeting_that_is_neither_wanted_nor_there_shows_its_last_slot() -> None:
    parked = {"trouble": trouble(grave=True, parked=True)}
    intent = Intent(connection="c", reference="r", slot=MOVED, number=1, started_at=NOW)
    unknown = meeting(wish=None, intent=intent)
    once_told = meeting(wish=None, told_slot=SERIES)
    blank = meeting(wish=None)

    (one,) = said(unknown, unknown.model_copy(update=parked))
    (two,) = said(once_told, once_told.model_copy(update=parked))
    (three,) = said(blank, blank.model_copy(update=parked))

    assert view(one).meeting.starts_at == MOVED.starts_at
    assert view(two).meeting.title == "Standup"
    assert (view(three).meeting.title, view(three).meeting.starts_at) == ("", NOW)


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("started", CallbackType.MEETING_STARTED),
        ("ended", CallbackType.MEETING_ENDED),
        ("attendance_ready", CallbackType.ATTENDANCE_READY),
        ("participant_joined", CallbackType.PARTICIPANT_JOINED),
        ("participant_left", CallbackType.PARTICIPANT_LEFT),
    ],
)
def test_what_happens_in_a_conference_is_passed_on(
    what: Literal["started", "ended", "attendance_ready", "participant_joined", "participant_left"],
    kind: CallbackType,
) -> None:
    at = NOW + timedelta(minutes=1)
    happened = Happened(conference="c1", what=what, at=at, participant="p1", name="Jane")

    after, (callback,) = report(shows(), happened, TELLING)

    assert (callback.type, after.sequence) == (kind, 1)
    assert isinstance(callback.data, MeetingMomentData)
    assert callback.data.at == at
    if isinstance(callback.data, ParticipantData):
        assert (callback.data.participant, callback.data.name) == ("p1", "Jane")
    else:
        assert not what.startswith("participant")
