"""What does GoTo remember: accounts, groups, organizers, their meetings and what was held?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from infra.sandbox.documents import Doc


@dataclass(slots=True)
class Account:
    """An account; only a corporate one has groups and organizers to manage."""

    key: str
    corporate: bool = True
    free: bool = False
    licences: int = 10


@dataclass(slots=True)
class Group:
    """A group of organizers."""

    key: str
    name: str
    account: str
    parent: str = "0"


@dataclass(slots=True)
class Organizer:
    """A person of an account. `accepted` is whether the invitation was: before, there is no key."""

    key: str
    email: str
    first_name: str
    last_name: str
    account: str
    group: str
    admin: bool = False
    accepted: bool = True
    suspended: bool = False
    products: list[str] = field(default_factory=lambda: ["G2M"])


@dataclass(slots=True)
class Attendee:
    """Somebody in a meeting."""

    name: str
    email: str
    joined: datetime
    left: datetime | None = None


@dataclass(slots=True)
class Session:
    """One time that a meeting was held."""

    id: str
    started: datetime
    ended: datetime | None = None
    attendees: list[Attendee] = field(default_factory=list)


@dataclass(slots=True)
class Meeting:
    """A meeting; a recurring one has no times."""

    id: int
    organizer: str
    subject: str
    kind: str
    starts: datetime | None
    ends: datetime | None
    password: bool
    call_info: str
    coorganizers: list[str]
    deleted: bool = False
    sessions: list[Session] = field(default_factory=list)

    @property
    def live(self) -> Session | None:
        """The session that is going on."""
        last = self.sessions[-1] if self.sessions else None
        return last if last is not None and last.ended is None else None


def seen(meeting: Meeting) -> Doc:
    """A meeting as the control API shows it."""
    return {
        "id": meeting.id,
        "organizer": meeting.organizer,
        "subject": meeting.subject,
        "kind": meeting.kind,
        "starts": meeting.starts.isoformat() if meeting.starts else "",
        "ends": meeting.ends.isoformat() if meeting.ends else "",
        "password": meeting.password,
        "call_info": meeting.call_info,
        "coorganizers": meeting.coorganizers,
        "deleted": meeting.deleted,
        "live": meeting.live is not None,
        "sessions": len(meeting.sessions),
    }
