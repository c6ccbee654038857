"""What does Google remember: calendars, their events in order of change, and who reads them?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.sandbox.documents import Doc, section, text


@dataclass(slots=True)
class Event:
    """An entry of one calendar; `begins` and `ends` (seconds since 1970) span a whole series."""

    doc: Doc
    seq: int = 0
    begins: float = 0
    ends: float = 0

    @property
    def id(self) -> str:
        """The event's id within its calendar."""
        return text(self.doc, "id")

    @property
    def cancelled(self) -> bool:
        """Whether it was deleted, or is an exception that was called off."""
        return self.doc.get("status") == "cancelled"

    @property
    def master(self) -> str:
        """The series an exception belongs to; empty for all others."""
        return text(self.doc, "recurringEventId")

    @property
    def etag(self) -> str:
        """The version, changed by every write."""
        return text(self.doc, "etag")


@dataclass(slots=True)
class Channel:
    """A push channel on one calendar's events."""

    id: str
    calendar: str
    resource: str
    address: str
    token: str
    expires_ms: int
    account: str
    stopped: bool = False
    linger: int = 0
    sent: int = 0


@dataclass(slots=True)
class Account:
    """A person, a room or a group with a calendar of its own."""

    email: str
    name: str
    zone: str
    is_room: bool = False


@dataclass(slots=True)
class Calendar:
    """A calendar with its events indexed by what they are looked up by."""

    id: str
    summary: str
    zone: str
    owner: str
    description: str = ""
    is_primary: bool = False
    epoch: int = 0
    seq: int = 0
    conference_types: list[str] = field(default_factory=lambda: ["hangoutsMeet"])
    roles: dict[str, str] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    exceptions: dict[str, dict[str, None]] = field(default_factory=dict)
    _by_uid: dict[str, dict[str, None]] = field(default_factory=dict)
    _by_property: dict[str, dict[str, None]] = field(default_factory=dict)
    _log_seq: list[int] = field(default_factory=list)
    _log_id: list[str] = field(default_factory=list)

    def role_of(self, account: str) -> str:
        """Return what an account may do here: owner, writer, reader or nothing."""
        return "owner" if account == self.owner else self.roles.get(account, "")

    def put(self, event: Event) -> None:
        """Keep an event's new version as the latest change."""
        old = self.events.get(event.id)
        if old is not None:
            self._unindex(old)
        self.seq += 1
        event.seq = self.seq
        self.events[event.id] = event
        self._log_seq.append(event.seq)
        self._log_id.append(event.id)
        self._index(event)
        if len(self._log_seq) > 2 * len(self.events) + 64:
            self._compact()

    def changed(self, after: int, upto: int) -> Iterator[Event]:
        """Yield the events whose latest change lies in (after, upto], oldest change first."""
        for place in range(bisect_right(self._log_seq, after), len(self._log_seq)):
            seq = self._log_seq[place]
            if seq > upto:
                return
            event = self.events[self._log_id[place]]
            if event.seq == seq:
                yield event

    def with_uid(self, uid: str) -> list[Event]:
        """Return the events of one iCalendar UID."""
        return [self.events[name] for name in self._by_uid.get(uid, ())]

    def with_property(self, kind: str, pair: str) -> list[Event]:
        """Return the events that carry an extended property; `pair` is `key=value`."""
        return [self.events[name] for name in self._by_property.get(f"{kind}:{pair}", ())]

    def _index(self, event: Event) -> None:
        self._by_uid.setdefault(text(event.doc, "iCalUID"), {})[event.id] = None
        for key in _pairs(event):
            self._by_property.setdefault(key, {})[event.id] = None
        if event.master:
            self.exceptions.setdefault(event.master, {})[event.id] = None

    def _unindex(self, event: Event) -> None:
        self._by_uid.get(text(event.doc, "iCalUID"), {}).pop(event.id, None)
        for key in _pairs(event):
            self._by_property.get(key, {}).pop(event.id, None)

    def _compact(self) -> None:
        kept = sorted((event.seq, name) for name, event in self.events.items())
        self._log_seq = [seq for seq, _ in kept]
        self._log_id = [name for _, name in kept]


def _pairs(event: Event) -> list[str]:
    properties = section(event.doc, "extendedProperties")
    return [
        f"{kind}:{key}={value}"
        for kind in ("private", "shared")
        for key, value in section(properties, kind).items()
    ]
