"""A sweep deletes a conference only if it provably is a lost try of ours (ENGINE 28)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.events import Slot
from schemas.meetings import Conference, Intent, Meeting, Try
from schemas.policy import Wish
from workers.domain.sweeping import Candidate, Drift, Kept, Lost, fate, is_open

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
QUARANTINE = timedelta(seconds=90)
SLOT = Slot(title="t", starts_at=NOON, ends_at=NOON + timedelta(hours=1))
TRIES = (Try(number=1, started_at=NOON), Try(number=2, started_at=NOON + timedelta(hours=1)))


def meeting(**facts: object) -> Meeting:
    return Meeting.model_validate(
        {
            "id": "mtg_1",
            "origin": "calendar",
            "identity": "uid",
            "created_at": NOON,
            "changed_at": NOON,
            **facts,
        }
    )


def conference(name: str) -> Conference:
    return Conference(
        provider="zoom",
        connection="con_1",
        id=name,
        host="h",
        join_url="https://zoom.us/j/1",
        reference="tl-now",
        shown=SLOT.fingerprint,
        slot=SLOT,
        made_at=NOON,
    )


def found(at: datetime | None, *, started: bool = False) -> Candidate:
    return Candidate("extra", at, started)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=90), timedelta(hours=1)])
def test_what_was_made_inside_a_try_is_lost(late: timedelta) -> None:
    kept = meeting(conference=conference("kept"))

    assert fate(found(NOON + late), kept, TRIES, QUARANTINE) == Lost()


def test_the_meetings_own_conference_is_kept() -> None:
    kept = meeting(conference=conference("extra"))

    assert fate(found(NOON), kept, TRIES, QUARANTINE) == Kept()


@pytest.mark.parametrize(
    "candidate",
    [
        found(NOON, started=True),
        found(None),
        found(NOON - timedelta(minutes=1)),
        found(NOON + timedelta(minutes=5)),
    ],
)
def test_what_is_not_proven_is_left_and_said(candidate: Candidate) -> None:
    assert isinstance(fate(candidate, meeting(), TRIES, QUARANTINE), Drift)


def test_without_a_recorded_try_nothing_is_deleted() -> None:
    assert isinstance(fate(found(NOON), meeting(), (), QUARANTINE), Drift)


def test_while_the_meeting_may_still_adopt_it_nothing_is_settled() -> None:
    intent = Intent(connection="con_1", reference="tl-now", slot=SLOT, number=1, started_at=NOON)
    wish = Wish(slot=SLOT, connection="con_1")

    assert is_open(meeting(intent=intent), "tl-now", "tl-now")
    assert is_open(meeting(wish=wish), "tl-now", "tl-now")
    assert not is_open(meeting(wish=wish, conference=conference("kept")), "tl-now", "tl-now")
    assert not is_open(meeting(wish=wish), "tl-older", "tl-now")
