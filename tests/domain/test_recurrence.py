"""When does a series happen: on the wall of its own zone, with what differs, until it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from schemas.events import Happening, Occurrence, Slot
from schemas.recurrence import happenings, last_end

BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def weekly(first: str, zone: str = "UTC", *lines: str, lasts: timedelta = HOUR) -> Slot:
    """A series by the wall clock of its first occurrence; weekly, four times, unless told."""
    starts_at = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone))
    ends_at = (starts_at.replace(tzinfo=None) + lasts).replace(tzinfo=ZoneInfo(zone))
    return Slot(
        title="Standup",
        starts_at=starts_at,
        ends_at=ends_at,
        timezone=zone,
        recurrence=lines or ("RRULE:FREQ=WEEKLY;COUNT=4",),
    )


def starts(slot: Slot, *exceptions: Occurrence, since: datetime = BEGIN) -> list[str]:
    """When its first ten occurrences start, in UTC."""
    found = islice(happenings(slot, exceptions, since), 10)
    return [f"{one.starts_at:%Y-%m-%dT%H:%M}Z" for one in found]


@pytest.mark.parametrize(
    ("zone", "first", "in_utc"),
    [
        ("Europe/Madrid", "2027-03-22T09:00", ["03-22T08:00Z", "03-29T07:00Z", "04-05T07:00Z"]),
        ("America/New_York", "2027-03-08T09:00", ["03-08T14:00Z", "03-15T13:00Z", "03-22T13:00Z"]),
        ("Australia/Sydney", "2027-03-29T09:00", ["03-28T22:00Z", "04-04T23:00Z", "04-11T23:00Z"]),
        # Morocco goes back an hour for Ramadan.
        ("Africa/Casablanca", "2027-02-01T09:00", ["02-01T08:00Z", "02-08T09:00Z", "02-15T09:00Z"]),
    ],
)
def test_a_series_keeps_its_hour_on_the_wall_of_its_zone(
    zone: str, first: str, in_utc: list[str]
) -> None:
    """T30: expanded in UTC it would be an hour late after the change."""
    assert starts(weekly(first, zone))[:3] == [f"2027-{at}" for at in in_utc]


def test_an_occurrence_over_a_change_keeps_its_hours() -> None:
    night = weekly("2027-03-20T23:00", "Europe/Madrid", lasts=timedelta(hours=8))

    first, second = islice(happenings(night, (), BEGIN), 2)

    assert (first.ends_at - first.starts_at, second.ends_at - second.starts_at) == (
        timedelta(hours=8),
        timedelta(hours=7),
    )


def test_an_hour_that_the_clocks_leave_out_is_the_one_after() -> None:
    night = weekly("2027-03-21T02:30", "Europe/Madrid")

    assert starts(night)[1] == "2027-03-28T01:30Z"  # half past three, in summer time


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (["RRULE:FREQ=DAILY;COUNT=3"], [4, 5, 6]),
        (["RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20270108T090000Z"], [4, 6, 8]),
        (["RRULE:FREQ=DAILY;UNTIL=20270105"], [4, 5]),
        (["RRULE:FREQ=DAILY;UNTIL=20270105T090000"], [4, 5]),
        (["RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3"], [4, 6, 11]),
        (["RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;COUNT=1"], [4]),
        (["RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20270105T090000Z,20270106T090000Z"], [4, 7]),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20270105"], [4, 6]),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Madrid:20270105T100000"], [4, 6]),
        (["RRULE:FREQ=DAILY;COUNT=6", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=3"], [5, 7, 9]),
        (["RRULE:FREQ=DAILY;COUNT=1", "RDATE:20270109T090000Z"], [4, 9]),
        (["RDATE;VALUE=PERIOD:20270109T090000Z/PT1H"], [4, 9]),
    ],
)
def test_the_lines_of_a_recurrence_are_read(lines: list[str], days: list[int]) -> None:
    slot = weekly("2027-01-04T09:00", "UTC", *lines)

    assert starts(slot) == [f"2027-01-{day:02}T09:00Z" for day in days]
    assert last_end(slot) == datetime(2027, 1, days[-1], 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "RRULE:FREQ=HOURLY;COUNT=3",
        "RRULE:FREQ=DAILY;INTERVAL=0;COUNT=3",
        "RRULE:FREQ=DAILY;COUNT=many",
        "RRULE:FREQ=DAILY;COUNT=3;BYMOON=FULL",
        "RRULE:COUNT=3",
        "EXDATE:tomorrow",
        "RDATE:99991231T235959Z",
        "DTSTART:20270104T090000Z",
    ],
)
def test_what_we_cannot_read_says_nothing_and_never_ends(line: str) -> None:
    slot = weekly("2027-01-04T09:00", "Asia/Tokyo", line)

    assert starts(slot) == []
    assert last_end(slot) is None


def test_a_rule_without_an_end_has_none_and_one_of_a_lifetime_neither() -> None:
    for line in ("RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;COUNT=5000"):
        slot = weekly("2027-01-04T09:00", "UTC", line)

        assert last_end(slot) is None
        assert len(starts(slot)) == 10


def test_what_never_comes_about_is_over_with_its_first_time() -> None:
    slot = weekly("2027-01-04T09:00", "UTC", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=2")

    assert starts(slot) == []
    assert last_end(slot) == slot.ends_at


def test_a_zone_that_nobody_knows_is_read_as_utc() -> None:
    slot = weekly("2027-01-04T09:00").model_copy(update={"timezone": "Mars/Olympus"})

    assert starts(slot)[0] == "2027-01-04T09:00Z"


def test_what_differs_is_as_it_is_and_what_is_over_is_left_out() -> None:
    slot = weekly("2027-01-04T09:00", "UTC", "RRULE:FREQ=DAILY;COUNT=4")
    fifth, sixth, seventh = (datetime(2027, 1, day, 9, tzinfo=UTC) for day in (5, 6, 7))
    moved, cancelled, again = (
        Occurrence(
            event="e",
            original_start=fifth.isoformat(),
            what="moved",
            starts_at=fifth + 3 * HOUR,
            ends_at=fifth + 5 * HOUR,
        ),
        Occurrence(event="e", original_start=sixth.isoformat(), what="cancelled"),
        Occurrence(event="e", original_start=seventh.isoformat(), what="usual"),
    )

    found = list(happenings(slot, (moved, cancelled, again), fifth))

    assert found == [
        Happening(
            original_start=fifth,
            starts_at=fifth + 3 * HOUR,
            ends_at=fifth + 5 * HOUR,
            what="moved",
        ),
        Happening(original_start=sixth, starts_at=sixth, ends_at=sixth + HOUR, what="cancelled"),
        Happening(original_start=seventh, starts_at=seventh, ends_at=seventh + HOUR),
    ]


def test_a_single_event_happens_once() -> None:
    slot = weekly("2027-01-04T09:00").model_copy(update={"recurrence": ()})

    assert starts(slot) == ["2027-01-04T09:00Z"]
    assert starts(slot, since=slot.ends_at) == []
