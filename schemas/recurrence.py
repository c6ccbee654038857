"""When does a series happen? Expanded on the wall clock of its own zone (RFC 5545). Pure.

A rule expanded in UTC is an hour late after a change of summer time (vexa#1410).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rruleset, rrulestr

from schemas.events import Happening, Occurrence, Slot

FREQUENCIES: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
"""Nobody meets hourly, and such a rule would be long to count through."""
LONGEST: Final = timedelta(days=20 * 366)
"""A rule that says it ends later than this after its beginning is taken for one without end."""
NEARLY: Final = timedelta(days=366)
AGE: Final = 400
"""Years after which dates fall on the same weekdays again."""
LAST_AGE: Final = 9600
UNREADABLE: Final = (ValueError, OverflowError)
AHEAD: Final = timedelta(days=2 * 366)
"""How far occurrences are looked for."""


def last_end(slot: Slot) -> datetime | None:
    """When the last occurrence ends; None for a series without end, or of a rule that we cannot
    read. One without a single occurrence ends with the time that it was made for."""
    return _last_end(slot.recurrence, slot.starts_at, slot.ends_at, slot.timezone)


def happenings(
    slot: Slot, exceptions: tuple[Occurrence, ...] | None, since: datetime
) -> Iterator[Happening]:
    """The occurrences that end after a moment, in their usual order, those that were moved or
    cancelled as they are; nothing of a rule that we cannot read. A single event is one."""
    differing = {one.original_start: one for one in exceptions or ()}
    for start, end in _spans(slot, since + AHEAD):
        differs = differing.get(start.isoformat())
        one = _happening(start, end, differs)
        if one.ends_at > since:
            yield one


def _happening(start: datetime, end: datetime, differs: Occurrence | None) -> Happening:
    if differs is None or differs.what == "usual":
        return Happening(original_start=start, starts_at=start, ends_at=end)
    begins = differs.starts_at or start
    ends = differs.ends_at or begins + (end - start)
    return Happening(original_start=start, starts_at=begins, ends_at=ends, what=differs.what)


def _spans(slot: Slot, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """An occurrence over a change of the clocks keeps its hours on the wall."""
    if not slot.is_series:
        yield slot.starts_at.astimezone(UTC), slot.ends_at.astimezone(UTC)
        return
    zone = _zone(slot.timezone)
    first, last = (_wall(at, zone) for at in (slot.starts_at, slot.ends_at))
    try:
        starts = _starts(slot.recurrence, first, zone, until=_wall(until, zone))
    except UNREADABLE:
        return
    for start in starts:
        yield _instant(start, zone), _instant(start + (last - first), zone)


@lru_cache(maxsize=4096)
def _last_end(
    lines: tuple[str, ...], starts_at: datetime, ends_at: datetime, zone_name: str
) -> datetime | None:
    zone = _zone(zone_name)
    first, last = _wall(starts_at, zone), _wall(ends_at, zone)
    try:
        if any(_is_endless(line) for line in lines):
            return None
        *_, start = (first, *_starts(lines, first, zone, until=first + LONGEST))
    except UNREADABLE:
        return None
    if start > first + LONGEST - NEARLY:
        return None
    return _instant(start + (last - first), zone)


def _is_endless(line: str) -> bool:
    name, parts = _parts(line)
    return name == "RRULE" and not {"COUNT", "UNTIL"} & parts.keys()


def _starts(
    lines: tuple[str, ...], first: datetime, zone: tzinfo, *, until: datetime
) -> Iterator[datetime]:
    """Every start up to a moment, on the wall clock. Raises ValueError for lines that we cannot
    read."""
    whole = rruleset()
    if not any(line.startswith("RRULE") for line in lines):
        whole.rdate(first)
    for line in lines:
        match _parts(line)[0]:
            case "RRULE":
                _each(_of_rule(line, first, zone, until), whole.rdate)
            case "EXRULE":
                _each(_of_rule(line, first, zone, until), whole.exdate)
            case "RDATE":
                _each(_dates(line, first, zone), whole.rdate)
            case "EXDATE":
                _each(_dates(line, first, zone), whole.exdate)
            case name:
                raise ValueError(f"{name} is no line of a recurrence")
    return takewhile(lambda start: start <= until, whole)


def _each(starts: Iterable[datetime], take: Callable[[datetime], None]) -> None:
    for start in starts:
        take(start)


def _of_rule(line: str, first: datetime, zone: tzinfo, until: datetime) -> Iterator[datetime]:
    """Counted here and not by the rule, which would count for ever what never comes about. For that
    the library looks until the year 9999, day by day, so it does it in the last age before: a
    worker would stand still for seconds otherwise."""
    parts = dict(_parts(line)[1])
    count, end = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    if parts.get("FREQ") not in FREQUENCIES or int(parts.get("INTERVAL", "1")) < 1:
        raise ValueError("a rule that nobody meets by")
    last = min(_local(end, first, zone, ends=True), until) if end else until
    ages = LAST_AGE - first.year // AGE * AGE
    rule = rrulestr(
        ";".join(f"{name}={value}" for name, value in parts.items()), dtstart=_years(first, ages)
    )
    starts = rule.replace(until=_years(last, ages))
    return (_years(start, -ages) for start in islice(starts, int(count) if count else None))


def _years(at: datetime, later: int) -> datetime:
    """The same day and weekday whole ages later or earlier."""
    return at.replace(year=at.year + later)


def _parts(line: str) -> tuple[str, Mapping[str, str]]:
    name, _, rest = line.partition(":")
    pairs = (pair.partition("=") for pair in rest.upper().split(";") if pair)
    return name.partition(";")[0], {key: value for key, _, value in pairs}


def _dates(line: str, first: datetime, zone: tzinfo) -> list[datetime]:
    head, _, values = line.partition(":")
    named = dict(pair.split("=", 1) for pair in head.split(";")[1:] if "=" in pair)
    theirs = _zone(named["TZID"]) if "TZID" in named else zone
    told = [value.partition("/")[0] for value in values.split(",") if value]
    return [_wall(_local(value, first, theirs).replace(tzinfo=theirs), zone) for value in told]


def _local(value: str, first: datetime, zone: tzinfo, *, ends: bool = False) -> datetime:
    """A date or a time of RFC 5545 on the wall clock of a zone. A bare day means all of it as an
    end, and the usual time of the day else."""
    if "T" not in value:
        day = datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - a wall clock, on purpose
        return datetime.combine(day, time.max if ends else first.time())
    at = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - as above
    return _wall(at.replace(tzinfo=UTC), zone) if value.endswith("Z") else at


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _wall(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
