"""What does an entry of a Google calendar mean to us? Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from schemas.events import Change, Event, Gone, Mark, Occurrence, Slot
from schemas.wire.google import LINK, MEETING, Entry, When
from workers.domain.joining import foreign_link, has_foreign_link, stands, without_link


def change(entry: Entry, zone: str) -> Change | None:
    """What an entry of a delta tells. None for what is no event of people (working locations,
    birthdays)."""
    if entry.series is not None:
        return _occurrence(entry, entry.series)
    if entry.cancelled:
        return Gone(event=entry.id)
    return event(entry, zone) if entry.kind == "default" else None


def event(entry: Entry, zone: str) -> Event:
    """An entry that is there, its text as the person wrote it. `zone` is the calendar's."""
    join_url = ours(entry)
    location, description = without_link(entry.location, entry.description, join_url)
    return Event(
        id=entry.id,
        etag=entry.etag,
        ical_uid=entry.ical_uid,
        slot=slot(entry, zone),
        all_day=entry.start.day is not None,
        cancelled=entry.cancelled,
        declined=any(one.is_self and one.answer == "declined" for one in entry.attendees),
        organizer=entry.organizer.is_self,
        location=location,
        foreign_link=_foreign(entry, location, description, join_url),
        link=_link(entry, location, description, join_url),
        mark=_mark(entry, join_url),
    )


def ours(entry: Entry) -> str:
    """The link that we wrote into it, or a copy of it brought along; empty when there is none."""
    return entry.properties.private.get(LINK, "")


def _mark(entry: Entry, join_url: str) -> Mark | None:
    """Our mark, if the link it speaks of can still be read: private properties outlive an editor
    who takes the link out of the text."""
    if not stands(entry.location, entry.description, join_url):
        return None
    return Mark(meeting=entry.properties.private.get(MEETING, ""), join_url=join_url)


def _foreign(entry: Entry, location: str, description: str, join_url: str) -> bool:
    named = entry.hangout_link or any(one.uri for one in entry.conference.entry_points)
    return bool(named) or has_foreign_link(location, description, ours=join_url)


def _link(entry: Entry, location: str, description: str, join_url: str) -> str:
    points = (one.uri for one in entry.conference.entry_points if one.uri.startswith("http"))
    named = entry.hangout_link or next(points, "")
    return named or foreign_link(location, description, ours=join_url)


def slot(entry: Entry, zone: str) -> Slot:
    """When it is and what it is called."""
    return Slot(
        title=entry.summary,
        starts_at=_instant(entry.start),
        ends_at=_instant(entry.end),
        timezone=entry.start.time_zone or zone,
        recurrence=entry.recurrence,
    )


def _instant(when: When) -> datetime:
    """An all-day event begins and ends at midnight UTC; it never gets a conference anyway."""
    if when.date_time is not None:
        return when.date_time
    return datetime.combine(when.day or date.min, time(), UTC)


def _occurrence(entry: Entry, series: str) -> Occurrence:
    original = entry.original_start
    day = original.day.isoformat() if original.day else ""
    at = _instant(original).astimezone(UTC).isoformat() if original.date_time else day
    if entry.cancelled:
        return Occurrence(event=series, original_start=at, what="cancelled")
    if _instant(entry.start) == _instant(original):
        return Occurrence(event=series, original_start=at, what="usual")
    return Occurrence(
        event=series,
        original_start=at,
        what="moved",
        starts_at=_instant(entry.start),
        ends_at=_instant(entry.end),
    )
