"""When does a series happen? Graph's patterns, written as the lines of RFC 5545. Pure.

https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from schemas.wire.graph import Bounds, Pattern, Recurrence

WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX: Final[Mapping[str, int]] = MappingProxyType(
    {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
)
_FREQ: Final[Mapping[str, str]] = MappingProxyType(
    {
        "daily": "DAILY",
        "weekly": "WEEKLY",
        "absoluteMonthly": "MONTHLY",
        "relativeMonthly": "MONTHLY",
        "absoluteYearly": "YEARLY",
        "relativeYearly": "YEARLY",
    }
)


def lines(recurrence: Recurrence, starts_at: datetime, zone: str) -> tuple[str, ...]:
    """The rule of a series that begins at an instant, in the series' own zone. What follows from
    the beginning is left out. A pattern that no release of ours knows is written as daily: a
    series all the same, and a conference without fixed time."""
    pattern, first = recurrence.pattern, starts_at.astimezone(ZoneInfo(zone))
    parts = [f"FREQ={_FREQ.get(pattern.type, 'DAILY')}"]
    if pattern.interval > 1:
        parts.append(f"INTERVAL={pattern.interval}")
    parts += _days(pattern, first)
    parts += _bounds(recurrence.range, ZoneInfo(zone))
    return ("RRULE:" + ";".join(parts),)


def _days(pattern: Pattern, first: datetime) -> list[str]:
    match pattern.type:
        case "weekly":
            return _weekdays(pattern, first)
        case "absoluteMonthly":
            return _day_of_month(pattern, first)
        case "absoluteYearly":
            return [*_month(pattern, first), *_day_of_month(pattern, first)]
        case "relativeMonthly":
            return _nth(pattern)
        case "relativeYearly":
            return [f"BYMONTH={pattern.month or first.month}", *_nth(pattern)]
        case _:
            return []


def _weekdays(pattern: Pattern, first: datetime) -> list[str]:
    days = _short(pattern.days)
    if days in ([], [_short(WEEK)[first.weekday()]]):
        return []
    parts = ["BYDAY=" + ",".join(days)]
    if pattern.interval > 1 and pattern.first_day != "monday":  # RFC 5545's weeks begin on Monday
        parts.append("WKST=" + _short((pattern.first_day,))[0])
    return parts


def _day_of_month(pattern: Pattern, first: datetime) -> list[str]:
    differs = pattern.day_of_month not in (0, first.day)
    return [f"BYMONTHDAY={pattern.day_of_month}"] if differs else []


def _month(pattern: Pattern, first: datetime) -> list[str]:
    return [f"BYMONTH={pattern.month}"] if pattern.month not in (0, first.month) else []


def _nth(pattern: Pattern) -> list[str]:
    """Of several days it is the first that fits, not one of each."""
    place, days = _INDEX.get(pattern.index, 1), _short(pattern.days)
    if len(days) == 1:
        return [f"BYDAY={place}{days[0]}"]
    return ["BYDAY=" + ",".join(days), f"BYSETPOS={place}"]


def _bounds(bounds: Bounds, zone: ZoneInfo) -> list[str]:
    if bounds.type == "numbered":
        return [f"COUNT={bounds.count}"]
    if bounds.type != "endDate":
        return []
    last = datetime.combine(date.fromisoformat(bounds.end_date), time(23, 59, 59), zone)
    return [f"UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}"]


def _short(days: tuple[str, ...]) -> list[str]:
    return [day[:2].upper() for day in days]
