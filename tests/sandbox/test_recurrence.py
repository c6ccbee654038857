"""Does the sandbox expand series as RFC 5545 shows it? Its own examples, and what it refuses.

https://www.rfc-editor.org/rfc/rfc5545#section-3.8.5.3
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from infra.sandbox.recurrence import endless, parse, starts

NEW_YORK = ZoneInfo("America/New_York")
FIRST = datetime(1997, 9, 2, 9)  # noqa: DTZ001 - series are expanded in naive local time


def days(*lines: str, first: datetime = FIRST, most: int = 8) -> list[str]:
    """The first days of a series, as `month-day`."""
    return [f"{start:%m-%d}" for start in islice(starts([*lines], first, NEW_YORK), most)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", "09-02 09-03 09-04"),
        ("FREQ=DAILY;UNTIL=19970904T130000Z", "09-02 09-03 09-04"),
        ("FREQ=DAILY;UNTIL=19970904", "09-02 09-03 09-04"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "09-02 09-12 09-22"),
        ("FREQ=DAILY;BYDAY=TU,TH;COUNT=3", "09-02 09-04 09-09"),
        ("FREQ=WEEKLY;COUNT=3", "09-02 09-09 09-16"),
        ("FREQ=WEEKLY;WKST=SU;BYDAY=TU,TH;COUNT=4", "09-02 09-04 09-09 09-11"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU;COUNT=4", "09-02 09-07 09-16 09-21"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=4", "09-02 09-14 09-16 09-28"),
        ("FREQ=MONTHLY;COUNT=3", "09-02 10-02 11-02"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "09-02 09-30 10-31"),
        ("FREQ=MONTHLY;BYDAY=1FR;COUNT=3", "09-02 09-05 10-03"),
        ("FREQ=MONTHLY;BYDAY=-2MO;COUNT=3", "09-02 09-22 10-20"),
        ("FREQ=MONTHLY;BYDAY=5MO;COUNT=3", "09-02 09-29 12-29"),
        ("FREQ=MONTHLY;BYDAY=TU;COUNT=6", "09-02 09-09 09-16 09-23 09-30 10-07"),
        ("FREQ=YEARLY;COUNT=2", "09-02 09-02"),
    ],
)
def test_a_rule_gives_its_days(rule: str, expected: str) -> None:
    assert days(f"RRULE:{rule}") == expected.split()


def test_dates_are_added_and_left_out_once() -> None:
    extra = "RDATE;TZID=America/New_York:19970902T090000,19970903T120000,19970920T090000"
    gone = "EXDATE;TZID=America/New_York:19970909T090000"

    found = days("RRULE:FREQ=WEEKLY;COUNT=3", extra, gone)

    assert found == ["09-02", "09-03", "09-16", "09-20"]


def test_without_a_rule_there_is_the_beginning_alone() -> None:
    assert days() == ["09-02"]


def test_a_series_is_endless_unless_it_says_when_it_ends() -> None:
    assert endless(["RRULE:FREQ=DAILY"], NEW_YORK)
    assert not endless(["RRULE:FREQ=DAILY;COUNT=2"], NEW_YORK)


def test_what_the_sandbox_cannot_expand_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid recurrence rule"):
        parse("RRULE:FREQ=SECONDLY", NEW_YORK)
