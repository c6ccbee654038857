"""What a provider must be able to do for us. Each provider implements the ports of its roles.

All methods await one or a few calls at the provider and decide nothing. They raise what
`infra.errors` names by remedy: NotSent, Unknown, RateLimited, TryLater, NeedsReauth, Refused,
Vanished, InSession, Conflict.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from schemas.account_asks import Span, Whose
from schemas.accounts import (
    AccountConference,
    Attendance,
    ConferenceDraft,
    Group,
    Invitation,
    Organizer,
)
from schemas.connections import Account, Addressee
from schemas.desk import CalendarListed
from schemas.drift import Listed
from schemas.events import Change, Event, Gone, Slot
from schemas.meetings import Conference, Written


@asynccontextmanager
async def at_once() -> AsyncIterator[None]:
    """The turn of a provider that nobody has to pace."""
    yield


Turn = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Access:
    """What a call goes out with: an access token that is never printed, and where to."""

    connection: str
    api: str
    host: str
    token: str = field(repr=False)
    serial: int
    event: str = ""
    """The event that a conference is to live in, where it lives in one."""
    marks: bool = True
    """Whether a title may carry our reference, where a provider holds it nowhere else."""
    turn: Turn = field(default=at_once, repr=False, compare=False)
    """Each call is made within it: a provider's pace and limits, shared by all workers."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a calendar's delta."""

    changes: Sequence[Change]
    next_page: str | None
    cursor: str | None
    """Only on the last page."""


class CursorExpired(Exception):
    """The sync token is of no use any more (410): read the calendar in full."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A push channel as the provider has opened it."""

    resource: str
    expires_at: datetime


class Shown(NamedTuple):
    """An event in one version, as a notification tells."""

    event: str
    version: str


@dataclass(frozen=True, slots=True)
class Found:
    """A conference of ours found at the provider, with when it was made if the provider says."""

    conference: Conference
    created_at: datetime | None
    started: bool = False


class Calendars(Protocol):
    """A provider in the role `calendar`."""

    @property
    def query(self) -> str:
        """The exact parameters a cursor belongs to (T33)."""
        ...

    async def account(self, access: Access) -> Account:
        """The account behind the token."""
        ...

    async def list_calendars(self, access: Access) -> list[CalendarListed]:
        """The calendars the account can see."""
        ...

    async def read_page(
        self,
        access: Access,
        calendar: str,
        *,
        cursor: str | None,
        page: str | None,
        since: datetime,
    ) -> Page:
        """One page of what changed since `cursor`, or of everything from `since` on without one.
        Raises CursorExpired."""
        ...

    async def read_event(self, access: Access, calendar: str, event: str) -> Event | Gone:
        """The event as it is now."""
        ...

    async def write_link(
        self, access: Access, calendar: str, target: Written, *, meeting: str
    ) -> Written:
        """Put the link into the event unless it stands there; `etags` holds the versions before and
        after. Raises Conflict when the event changed meanwhile, Vanished when it is gone."""
        ...

    async def show_slot(
        self, access: Access, calendar: str, event: str, slot: Slot
    ) -> tuple[str, ...]:
        """Let the event show the slot's title and times unless it does, of a series its title;
        the event's versions before and after. Raises Conflict, Vanished, and Refused."""
        ...

    async def remove_link(self, access: Access, calendar: str, target: Written) -> None:
        """Take our link out; done already is done."""
        ...

    async def watch(
        self, access: Access, calendar: str, *, channel: str, address: str, token: str
    ) -> Channel:
        """Open a push channel."""
        ...

    async def renew(self, access: Access, *, channel: str, resource: str) -> Channel | None:
        """Let a push channel live on. None when it cannot, or is gone: a new one is opened."""
        ...

    async def stop(self, access: Access, *, channel: str, resource: str) -> None:
        """Close a push channel; closed already is done."""
        ...


class Conferences(Protocol):
    """A provider in the role `conferencing`."""

    async def account(self, access: Access) -> Account:
        """The account behind the token."""
        ...

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """Make a conference that carries the reference. Never repeated here. `send_by` is a
        monotonic instant: nothing is sent after it (ENGINE 26)."""
        ...

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """Conferences that carry the reference, oldest first."""
        ...

    async def listed(self, access: Access) -> list[Listed] | None:
        """The account's conferences that are to come or running, ours or not; None where the
        provider cannot tell."""
        ...

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """The conference as it is: with the slot that somebody gave it there, with an empty
        `shown` if no slot says what it shows. None when the provider says it has none of that
        id."""
        ...

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """Let it show the slot and read it back; None when it is gone."""
        ...

    async def delete(self, access: Access, conference: Conference) -> None:
        """Delete it; gone already is done. Raises InSession while people are in it."""
        ...

    async def host_link(self, access: Access, conference: Conference) -> str:
        """A fresh link for the host. A secret: never stored, never logged."""
        ...


class Contents(Protocol):
    """A provider whose notifications carry what they are about."""

    async def read(self, load: bytes, addressee: Addressee) -> Sequence[Shown | str]:
        """What each change shows, or a word for why not. Never raises on what came from outside."""
        ...


class AccountConferences(Protocol):
    """Conferences of an account by the provider's own id, ours or not."""

    async def upcoming(self, access: Access, whose: Whose) -> list[AccountConference]:
        """All that are to come or running."""
        ...

    async def make(self, access: Access, draft: ConferenceDraft) -> AccountConference:
        """Make one. Never repeated here."""
        ...

    async def look_up(self, access: Access, conference: str) -> AccountConference:
        """One as it is. Raises Vanished."""
        ...

    async def replace(
        self, access: Access, conference: str, draft: ConferenceDraft
    ) -> AccountConference:
        """Let it be like this, and read it back. Raises Vanished."""
        ...

    async def remove(self, access: Access, conference: str) -> int:
        """Delete it; the provider's status. Raises Vanished, InSession."""
        ...

    async def start_link(self, access: Access, conference: str) -> str:
        """A fresh link for the host. A secret: never stored, never logged. Raises Vanished."""
        ...


class History(Protocol):
    """What was held, and who was there."""

    @property
    def attendance_needs(self) -> str:
        """The scope without which nobody is told who was there; empty for none."""
        ...

    async def held(self, access: Access, span: Span, whose: Whose) -> list[AccountConference]:
        """What started in the span and is over. The span is no longer than the row's `history`."""
        ...

    async def attendance(self, access: Access, conference: str) -> list[Attendance]:
        """Who was in a conference that was held. Raises Vanished."""
        ...

    async def attendance_between(
        self, access: Access, span: Span, whose: Whose
    ) -> list[Attendance]:
        """Who was in all conferences that an organizer or a group held in the span."""
        ...


class People(Protocol):
    """The organizers of an account and their groups; for its administrators."""

    async def organizers(self, access: Access, group: str) -> list[Organizer]:
        """Those of a group, or all."""
        ...

    async def organizer(self, access: Access, *, key: str = "", email: str = "") -> Organizer:
        """One, by key or by address. Raises Vanished."""
        ...

    async def invite(self, access: Access, invitation: Invitation, group: str) -> None:
        """Invite somebody. Never repeated here."""
        ...

    async def license(self, access: Access, key: str, product: str) -> None:
        """Give one product; that also ends a suspension. Raises Vanished."""
        ...

    async def suspend(self, access: Access, key: str) -> None:
        """Take all products, and with them the access. Raises Vanished."""
        ...

    async def dismiss(self, access: Access, *, key: str = "", email: str = "") -> int:
        """Delete one, by key or by address; the provider's status. Raises Vanished."""
        ...

    async def groups(self, access: Access) -> list[Group]:
        """All groups."""
        ...
