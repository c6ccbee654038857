"""What does Graph remember: mailboxes, calendars, events in order of change, and who watches?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.sandbox.documents import Doc, text

FOR_EVER = float("inf")


@dataclass(slots=True)
class Event:
    """An entry of one calendar. `doc` holds everything but id, times and what follows from them."""

    id: str
    doc: Doc
    starts: datetime
    ends: datetime
    zone: str
    seq: int = 0
    version: int = 0
    deleted: bool = False
    master: str = ""
    original: datetime | None = None
    called_off: set[str] = field(default_factory=set)
    """Of a series: ids of its occurrences that were deleted."""
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """The version, changed by every write."""
        return f'W/"{self.change_key}"'

    @property
    def change_key(self) -> str:
        """The version without its quotes."""
        return f"ck{self.version:08d}{self.id[:6]}=="

    @property
    def is_series(self) -> bool:
        """Whether it is the master of a series."""
        return isinstance(self.doc.get("recurrence"), dict)

    @property
    def kind(self) -> str:
        """Graph's `type`."""
        if self.is_series:
            return "seriesMaster"
        if not self.master:
            return "singleInstance"
        return "exception" if self.version else "occurrence"

    @property
    def lasts(self) -> timedelta:
        """From its start to its end."""
        return self.ends - self.starts


@dataclass(slots=True)
class Calendar:
    """A calendar of a mailbox, with its events by id; deleted ones stay as what they were."""

    id: str
    name: str
    is_default: bool = False
    epoch: int = 0
    seq: int = 0
    events: dict[str, Event] = field(default_factory=dict)

    def put(self, event: Event) -> None:
        """Keep an event's new version as the latest change."""
        self.seq += 1
        event.seq = self.seq
        self.events[event.id] = event

    def changed(self, after: int, upto: int) -> list[Event]:
        """Return the events whose latest change lies in (after, upto], oldest change first."""
        found = [one for one in self.events.values() if after < one.seq <= upto]
        return sorted(found, key=lambda event: event.seq)

    def alive(self) -> Iterator[Event]:
        """Yield the events that were not deleted."""
        return (event for event in self.events.values() if not event.deleted)

    def exceptions(self, master: str) -> dict[str, Event]:
        """Return the exceptions of a series by their ids."""
        return {one.id: one for one in self.alive() if one.master == master}


@dataclass(slots=True)
class Mailbox:
    """A person's mailbox, or a room's. `permitted` is what the tenant's access policy says."""

    id: str
    address: str
    name: str
    zone: str
    is_room: bool = False
    permitted: bool = True
    calendars: dict[str, Calendar] = field(default_factory=dict)
    meetings: dict[str, Doc] = field(default_factory=dict)

    @property
    def default(self) -> Calendar:
        """The calendar that everybody has."""
        return next(one for one in self.calendars.values() if one.is_default)

    def find(self, name: str) -> tuple[Calendar, Event] | None:
        """Return a stored event and where it lies."""
        for calendar in self.calendars.values():
            if name in calendar.events:
                return calendar, calendar.events[name]
        return None


@dataclass(slots=True)
class Subscription:
    """Who is told of the changes of a mailbox's events."""

    id: str
    client: str
    mailbox: str
    doc: Doc
    expires: datetime
    sent: int = 0

    @property
    def address(self) -> str:
        """Where changes are posted."""
        return text(self.doc, "notificationUrl")

    @property
    def lifecycle_address(self) -> str:
        """Where its own fate is posted; empty when nobody asked."""
        return text(self.doc, "lifecycleNotificationUrl")
