"""What may be said of an endpoint, and what is shown of it?"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from schemas.callbacks import CallbackType
from schemas.endpoints import CONCURRENCY, HOLDING, Endpoint, Format, HeadOfLine, Health, State
from schemas.endpoints import state_of as stands
from schemas.records import Moment
from webhooks.api.operation import Shape
from webhooks.api.shown_once import ShownOnce

LONGEST_TIMEOUT: Final = 20
LONGEST_WAIT: Final = 7 * 24 * 3600
OURS: Final = frozenset(
    """host content-type content-length content-encoding transfer-encoding connection keep-alive te
    trailer upgrade expect accept-encoding user-agent cookie date via forwarded proxy-authorization
    """.split()  # noqa: SIM905  read it as a list of names
)
"""Headers that say how the message is framed, or that we say ourselves."""
OUR_PREFIXES: Final = ("webhook-", "tieline-", "ce-", "x-forwarded-")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,1998}[\x21-\x7e])?")

Id = Annotated[str, Field(min_length=1, max_length=64)]
User = Annotated[str, Field(min_length=1, max_length=200)]
Wait = Annotated[int, Field(ge=1, le=LONGEST_WAIT)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Note = Annotated[str, Field(max_length=500)]


class Manners(Shape):
    """How an endpoint is called, and what it hears of. What is left out stays as it is."""

    types: tuple[CallbackType, ...] = Field(default=(), max_length=len(CallbackType))
    """Empty means every type."""
    calendars: tuple[Id, ...] = Field(default=(), max_length=100)
    """Only what stands in one of these calendars; empty means anything."""
    connections: tuple[Id, ...] = Field(default=(), max_length=100)
    """Only what concerns one of these connections; empty means anything."""
    users: tuple[User, ...] = Field(default=(), max_length=100)
    """Only what concerns connections of these users, by your ids, or what they host; empty means
    anything."""
    external_id_prefix: str = Field(default="", max_length=200)
    """Only meetings whose external id begins so."""
    description: str = Field(default="", max_length=300)
    metadata: dict[Name, Note] = Field(default={}, max_length=50)
    """Words of your own, kept for you."""
    format: Format = Format.STANDARD
    """How callbacks are written; they are signed the same way in each."""
    head_of_line: HeadOfLine = HeadOfLine.SKIP
    """When the oldest callback of a meeting cannot be delivered: `skip` it after its schedule,
    `block` the meeting's later ones, or `coalesce` to the latest state."""
    retry_s: tuple[Wait, ...] | None = Field(default=None, min_length=1, max_length=20)
    """Seconds between attempts; none means ten attempts in three days. Jitter only adds."""
    timeout_s: float = Field(default=15, ge=1, le=LONGEST_TIMEOUT)
    """For a whole attempt: connecting, sending and reading the answer."""
    rate_per_s: float | None = Field(default=None, ge=0.01, le=1000)
    """How many attempts a second at most; none means no limit."""
    concurrency: int = Field(default=CONCURRENCY, ge=1, le=64)
    """How many attempts at once at most."""
    headers: dict[str, str] = Field(default={}, max_length=20)
    """Sent along with every attempt. Never shown again, for they may hold a credential."""
    challenge: bool = False
    """Send nothing before the endpoint has agreed, by the OPTIONS handshake of CloudEvents."""

    @field_validator("headers")
    @classmethod
    def _leave_ours_alone(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            lower = name.lower()
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError("Header names and values are printable ASCII, without line ends.")
            if lower in OURS or lower.startswith(OUR_PREFIXES):
                raise ValueError("One of these headers is ours to send. Leave it out.")
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("Name each header once.")
        return headers


class NewEndpoint(Manners):
    """An address of yours, and what it wants to hear."""

    url: str = Field(max_length=2000, examples=["https://partner.example/tieline"])
    signature: Literal["v1", "v1a"] = "v1"
    """`v1` signs with a shared secret (HMAC-SHA256), `v1a` with a key pair (Ed25519)."""
    tenant_wide: bool = False
    """Hear about everything of the tenant; the key needs the scope `tenant`."""


class ChangedEndpoint(Manners):
    """What is to be different: fields that are named are replaced, all others stay."""

    url: str | None = Field(default=None, max_length=2000)


class Enabling(Shape):
    """How to send what was held."""

    rate_per_s: float | None = Field(default=None, ge=0.01, le=1000)
    """So many of the held callbacks a second; none means as fast as the endpoint allows."""


class Rotation(Shape):
    """How to change the secret."""

    signature: Literal["v1", "v1a"] | None = None
    """Of the new secret; none means as before."""
    overlap_s: int = Field(default=24 * 3600, ge=0, le=30 * 24 * 3600)
    """For how long the secrets before it sign too."""


class EndpointView(Shape):
    """An endpoint and how it fares."""

    id: str
    application: str
    url: str
    types: tuple[CallbackType, ...]
    calendars: tuple[str, ...]
    connections: tuple[str, ...]
    users: tuple[str, ...]
    external_id_prefix: str
    description: str
    metadata: dict[str, str]
    format: Format
    head_of_line: HeadOfLine
    retry_s: tuple[int, ...]
    timeout_s: float
    rate_per_s: float | None
    concurrency: int
    header_names: tuple[str, ...]
    challenge: bool
    tenant_wide: bool
    enabled: bool
    state: State
    """`paused` by you, `disabled` by itself (410) or for failing too long, `unproven` until the
    handshake succeeds: all three hold what is announced."""
    reason: str
    """Why it is not simply enabled."""
    failing_since: Moment | None
    waiting: int
    """Callbacks that are announced for it and not delivered yet."""
    held: int
    """Those of them that wait because of its state. At most 10,000 are held, for as long as
    callbacks are kept (seven days); what is above it is found among the undelivered ones."""
    secrets: int
    """How many sign."""
    public_keys: tuple[str, ...]
    """Of v1a secrets in force; also at /.well-known/jwks.json?tenant=…"""
    created_at: Moment


class EndpointShown(EndpointView):
    """An endpoint with a new secret, which is shown now and never again (Standard
    Webhooks): a repeat has null in its place."""

    secret: ShownOnce
    """What your library verifies with: `whsec_…`, or the public key `whpk_…` of v1a."""


class Endpoints(Shape):
    """A page of endpoints."""

    items: tuple[EndpointView, ...]
    next: str | None


def view_of(
    endpoint: Endpoint, health: Health | None, waiting: int, now: datetime
) -> dict[str, Any]:
    """The fields of a view."""
    state = stands(endpoint, health)
    signing = [secret for secret in endpoint.secrets if secret.signs(now)]
    facts = {name: getattr(endpoint, name) for name in _SAME}
    return {
        **facts,
        **{name: getattr(endpoint.filters, name) for name in type(endpoint.filters).model_fields},
        "retry_s": tuple(round(wait.total_seconds()) for wait in endpoint.schedule),
        "state": state,
        "reason": _reason(state, health),
        "failing_since": health.failing_since if health else None,
        "waiting": waiting,
        "held": waiting if state in HOLDING else 0,
        "secrets": len(signing),
        "public_keys": tuple(secret.public for secret in signing if secret.public),
    }


def _reason(state: State, health: Health | None) -> str:
    if state == "unproven":
        return (health.refusal if health else "") or "its owner has not answered the handshake yet"
    return health.reason if health and state in {"disabled", "failing"} else ""


_SAME: Final = (EndpointView.model_fields.keys() & Endpoint.model_fields.keys()) - {
    "secrets",
    "retry_s",
}
