"""How soon a provider that pushes nothing is asked again, and what deserves a look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.accounts import AccountConference
from schemas.events import Slot
from schemas.meetings import Conference, Meeting
from workers.domain.polling import SELDOM, differs, next_look, next_poll, shown_by

NOW = datetime(2027, 1, 4, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(starts_in: timedelta | None, *, running: bool = False) -> AccountConference:
    starts = None if starts_in is None else NOW + starts_in
    ends = None if starts is None else starts + HOUR
    return AccountConference(id="1", starts_at=starts, ends_at=ends, running=running)


@pytest.mark.parametrize(
    ("starts_in", "period"),
    [
        (timedelta(minutes=-30), timedelta(seconds=30)),
        (timedelta(minutes=5), timedelta(seconds=30)),
        (HOUR, timedelta(minutes=2)),
        (timedelta(hours=20), timedelta(minutes=10)),
        (timedelta(days=9), SELDOM),
        (timedelta(days=-9), SELDOM),
        (None, SELDOM),
    ],
)
def test_the_nearer_the_next_one_the_sooner(starts_in: timedelta | None, period: timedelta) -> None:
    assert next_poll([row(timedelta(days=30)), row(starts_in)], NOW) == period


def test_one_that_runs_is_asked_about_soon() -> None:
    assert next_poll([row(None, running=True)], NOW) == timedelta(seconds=30)


def test_with_nothing_to_come_it_is_asked_seldom() -> None:
    assert next_poll([], NOW) == SELDOM


def meeting(*, series: bool = False, conference: str = "1") -> Meeting:
    slot = Slot(
        title="a",
        starts_at=NOW + HOUR,
        ends_at=NOW + 2 * HOUR,
        recurrence=("RRULE:FREQ=DAILY",) if series else (),
    )
    made = Conference(
        provider="goto", connection="con_1", id=conference, host="h", join_url="https://x",
        reference="r", shown="", slot=slot, made_at=NOW,
    )  # fmt: skip
    return Meeting(
        id="mtg_1", origin="calendar", identity="i", conference=made, created_at=NOW, changed_at=NOW
    )


def test_what_stands_where_we_put_it_needs_no_look() -> None:
    assert not differs(row(HOUR), meeting())


@pytest.mark.parametrize("starts_in", [2 * HOUR, None])
def test_what_was_moved_needs_one(starts_in: timedelta | None) -> None:
    assert differs(row(starts_in), meeting())


@pytest.mark.parametrize("series", [False, True])
def test_what_was_renamed_needs_one(series: bool) -> None:
    renamed = row(HOUR).model_copy(update={"title": "b"})
    same = row(HOUR).model_copy(update={"title": "a"})

    assert differs(renamed, meeting(series=series))
    assert not differs(same, meeting(series=series))


def test_a_series_has_no_times_to_compare() -> None:
    assert not differs(row(None), meeting(series=True))


def test_another_conference_is_not_compared() -> None:
    assert not differs(row(3 * HOUR), meeting(conference="2"))
    bare = meeting().model_copy(update={"conference": None})
    assert not differs(row(3 * HOUR), bare)


def test_the_same_times_and_title_are_the_same_word() -> None:
    renamed = row(HOUR).model_copy(update={"title": "b"})

    assert shown_by(row(HOUR)) == shown_by(row(HOUR)) != shown_by(row(2 * HOUR))
    assert shown_by(renamed) != shown_by(row(HOUR))


def test_who_has_to_act_is_looked_for_less_often_the_longer_it_takes() -> None:
    minute = timedelta(minutes=1)

    assert next_look(timedelta(0)) == timedelta(seconds=5)
    assert next_look(20 * minute) == 5 * minute
    assert next_look(timedelta(days=3)) == 30 * minute
