"""What lies in lanes: small, closed, and names rather than loads (reports aside, kept as sent)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.events import Occurrence
from schemas.people import Actor
from schemas.records import Moment, Schema


class Sighted(Schema):
    """meeting: a watched calendar shows something new of it."""

    is_: Literal["sighted"] = Field(default="sighted", alias="is")
    calendar: str
    event: str
    hints: int = 0
    """How many notifications led to the reading; 0 for one by timer."""
    trace: str = ""


class OccurrenceSeen(Schema):
    """meeting: one occurrence of its series was moved or cancelled; named in the timeline."""

    is_: Literal["occurrence"] = Field(default="occurrence", alias="is")
    calendar: str
    occurrence: Occurrence
    trace: str = ""


class Asked(Schema):
    """meeting: the partner asked for something; what, stands in its `Ask`."""

    is_: Literal["asked"] = Field(default="asked", alias="is")
    actor: Actor
    trace: str = ""


class Doubted(Schema):
    """meeting: the provider says its conference was changed or deleted; look."""

    is_: Literal["doubted"] = Field(default="doubted", alias="is")
    conference: str
    trace: str = ""


class Happened(Schema):
    """meeting: something happened in its conference that cannot be read again."""

    is_: Literal["happened"] = Field(default="happened", alias="is")
    conference: str
    what: Literal["started", "ended", "participant_joined", "participant_left", "attendance_ready"]
    at: Moment
    participant: str = ""
    """The vendor's id of the participant, if it has one."""
    name: str = ""
    trace: str = ""


class DriftFound(Schema):
    """meeting: a reconcile found it otherwise than it should be, and an actor wants it mended."""

    is_: Literal["drift"] = Field(default="drift", alias="is")
    actor: Actor
    words: str
    trace: str = ""


class Made(Schema):
    """meeting: a worker that lost its claim made this conference; keep or delete it (ENGINE 27)."""

    is_: Literal["made"] = Field(default="made", alias="is")
    connection: str
    conference: str
    reference: str
    number: int
    trace: str = ""


class LinkChanged(Schema):
    """meeting, calendar: a connection it needs was linked again or taken away; look again."""

    is_: Literal["link_changed"] = Field(default="link_changed", alias="is")
    connection: str
    trace: str = ""


class Report(Schema):
    """connection: a notification that cannot be read again, as sent."""

    is_: Literal["report"] = Field(default="report", alias="is")
    provider: str
    body: str
    heard_at: Moment
    trace: str = ""


class RefreshAsked(Schema):
    """connection: somebody's access token did not work; refresh unless that is done already."""

    is_: Literal["refresh"] = Field(default="refresh", alias="is")
    serial: int


class LinkBroken(Schema):
    """connection: a call showed that a person must link it again."""

    is_: Literal["link_broken"] = Field(default="link_broken", alias="is")
    reason: str
    missing_scopes: tuple[str, ...] = ()


class UnlinkAsked(Schema):
    """connection: an actor takes the link away here."""

    is_: Literal["unlink"] = Field(default="unlink", alias="is")
    actor: Actor


class Extra(Schema):
    """connection: a reference whose conferences ought to be swept later (ENGINE 28)."""

    is_: Literal["extra"] = Field(default="extra", alias="is")
    meeting: str
    reference: str


class WatchChanged(Schema):
    """calendar: it is to be watched, or no longer."""

    is_: Literal["watch"] = Field(default="watch", alias="is")
    trace: str = ""


class ContentTold(Schema):
    """calendar: a notification that carries what it is about, encrypted by the provider and sealed
    as it came. It may spare a reading, and is a hint like any other if it does not."""

    is_: Literal["content"] = Field(default="content", alias="is")
    sealed: str


class Announced(Schema):
    """callback: one callback event to deliver; its body is kept once under this id."""

    is_: Literal["announced"] = Field(default="announced", alias="is")
    callback: str
    meeting: str = ""
    trace: str = ""
    type: str = ""
    at: Moment | None = None
    """When it was announced; none in what the first release posted, whose callbacks no rank of
    waiting ones names."""
    again: bool = False
    """Sent because somebody asked for it, outside the order."""
    test: bool = False
    """The example of its type, sent because somebody asked for it."""


class FanOut(Schema):
    """callback: one callback event for more endpoints than one commit may hold (ENGINE 33)."""

    is_: Literal["fan_out"] = Field(default="fan_out", alias="is")
    callback: str
    subject: str
    meeting: str = ""
    trace: str = ""
    type: str = ""
    at: Moment | None = None
    """When it was announced."""


class DeskAsked(Schema):
    """desk: a request of the API that needs a provider; the request is its own document."""

    is_: Literal["desk"] = Field(default="desk", alias="is")
    request: str


class Fared(Schema):
    """house: an attempt at an endpoint failed, or one succeeded after some had failed."""

    is_: Literal["fared"] = Field(default="fared", alias="is")
    ok: bool
    at: Moment
    reason: str = ""
    unanswered: bool = False
    """It says that the endpoint is down: no answer, a 5xx, or a request to slow down."""
    asked_until: Moment | None = None
    """Until when the endpoint asked for rest."""
    retired: bool = False
    """The endpoint wants no more callbacks at all."""


class EndpointEnabled(Schema):
    """house: a person enabled an endpoint, or changed how it may be called."""

    is_: Literal["endpoint_enabled"] = Field(default="endpoint_enabled", alias="is")


class ProofAsked(Schema):
    """house: ask the owner of an endpoint whether we may call it."""

    is_: Literal["proof"] = Field(default="proof", alias="is")


class RecoveryAsked(Schema):
    """house: recover undelivered callbacks; which ones, stands in the `Recovery`."""

    is_: Literal["recovery"] = Field(default="recovery", alias="is")


class RecoveryCancelled(Schema):
    """house: stop a recovery where it is."""

    is_: Literal["recovery_cancelled"] = Field(default="recovery_cancelled", alias="is")


Load = Annotated[
    Sighted
    | OccurrenceSeen
    | Asked
    | Doubted
    | Happened
    | DriftFound
    | Made
    | LinkChanged
    | Report
    | RefreshAsked
    | LinkBroken
    | UnlinkAsked
    | Extra
    | WatchChanged
    | ContentTold
    | Announced
    | FanOut
    | DeskAsked
    | Fared
    | EndpointEnabled
    | ProofAsked
    | RecoveryAsked
    | RecoveryCancelled,
    Field(discriminator="is_"),
]

_LOADS: TypeAdapter[Load] = TypeAdapter(Load)


def read_load(body: bytes) -> Load:
    """What an item says. Raises pydantic's ValidationError on what no release ever wrote."""
    return _LOADS.validate_json(body)


def write_load(load: Load) -> bytes:
    """An item's body."""
    return load.model_dump_json(by_alias=True, exclude_defaults=False).encode()
