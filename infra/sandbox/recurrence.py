"""When does a series happen? (RFC 5545: DAILY to YEARLY with COUNT, UNTIL, EXDATE, RDATE)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FAR = 5_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE; `until` is the last allowed start in the event's own zone."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def endless(self) -> bool:
        """Whether it never ends by itself."""
        return self.count is None and self.until is None


def parse(line: str, zone: tzinfo) -> Rule:
    """Read `RRULE:…`; ValueError for what the sandbox cannot expand."""
    parts = dict(part.split("=", 1) for part in line.partition(":")[2].split(";") if part)
    if parts.get("FREQ") not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise ValueError("Invalid recurrence rule.")
    until = parts.get("UNTIL")
    return Rule(
        freq=parts["FREQ"],
        interval=int(parts.get("INTERVAL", "1")),
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        until=local(until, zone, end_of_day=True) if until else None,
        days=tuple(_day(day) for day in parts.get("BYDAY", "").split(",") if day),
        month_days=tuple(int(day) for day in parts.get("BYMONTHDAY", "").split(",") if day),
        week_start=DAYS.index(parts.get("WKST", "MO")),
    )


def local(value: str, zone: tzinfo, *, end_of_day: bool = False) -> datetime:
    """Read an iCalendar date or time as naive local time of the zone."""
    if "T" not in value:
        day = datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - naive local time on purpose
        return day + timedelta(hours=23, minutes=59, seconds=59) if end_of_day else day
    moment = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - as above
    if not value.endswith("Z"):
        return moment
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def starts(lines: list[str], first: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield every start of a series as naive local time, in order, exclusions left out."""
    gone = set(_dates(lines, "EXDATE", zone))
    rules = [parse(line, zone) for line in lines if line.startswith("RRULE")]
    extra = sorted(_dates(lines, "RDATE", zone))
    for start in _joined(_of_rule(rules[0], first) if rules else iter([first]), extra):
        if start not in gone:
            yield start


def endless(lines: list[str], zone: tzinfo) -> bool:
    """Whether a series goes on for ever."""
    return any(parse(line, zone).endless for line in lines if line.startswith("RRULE"))


def _joined(ruled: Iterator[datetime], extra: list[datetime]) -> Iterator[datetime]:
    for start in ruled:
        while extra and extra[0] <= start:
            if extra[0] != start:
                yield extra[0]
            extra.pop(0)
        yield start
    yield from extra


def _of_rule(rule: Rule, first: datetime) -> Iterator[datetime]:
    for made, start in enumerate(_candidates(rule, first)):
        if rule.until is not None and start > rule.until:
            return
        if made >= (FAR if rule.count is None else rule.count):
            return
        yield start


def _candidates(rule: Rule, first: datetime) -> Iterator[datetime]:
    """Yield the first start and then all that the rule gives after it, without end."""
    yield first
    for turn in range(FAR):
        for day in sorted(_days_of_turn(rule, first, turn * rule.interval)):
            start = datetime.combine(day, first.time())
            if start > first:
                yield start


def _days_of_turn(rule: Rule, first: datetime, step: int) -> list[date]:
    day = first.date()
    match rule.freq:
        case "DAILY":
            here = day + timedelta(days=step)
            return [here] if not rule.days or here.weekday() in {d for _, d in rule.days} else []
        case "WEEKLY":
            monday = day - timedelta(days=(day.weekday() - rule.week_start) % 7)
            wanted = {d for _, d in rule.days} or {day.weekday()}
            week = [monday + timedelta(weeks=step, days=n) for n in range(7)]
            return [here for here in week if here.weekday() in wanted]
        case "MONTHLY":
            return _days_of_month(rule, day, day.year * 12 + day.month - 1 + step)
        case _:
            return _days_of_month(rule, day, day.year * 12 + day.month - 1 + 12 * step)


def _days_of_month(rule: Rule, day: date, month: int) -> list[date]:
    start = date(month // 12, month % 12 + 1, 1)
    end = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    every = [start + timedelta(days=n) for n in range((end - start).days)]
    if rule.days:
        return [here for place, weekday in rule.days for here in _nth(every, place, weekday)]
    wanted = {n if n > 0 else len(every) + 1 + n for n in rule.month_days or (day.day,)}
    return [here for here in every if here.day in wanted]


def _nth(every: list[date], place: int, weekday: int) -> list[date]:
    those = [here for here in every if here.weekday() == weekday]
    if place == 0:
        return those
    index = place - 1 if place > 0 else place
    return [those[index]] if -len(those) <= index < len(those) else []


def _day(word: str) -> tuple[int, int]:
    """Read `2TU` as (2, 1) and `TU` as (0, 1)."""
    return int(word[:-2] or 0), DAYS.index(word[-2:])


def _dates(lines: list[str], name: str, zone: tzinfo) -> list[datetime]:
    return [
        local(value, zone)
        for line in lines
        if line.startswith(name)
        for value in line.partition(":")[2].split(",")
        if value
    ]
