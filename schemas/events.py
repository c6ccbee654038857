"""What a calendar shows: an event as every provider's adapter reads it, and our sighting of it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import ClassVar, Final, Literal

from schemas.records import Moment, Record, Schema

NEAR: Final = timedelta(minutes=1)
"""Providers keep whole minutes."""


class Slot(Schema):
    """When something is to happen and what it is called. `recurrence` holds RFC 5545 lines of the
    whole series; empty for a single event."""

    title: str
    starts_at: Moment
    ends_at: Moment
    timezone: str = "UTC"
    recurrence: tuple[str, ...] = ()

    @property
    def is_series(self) -> bool:
        """Whether it repeats."""
        return bool(self.recurrence)

    def agrees_with(self, other: Slot) -> bool:
        """Whether both have one title and the same times; of a series only the title counts, for
        no conference holds its times."""
        if self.title != other.title or self.is_series or other.is_series:
            return self.title == other.title
        apart = (abs(self.starts_at - other.starts_at), abs(self.ends_at - other.ends_at))
        return max(apart) < NEAR

    @property
    def fingerprint(self) -> str:
        """Short digest of everything a conference shows of it; equal means nothing to update."""
        words = (
            self.title,
            self.starts_at.isoformat(),
            self.ends_at.isoformat(),
            self.timezone,
            *self.recurrence,
        )
        return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:16]


class Mark(Schema):
    """What we wrote into an event: found again in its private properties."""

    meeting: str
    join_url: str


class Carried(Schema):
    """The title and times of the conference, as we wrote them into an event."""

    calendar: str
    event: str
    slot: str
    """Fingerprint of what was written."""
    etags: tuple[str, ...]
    """The event's versions: the one that was seen before, and those around our write. A sighting of
    one of them says nothing new."""


class Event(Schema):
    """A calendar entry. `location` is as the person wrote it: our own join link is taken out, so
    that our echo changes nothing (DESIGN §6)."""

    id: str
    etag: str
    ical_uid: str
    slot: Slot
    all_day: bool = False
    cancelled: bool = False
    declined: bool = False
    organizer: bool = False
    """Whether this copy is the organiser's own."""
    location: str = ""
    foreign_link: bool = False
    """It carries a join link that is not ours."""
    link: str = ""
    """That link, where it could be read."""
    mark: Mark | None = None


class Occurrence(Schema):
    """One occurrence of a series that was moved or cancelled, or is as `usual` again."""

    event: str
    """Id of the series' master."""
    original_start: str
    """When it was to be: the instant in UTC, or the day of one that lasts all day. It names the
    occurrence, for it never changes."""
    what: Literal["moved", "cancelled", "usual"]
    starts_at: Moment | None = None
    """Of one that was moved."""
    ends_at: Moment | None = None


class CalledOff(Schema):
    """All occurrences of a series that are cancelled: one that is not named is on again."""

    event: str
    original_starts: tuple[str, ...]


class Happening(Schema):
    """One occurrence, with the moments that hold for it."""

    original_start: Moment
    starts_at: Moment
    ends_at: Moment
    what: Literal["moved", "cancelled", "usual"] = "usual"


class Gone(Schema):
    """An entry that is there no more; a vendor need not tell more than its id."""

    event: str


Change = Event | Occurrence | CalledOff | Gone
"""What a page of a calendar tells."""


class Sighting(Record):
    """An event as last seen on one calendar. Owned by the calendar's lane."""

    kind: ClassVar[str] = "sighting"
    calendar: str
    meeting: str
    event: Event
    exceptions: tuple[Occurrence, ...] | None = None
    """Of a series: its occurrences that differ, those that are over left out. None rather than an
    empty list, which would take room in every event."""
    gone: bool = False
    first_seen_at: Moment

    @staticmethod
    def key(calendar: str, event: str) -> str:
        """The id of this event's sighting on this calendar: never the event's id alone (T32)."""
        return f"{calendar}/{event}"
