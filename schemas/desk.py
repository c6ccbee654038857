"""What the API may ask a worker to do at a provider, and what comes back (ENGINE 32).

No request or answer holds a secret in clear: codes and tokens are sealed to the vault, a host link
to the waiting process's own key.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.account_asks import AccountAsk
from schemas.accounts import Diagnosis, Found
from schemas.drift import Reconciled
from schemas.meetings import Ask
from schemas.people import Actor
from schemas.providers import Role
from schemas.records import Moment, Record, Schema


class ExchangeCode(Schema):
    """Turn an OAuth code into a connection."""

    ask: Literal["exchange_code"] = "exchange_code"
    link_request: str
    code_sealed: str


class LinkGiven(Schema):
    """Link with tokens that the caller brought, or a built-in provider that needs none."""

    ask: Literal["link_given"] = "link_given"
    connection: str
    """The id the connection will have."""
    provider: str
    role: Role
    client: str | None = None
    user: str | None = None
    access_sealed: str | None = None
    refresh_sealed: str | None = None
    scopes: tuple[str, ...] = ()
    room_url: str | None = None
    base_url: str | None = None
    expected_account: str | None = None
    directory: str = ""
    """In the client's own name: the organisation that allows it, and the mailbox."""
    mailbox: str = ""


class ListCalendars(Schema):
    """Which calendars does the account have?"""

    ask: Literal["list_calendars"] = "list_calendars"
    connection: str


class ListEvents(Schema):
    """What stands in a watched calendar in a span, ours or not?"""

    ask: Literal["list_events"] = "list_events"
    calendar: str
    since: Moment
    until: Moment


class FetchHostLink(Schema):
    """A fresh link for the host, sealed to `reply_key`; deleted after 60 s."""

    ask: Literal["host_link"] = "host_link"
    meeting: str
    reply_key: str
    """The waiting process's ephemeral public key."""


class TestConnection(Schema):
    """Does the connection work right now?"""

    ask: Literal["test"] = "test"
    connection: str


class ExplainEvent(Schema):
    """What would the rules do with this event, read afresh? (B-2)"""

    ask: Literal["explain_event"] = "explain_event"
    calendar: str
    event: str


class DryRunMeeting(Schema):
    """What would be done if this were asked for? Nothing is. (B-3)"""

    ask: Literal["dry_run_meeting"] = "dry_run_meeting"
    wanted: Ask


class DryRunEvent(Schema):
    """What would be done about this event as it is now? Nothing is. (B-3)"""

    ask: Literal["dry_run_event"] = "dry_run_event"
    calendar: str
    event: str


DeskAsk = Annotated[
    ExchangeCode
    | LinkGiven
    | ListCalendars
    | ListEvents
    | FetchHostLink
    | TestConnection
    | ExplainEvent
    | AccountAsk
    | DryRunMeeting
    | DryRunEvent,
    Field(discriminator="ask"),
]


class DeskRequest(Record):
    """A request waiting for a worker, and its answer. Written by the API, answered once."""

    kind: ClassVar[str] = "desk_request"
    ask: DeskAsk
    actor: Actor
    reply_to: str
    """The web process whose answer stream is rung."""
    asked_at: Moment
    not_after: Moment | None = None
    """Reads are dropped unread after this."""
    waits_for: str = ""
    """Why nothing can be done yet, in words; it is looked at again by itself."""
    begun_at: Moment | None = None
    """Set before what must not be sent twice is sent: who finds it set does not know what came of
    it."""


class PlannedCall(Schema):
    """A call to a provider that a dry run would have made; ids and moments, no titles, no links."""

    do: Literal[
        "provision", "find", "update", "confirm", "tear_down", "write", "remove", "change", "wait"
    ]
    words: str
    connection: str | None = None
    conference: str | None = None
    calendar: str | None = None
    event: str | None = None


class CalendarListed(Schema):
    """A calendar that could be watched."""

    provider_id: str
    name: str
    timezone: str
    writable: bool


class EventListed(Schema):
    """One occurrence of an event of a watched calendar, as it is now."""

    event: str
    """The provider's id; of a series, of the whole of it."""
    title: str
    starts_at: Moment
    ends_at: Moment
    all_day: bool
    kind: Literal["single", "recurring"]
    origin: Literal["ours", "calendar"]
    """Whether a meeting of ours is about it."""
    what: Literal["moved", "cancelled", "usual"]
    meeting: str | None = None
    join_url: str = ""
    """The way in, ours or not; empty when there is none."""


class DeskAnswer(Record):
    """What came of a desk request. Same id as the request; kept for an hour."""

    kind: ClassVar[str] = "desk_answer"
    state: Literal["done", "refused", "failed"]
    problem: str = ""
    """The problem type, when refused or failed."""
    detail: str = ""
    connection: str | None = None
    calendars: tuple[CalendarListed, ...] = ()
    sentences: tuple[str, ...] = ()
    """An explanation."""
    diagnosis: Diagnosis | None = None
    """How a trial went."""
    found: Found | None = None
    """What the account holds."""
    events: tuple[EventListed, ...] = ()
    """What stands in a calendar; people's own words, so soon forgotten."""
    drift: Reconciled | None = None
    """What differs from our books."""
    calls: tuple[PlannedCall, ...] = ()
    """What a dry run would do."""
    sealed: str = ""
    """A host link, sealed to the asker's key."""
