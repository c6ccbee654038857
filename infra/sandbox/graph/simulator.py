"""What is Graph's state, who may do what with it, and what happens at every write?"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from infra.sandbox.calls import Call
from infra.sandbox.documents import Doc
from infra.sandbox.graph import push
from infra.sandbox.graph.contents import Signing
from infra.sandbox.graph.errors import refuse
from infra.sandbox.graph.quota import Quota
from infra.sandbox.graph.state import Calendar, Event, Mailbox, Subscription
from infra.sandbox.oauth import Authority, Client, Grant
from infra.sandbox.stage import Stage

APPLICATION = "application:"
"""Prefix of the account of a grant that is an application's own, not a person's."""
READ = ("Calendars.Read", "Calendars.ReadWrite")
WRITE = ("Calendars.ReadWrite",)
MEETINGS = ("OnlineMeetings.ReadWrite", "OnlineMeetings.ReadWrite.All")
BLOCKED = (
    "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy"
    " settings."
)


@dataclass(slots=True)
class Settings:
    """What can be set about Graph. Spans are seconds."""

    subscription_life_s: float = 10_080 * 60.0
    page_cap: int = 1_000
    shows_masters: bool = True
    """Whether a delta of a calendar view shows the master of a series beside its occurrences."""
    room_deletes_comments: bool = True
    """Exchange's default: a room's copy has no body and the organizer's name as its subject."""
    handshake: bool = True
    calls_in_10_minutes: int = 10_000
    calls_at_once: int = 4
    slow_s: float = 0.0
    """How long each call takes, so that calls can meet."""
    spoilt: str = ""
    """What is wrong with the contents of notifications: `data`, `signature`, `key`, `json`,
    `certificate`; or with the token: `stranger`, `expired`, `audience`, `issuer`, `publisher`."""
    token_version: int = 1
    identity: str = "https://login.microsoftonline.com"
    """Who signs tokens, as those of version 2 say."""


class Graph:
    """Mailboxes with calendars and online meetings, and the subscriptions of all clients."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.signing = Signing()
        self.forget()

    def forget(self) -> None:
        """Begin again with nobody and one registered client."""
        self.settings = Settings()
        self.mailboxes: dict[str, Mailbox] = {}
        self.by_address: dict[str, str] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.mails: list[Doc] = []
        self.quota = Quota(self.stage.clock)
        self.authority = Authority(self.stage, "eyJ0.sandbox", rotating=False)
        self.authority.clients["sandbox-graph"] = Client("sandbox-graph", "graph-secret")
        self._version = 0

    def new_guid(self) -> str:
        """Return an id as Entra gives them."""
        return str(uuid.UUID(bytes=self.stage.chance.dice.randbytes(16), version=4))

    def new_id(self) -> str:
        """Return an immutable Outlook id: letters whose case counts."""
        return f"AAkALgAA{self.stage.chance.word(40)}AA"

    def add_mailbox(self, mailbox: Mailbox) -> Mailbox:
        """Open a mailbox with its default calendar."""
        self.mailboxes[mailbox.id] = mailbox
        self.by_address[mailbox.address.lower()] = mailbox.id
        self.add_calendar(mailbox, "Calendar", is_default=True)
        return mailbox

    def add_calendar(self, mailbox: Mailbox, name: str, *, is_default: bool = False) -> Calendar:
        """Open another calendar of a mailbox."""
        calendar = Calendar(self.new_id(), name, is_default)
        mailbox.calendars[calendar.id] = calendar
        return calendar

    def who(self, hint: str) -> list[str]:
        """Return the mailboxes that a sign-in hint may mean."""
        if not hint:
            return list(self.mailboxes)
        found = self.by_address.get(hint.lower(), hint)
        return [found] if found in self.mailboxes else []

    def caller(self, call: Call, scopes: tuple[str, ...]) -> Grant:
        """Return the grant behind a call; refuses bad tokens and missing scopes."""
        grant = self.authority.bearer(call.bearer)
        if grant is None:
            raise refuse(401)
        if not grant.covers(scopes):
            raise refuse(403)
        return grant

    def mailbox(self, call: Call, scopes: tuple[str, ...]) -> Mailbox:
        """Return the mailbox a call is about, if the caller may be there.

        A person's token opens its own; an application's opens all that its policy permits.
        """
        grant = self.caller(call, scopes)
        named = call.path.get("user", "")
        if grant.account.startswith(APPLICATION):
            if not named:
                message = "/me request is only valid with delegated authentication flow."
                raise refuse(400, "BadRequest", message)
            found = self.mailboxes.get(self.by_address.get(named.lower(), named))
            if found is None:
                raise refuse(404, "ErrorInvalidUser", f"The requested user '{named}' is invalid.")
            if not found.permitted:
                raise refuse(403, "ErrorAccessDenied", BLOCKED)
        else:
            found = self.mailboxes[grant.account]
            if named and named.lower() not in (found.id, found.address.lower()):
                raise refuse(403)
        self.quota.demand_call(found.id, self.settings.calls_in_10_minutes)
        return found

    def save(
        self, mailbox: Mailbox, calendar: Calendar, event: Event, change: str = "updated"
    ) -> Event:
        """Write an event: a new version, and those who watch are told."""
        self._version += 1
        event.version = self._version
        now = f"{self.stage.clock.now():%Y-%m-%dT%H:%M:%S.%f}0Z"
        event.doc |= {"createdDateTime": event.doc.get("createdDateTime", now)}
        event.doc |= {"lastModifiedDateTime": now}
        calendar.put(event)
        if calendar.is_default:
            push.changed(self, mailbox, event, change)
        return event
