"""What is linked: clients, connections and their tokens, calendars, subscriptions, routes."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from schemas.people import Actor
from schemas.providers import Role
from schemas.records import Moment, Record, Schema


class Client(Record):
    """Our registration at a vendor. Its secrets are write-only: sealed when they arrive."""

    kind: ClassVar[str] = "client"
    provider: str
    client_id: str
    name: str = ""
    description: str = ""
    secret_sealed: str
    """Sealed to the vault (workers open it)."""
    webhook_secrets_sealed: tuple[str, ...] = ()
    """Newest first, sealed to the door (the receiver opens them)."""
    route: str | None = None
    """Where a vendor that signs with the client's secret sends its notifications."""
    base_url: str | None = None
    """The provider at another address: a sandbox, a self-hosted Jitsi."""
    created_at: Moment


class LinkState(StrEnum):
    """Whether a connection can be used."""

    LINKED = "linked"
    NEEDS_REAUTH = "needs_reauth"
    REVOKED = "revoked"
    """Taken away at the vendor."""
    UNLINKED = "unlinked"
    """Taken away here."""


class Account(Schema):
    """The account at the provider, as it names itself."""

    id: str
    """The vendor's user id; the host of conferences made through this connection."""
    account_id: str = ""
    """The vendor's id of the organisation, by which it addresses notifications."""
    name: str = ""
    plan: str = ""


class Connection(Record):
    """A link to an account at a provider. Owned by the connection's lane."""

    kind: ClassVar[str] = "connection"
    provider: str
    role: Role
    client: str | None = None
    user: str | None = None
    """External id of the user it belongs to; none means it belongs to the tenant."""
    name: str = ""
    """What the partner calls it."""
    account: Account
    state: LinkState = LinkState.LINKED
    reason: str = ""
    """Why it is not linked, in words a person can act on."""
    scopes: tuple[str, ...] = ()
    missing_scopes: tuple[str, ...] = ()
    base_url: str | None = None
    directory: str = ""
    """The organisation whose administrator lets the client in without a person; none where a
    person gave consent."""
    room_url: str | None = None
    """Built-in providers: the room's address (static) or the server (Jitsi)."""
    marks_titles: bool = True
    """Whether titles of its conferences may carry our reference, where it fits nowhere else."""
    reconciled_epoch: str = ""
    """The store's epoch in which we last knew all that exists there (ENGINE 29)."""
    linked_at: Moment
    linked_by: Actor
    sequence: int = 0
    """Number of the last callback about it."""

    @property
    def usable(self) -> bool:
        """Whether calls may be made through it."""
        return self.state is LinkState.LINKED


class Tokens(Record):
    """A connection's tokens, sealed to the vault. Same id as the connection, same owner."""

    kind: ClassVar[str] = "tokens"
    access_sealed: str
    refresh_sealed: str | None = None
    expires_at: Moment
    serial: int = 1
    """Grows with each refresh; a caller that got a 401 names the serial it used."""
    refresh_started_at: Moment | None = None
    """Set before a refresh token that rotates is spent: a crash then shows (RELIABILITY §5.3)."""


class Addressee(Schema):
    """Whom the content of a notification must be meant for."""

    client: str
    """The vendor's id of our client."""
    directory: str
    """The organisation, by id or domain; empty where it is not known."""
    identity: str
    """Where the provider's signing keys are published."""


class Calendar(Record):
    """One calendar that is watched. Owned by the API; what was read of it is its `Reading`."""

    kind: ClassVar[str] = "calendar"
    connection: str
    provider: str
    provider_id: str
    """The vendor's id of the calendar."""
    name: str = ""
    timezone: str = "UTC"
    watched: bool = True
    room: str | None = None
    """The conferencing connection that serves all its events, if it is a room's."""
    created_at: Moment


class Subscription(Schema):
    """One push channel for a calendar."""

    id: str
    """The vendor's channel id, which we choose."""
    route: str
    resource: str | None = None
    """Unknown until the vendor has answered."""
    state: str = "asked"
    """`asked` (row first), `live`, `retired`."""
    expires_at: Moment | None = None
    heard_at: Moment | None = None
    """When a hint of it last led to a reading."""
    missed_at: Moment | None = None
    """When a reading on schedule last showed what it had not told of."""


class Reading(Record):
    """How far a calendar has been read. Same id as the calendar; owned by its lane."""

    kind: ClassVar[str] = "reading"
    cursor: str | None = None
    """The vendor's sync token; none means a full read is due."""
    page: str | None = None
    """The page to go on with, when a reading is under way."""
    generation: int = 0
    """Grows with each full read; what a finished full read did not show is absent (ENGINE 30)."""
    full: bool = False
    """Whether the reading under way is a full one."""
    query: str = ""
    """The exact parameters the cursor belongs to (T33)."""
    window_from: Moment | None = None
    """A full read shows nothing that ended before this."""
    read_at: Moment | None = None
    marked: int = 0
    """The lane's count of hints at the last reading."""
    subscriptions: tuple[Subscription, ...] = ()
    trouble: str = ""
    """Why it cannot be read, in words; nothing while it can."""
    troubled_at: Moment | None = None
    refusal: str = ""
    """Why the provider opens no channel for it, in words."""


class Route(Record):
    """A random address below /hooks that belongs to one subscription or client. Its id is the
    random part; the address itself begins with the tenant."""

    kind: ClassVar[str] = "route"
    provider: str
    calendar: str | None = None
    client: str | None = None
    proof_sha256: str | None = None
    """SHA-256 of the channel token (`Push.CHANNEL`)."""
    secrets_sealed: tuple[str, ...] = ()
    """Signing secrets sealed to the door, newest first (`Push.SIGNED`)."""
    subscription: str | None = None
    """The vendor's channel id; a notification must name it (`Push.CHANNEL`)."""
    resource: str | None = None
    """The vendor's id of what is watched, which must agree too once we know it."""
    retired: bool = False
    expires_at: Moment | None = None


class LinkRequest(Record):
    """An OAuth link under way. The id is half of its state; spent at most once (ENGINE 31)."""

    kind: ClassVar[str] = "link_request"
    provider: str
    role: Role
    client: str
    user: str | None = None
    connection: str | None = None
    """The connection to authorise again; none makes a new one."""
    expected_account: str | None = None
    more_scopes: tuple[str, ...] = ()
    """Asked for beyond the least."""
    name: str = ""
    marks_titles: bool = True
    return_url: str
    verifier_sealed: str
    """The PKCE verifier, sealed to the vault."""
    token_sha256: str = ""
    """SHA-256 of the random part of the link token, so that the id alone opens nothing."""
    browser_sha256: str = ""
    """Which browser began it: SHA-256 of its cookie."""
    expires_at: Moment
    actor: Actor
    spent_at: Moment | None = None
    outcome: str = ""
    """`linked <connection>` or a refusal in words, once known."""
