"""What does Google make of a start, an end and a zone, and which instances follow from them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.sandbox import recurrence
from infra.sandbox.documents import Doc, section, text, words
from infra.sandbox.google.errors import refuse

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence of a series: where it was meant to be and how long it lasts."""

    original: datetime
    all_day: bool
    zone: str
    span: timedelta

    @property
    def suffix(self) -> str:
        """What is appended to the series' id."""
        if self.all_day:
            return self.original.strftime("%Y%m%d")
        return self.original.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    def moment(self, at: datetime) -> Doc:
        """Write a moment of it as Google does."""
        if self.all_day:
            return {"date": at.date().isoformat()}
        return {"dateTime": written(at), "timeZone": self.zone}


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone; Google refuses unknown ones."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise refuse(400, "invalid", "Invalid time zone definition.") from error


def written(at: datetime) -> str:
    """Write a moment with its offset, UTC as Z."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def rfc3339(value: str, field: str) -> datetime:
    """Read a moment with an offset, as timeMin and its like must be."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise refuse(400, "badRequest", f"Bad Request: {field}") from error
    if moment.tzinfo is None:
        raise refuse(400, "badRequest", f"Bad Request: {field}")
    return moment


def moment_of(doc: Doc, which: str, calendar_zone: str) -> datetime:
    """Return the start or end of an event as an aware moment; refuses what Google refuses."""
    part = section(doc, which)
    if not part:
        raise refuse(400, "required", f"Missing {which} time.")
    zone = zone_named(text(part, "timeZone") or calendar_zone)
    try:
        if "date" in part:
            return datetime.combine(date.fromisoformat(text(part, "date")), time(), zone)
        moment = datetime.fromisoformat(text(part, "dateTime"))
    except ValueError as error:
        raise refuse(400, "invalid", "Invalid value for: Invalid format") from error
    if moment.tzinfo is not None:
        return moment
    if "timeZone" not in part:
        raise refuse(400, "required", f"Missing time zone definition for {which} time.")
    return moment.replace(tzinfo=zone)


def normalised(doc: Doc, which: str, calendar_zone: str) -> Doc:
    """Write a start or end the way Google gives it back."""
    part = section(doc, which)
    moment = moment_of(doc, which, calendar_zone)
    if "date" in part:
        return {"date": text(part, "date")}
    zone = text(part, "timeZone") or calendar_zone
    return {"dateTime": written(moment.astimezone(zone_named(zone))), "timeZone": zone}


def extent(doc: Doc, calendar_zone: str) -> tuple[float, float]:
    """Return when an event or its whole series begins and ends, seconds since 1970."""
    start, end = moment_of(doc, "start", calendar_zone), moment_of(doc, "end", calendar_zone)
    if end < start:
        raise refuse(400, "timeRangeEmpty", "The specified time range is empty.")
    lines = words_of(doc)
    if not lines:
        return start.timestamp(), end.timestamp()
    if "dateTime" in section(doc, "start") and "timeZone" not in section(doc, "start"):
        raise refuse(400, "required", "Missing time zone definition for start time.")
    try:
        if recurrence.endless(lines, zone_of(doc, calendar_zone)):
            return start.timestamp(), INFINITY
        last = max((each.original for each in instances(doc, calendar_zone)), default=start)
    except (ValueError, KeyError) as error:
        raise refuse(400, "invalid", "Invalid recurrence rule.") from error
    return start.timestamp(), (last + (end - start)).timestamp()


def zone_of(doc: Doc, calendar_zone: str) -> tzinfo:
    """Return the zone a series is expanded in: the event's own."""
    return zone_named(text(section(doc, "start"), "timeZone") or calendar_zone)


def words_of(doc: Doc) -> list[str]:
    """Return the lines of the event's recurrence."""
    return words(doc, "recurrence") if isinstance(doc.get("recurrence"), list) else []


def instances(doc: Doc, calendar_zone: str) -> Iterator[Instance]:
    """Yield the occurrences of a series in order, exceptions not applied."""
    zone = zone_of(doc, calendar_zone)
    all_day = "date" in section(doc, "start")
    start, end = moment_of(doc, "start", calendar_zone), moment_of(doc, "end", calendar_zone)
    first = start.astimezone(zone).replace(tzinfo=None)
    name = text(section(doc, "start"), "timeZone") or calendar_zone
    for at in recurrence.starts(words_of(doc), first, zone):
        yield Instance(at.replace(tzinfo=zone), all_day, name, end - start)
