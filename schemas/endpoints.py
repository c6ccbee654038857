"""Where do callbacks go, and in which manner? A partner's endpoint and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from schemas.callbacks import CallbackType
from schemas.records import Moment, Record, Schema

RETRY_AFTER: Final[tuple[timedelta, ...]] = tuple(
    timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""When a failed callback is tried again, counted from the last attempt: ten attempts in about
three days, as Standard Webhooks 1.0.0 suggests. Jitter only adds."""

TIMEOUT: Final = timedelta(seconds=15)
"""Over connect, headers and body (Standard Webhooks asks for 15 to 30 s)."""
CONCURRENCY: Final = 16
"""Callbacks that are on their way to one endpoint at once, unless it says otherwise."""
HELD_AT_MOST: Final = 10_000
"""Callbacks kept for one endpoint while it is paused or disabled; what comes above it goes to the
undelivered ones. None is kept longer than the feed (TIELINE_KEEP_FEED)."""


class Format(StrEnum):
    """How a callback is written. Signed the same way in all of them."""

    STANDARD = "standard"
    """Standard Webhooks: `type`, `timestamp`, `data`."""
    CLOUDEVENTS_BINARY = "cloudevents-binary"
    """CloudEvents 1.0: attributes in `ce-` headers, the body is `data`."""
    CLOUDEVENTS_STRUCTURED = "cloudevents-structured"
    """CloudEvents 1.0: attributes and `data` in one JSON body."""


class HeadOfLine(StrEnum):
    """What follows when the oldest callback of a subject cannot be delivered."""

    SKIP = "skip"
    """After its schedule it goes to the undelivered ones, and the next has its turn."""
    BLOCK = "block"
    """The others wait for it, until it is delivered or no longer kept."""
    COALESCE = "coalesce"
    """It is left out as soon as a later state of the same subject waits behind it."""


class EndpointSecret(Schema):
    """One secret that signs. Sealed to the vault: only workers open it."""

    sealed: str
    public: str | None = None
    """`whpk_…` of an Ed25519 pair (v1a); none for a shared secret (v1)."""
    until: Moment | None = None
    """When it stops to sign; none while it is the newest."""

    def signs(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.until is None or now < self.until


class About(Schema):
    """What an endpoint's filters judge a callback by: whose its subject is, and where it stands."""

    application: str | None = None
    """The application that made or linked it; none if no application did."""
    endpoint: str | None = None
    """The endpoint that it is about: told to the others only."""
    external_id: str | None = None
    calendars: frozenset[str] = frozenset()
    connections: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    """Applications that may hear of it by a grant, at the moment when it is announced."""

    def with_places(self, other: About) -> About:
        """With the places of another state of the same subject too: whoever heard of a meeting
        also hears that it has left the place it was heard for."""
        return self.model_copy(
            update={
                "calendars": self.calendars | other.calendars,
                "connections": self.connections | other.connections,
                "users": self.users | other.users,
            }
        )


def about_blob(callback: str) -> str:
    """The blob with the `About` of a callback, kept where a grant let somebody hear of it and where
    a lane of its own serves its endpoints."""
    return f"about/{callback}"


class Filters(Schema):
    """What an endpoint wants to hear of: each filter that is set must fit, empty ones always do."""

    types: tuple[CallbackType, ...] = ()
    calendars: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    """External ids of users whose connections it concerns, or who host it."""
    external_id_prefix: str = ""

    @property
    def look_at_places(self) -> bool:
        """Whether calendars, connections or users matter."""
        return bool(self.calendars or self.connections or self.users)

    def pass_on(self, kind: CallbackType, about: About) -> bool:
        """Whether a callback gets through. `endpoint.*` has no place: only `types` judges it."""
        if self.types and kind not in self.types:
            return False
        if about.endpoint is not None:
            return True
        places = (
            (self.calendars, about.calendars),
            (self.connections, about.connections),
            (self.users, about.users),
        )
        return (about.external_id or "").startswith(self.external_id_prefix) and all(
            not wanted or not there.isdisjoint(wanted) for wanted, there in places
        )


class Resume(Schema):
    """What was held is sent at this rate, so that an endpoint that comes back is not overrun."""

    at: Moment
    """Callbacks announced before this were held."""
    rate_per_s: float


class Endpoint(Record):
    """A partner's callback address. Owned by the API."""

    kind: ClassVar[str] = "endpoint"
    application: str
    url: str
    secrets: tuple[EndpointSecret, ...]
    """Newest first; all that are in force sign."""
    filters: Filters = Filters()
    description: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    enabled: bool = True
    """False while it is paused: its callbacks are held."""
    tenant_wide: bool = False
    """Hears about everything of the tenant; set by a key with the scope `tenant`."""
    format: Format = Format.STANDARD
    head_of_line: HeadOfLine = HeadOfLine.SKIP
    retry_s: tuple[int, ...] | None = None
    """Waits between attempts, in seconds; none means `RETRY_AFTER`."""
    timeout_s: float = TIMEOUT.total_seconds()
    rate_per_s: float | None = None
    concurrency: int = CONCURRENCY
    headers_sealed: str | None = None
    """Extra headers as JSON, sealed to the vault, for they may hold a credential."""
    header_names: tuple[str, ...] = ()
    challenge: bool = False
    """Nothing is sent before its owner has agreed, by CloudEvents' OPTIONS handshake."""
    resume: Resume | None = None
    created_at: Moment
    enabled_at: Moment | None = None
    """When somebody last enabled it: what was known of its failures before that is void."""

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, fields: Any) -> Any:  # noqa: ANN401  whatever is stored
        """Read what the first release wrote: plain secrets, and types beside the filters."""
        if not isinstance(fields, dict) or "secrets_sealed" not in fields:
            return fields
        rest = {k: v for k, v in fields.items() if k not in {"secrets_sealed", "types"}}
        secrets = [{"sealed": sealed} for sealed in fields["secrets_sealed"]]
        filters = {"types": fields.get("types", ())}
        return {"secrets": secrets, "filters": filters, **rest}

    @property
    def group(self) -> str:
        """The group of its lanes: its gate is where it is paused, slowed and narrowed."""
        return group_of(self.id)

    @property
    def schedule(self) -> Sequence[timedelta]:
        """When to try again."""
        if self.retry_s is None:
            return RETRY_AFTER
        return tuple(timedelta(seconds=wait) for wait in self.retry_s)

    def hears(self, kind: CallbackType, about: About) -> bool:
        """Whether callbacks of the type about this are for it, now or when it is enabled again."""
        if about.endpoint == self.id:
            return False
        own = self.application == about.application
        may = self.tenant_wide or own or self.application in about.granted
        return may and self.filters.pass_on(kind, about)


def group_of(endpoint: str) -> str:
    """The group of an endpoint's lanes."""
    return f"endpoint:{endpoint}"


def waiting_for(endpoint: str) -> str:
    """The rank of callbacks that are announced for an endpoint and not delivered yet, by when they
    were announced. Whoever finds a callback's item and no such row knows that it was delivered
    otherwise."""
    return f"waiting:{endpoint}"


class Health(Record):
    """How an endpoint fares. Same id as the endpoint; owned by its house lane."""

    kind: ClassVar[str] = "endpoint_health"
    failing_since: Moment | None = None
    """Since when nothing was delivered but failed."""
    failures: int = 0
    """Failed attempts in a row, over all its lanes."""
    unanswered: int = 0
    """Those in a row that say that it is down: no answer, a 5xx, or a request to slow down."""
    trips: int = 0
    """How often in a row the breaker opened."""
    rested_until: Moment | None = None
    """The breaker: nothing is sent before this, then one attempt probes."""
    asked_until: Moment | None = None
    """Until when the endpoint itself asked for rest (`Retry-After`)."""
    reason: str = ""
    warned: int = 0
    """The last warning, in percent of the time until it is disabled."""
    told: bool = False
    """Whether partners were told that it fails, and not yet that it has recovered."""
    disabled_at: Moment | None = None
    proven_url: str = ""
    """The address whose owner agreed to be called."""
    proof_tries: int = 0
    """Handshakes in a row that did not succeed."""
    refusal: str = ""
    """Why the handshake did not succeed, in words."""
    allowed_rate_per_s: float | None = None
    """What the handshake allowed."""
    sequence: int = 0
    """Number of the last callback about it."""


State = Literal["enabled", "failing", "paused", "disabled", "unproven"]


def state_of(endpoint: Endpoint, health: Health | None) -> State:
    """How it stands. All but `enabled` and `failing` hold what is announced for it."""
    if not endpoint.enabled:
        return "paused"
    if endpoint.challenge and (health is None or health.proven_url != endpoint.url):
        return "unproven"
    if health is None:
        return "enabled"
    if health.disabled_at and health.disabled_at >= (endpoint.enabled_at or endpoint.created_at):
        return "disabled"
    return "failing" if health.failing_since else "enabled"


HOLDING: Final[frozenset[State]] = frozenset({"paused", "disabled", "unproven"})
