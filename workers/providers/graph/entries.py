"""What does an event of Microsoft Graph mean to us? Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from schemas.events import CalledOff, Event, Mark, Occurrence, Slot
from schemas.windows_zones import iana_of
from schemas.wire.graph import LINK, MEETING, Body, Entry, When
from workers.domain.joining import foreign_link, has_foreign_link, stands, without_link
from workers.providers.graph.bodies import may_hold_block, without_block
from workers.providers.graph.series import lines

TO_THE_MICROSECOND = 26
"""Letters of a time; Graph writes seven digits of a second."""


def event(entry: Entry) -> Event:
    """An event that is there, its text as the person wrote it."""
    join_url = ours(entry)
    body = without_block(text_of(entry))
    location, _ = without_link(place_of(entry), "", join_url)
    return Event(
        id=entry.id,
        etag=entry.etag,
        ical_uid=entry.ical_uid,
        slot=slot(entry),
        all_day=entry.all_day,
        cancelled=entry.cancelled,
        declined=entry.answer is not None and entry.answer.response == "declined",
        organizer=entry.organizer,
        location=location,
        foreign_link=_foreign(entry, location, body, join_url),
        link=entry.teams_link or foreign_link(location, body.content, ours=join_url),
        mark=_mark(entry, join_url),
    )


def occurrence(entry: Entry) -> Occurrence | None:
    """What an exception of a series says; None for an occurrence that only the series implies."""
    if entry.series is None or entry.original_start is None:
        return None
    at = entry.original_start.astimezone(UTC).isoformat()
    if entry.cancelled:
        return Occurrence(event=entry.series, original_start=at, what="cancelled")
    starts_at = _instant(entry.start)
    if starts_at.isoformat() == at:
        return Occurrence(event=entry.series, original_start=at, what="usual")
    ends_at = _instant(entry.end)
    return Occurrence(
        event=entry.series, original_start=at, what="moved", starts_at=starts_at, ends_at=ends_at
    )


def called_off(master: Entry) -> CalledOff:
    """The occurrences of a series that were deleted: `OID.<series>.<day in its own zone>`."""
    days = (name.rpartition(".")[2] for name in master.called_off)
    return CalledOff(event=master.id, original_starts=tuple(_usual(master, day) for day in days))


def ours(entry: Entry) -> str:
    """The link that we wrote into it; empty when there is none."""
    return entry.held(LINK)


def place_of(entry: Entry) -> str:
    """Where it is, as people read it."""
    return entry.location.display_name if entry.location else ""


def text_of(entry: Entry) -> Body:
    """Its body; an empty page when it has none."""
    return entry.body or Body()


def says_more(entry: Entry) -> bool:
    """Whether it must be read by itself: a delta tells no extended property, so none of our marks,
    and nothing of the occurrences of a series that were deleted."""
    is_series = entry.type == "seriesMaster"
    return is_series or may_hold_block(entry.body) or "://" in place_of(entry)


def _mark(entry: Entry, join_url: str) -> Mark | None:
    """Our mark, if the link it speaks of can still be read: properties outlive an editor who takes
    the link out of the text."""
    if not stands(place_of(entry), text_of(entry).content, join_url):
        return None
    return Mark(meeting=entry.held(MEETING), join_url=join_url)


def _foreign(entry: Entry, location: str, body: Body, join_url: str) -> bool:
    if entry.teams_link:
        return entry.teams_link != join_url
    return has_foreign_link(location, body.content, ours=join_url)


def slot(entry: Entry) -> Slot:
    """When it is and what it is called."""
    zone, starts_at = zone_of(entry), _instant(entry.start)
    series = entry.recurrence
    return Slot(
        title=entry.subject or "",
        starts_at=starts_at,
        ends_at=_instant(entry.end),
        timezone=zone,
        recurrence=lines(series, starts_at, zone) if series else (),
    )


def zone_of(entry: Entry) -> str:
    """The zone that an event was made in, by the IANA's name."""
    return iana_of(entry.zone or "UTC")


def _usual(master: Entry, day: str) -> str:
    """When a series happens on a day: the wall clock of its first time, in its own zone."""
    zone = ZoneInfo(zone_of(master))
    clock = _instant(master.start).astimezone(zone).time()
    at = datetime.combine(date.fromisoformat(day), clock, zone)
    return at.astimezone(UTC).isoformat()


def _instant(when: When) -> datetime:
    """We ask for UTC, and are told so."""
    at = datetime.fromisoformat(when.date_time[:TO_THE_MICROSECOND])
    return at.replace(tzinfo=ZoneInfo(iana_of(when.time_zone))).astimezone(UTC)
