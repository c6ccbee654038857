"""What are lanes, posts, claims and units? Values only; what is done with them stands beside."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args

from infra import keys
from schemas.records import Record

Kind = Literal["calendar", "meeting", "callback", "connection", "desk", "house"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Lane:
    """An ordered queue for one subject of a tenant."""

    tenant: str
    kind: Kind
    subject: str

    def __post_init__(self) -> None:
        keys.plain(self.tenant)
        keys.plain(self.subject)

    @property
    def name(self) -> str:
        """The lane within its tenant."""
        return f"{self.kind}:{self.subject}"

    @classmethod
    def parse(cls, tenant: str, name: str) -> Lane:
        """The lane of a name. Raises ValueError if its kind is none."""
        kind, _, subject = name.partition(":")
        if kind not in KINDS:
            raise ValueError(f"not a lane: {name!r}")
        return cls(tenant, kind, subject)


@dataclass(frozen=True, slots=True)
class Item:
    """Something to handle once, in order; `id` holds no newline."""

    id: str
    body: bytes = b""

    def __post_init__(self) -> None:
        if not self.id or "\n" in self.id:
            raise ValueError(f"not usable as an item's id: {self.id!r}")


@dataclass(frozen=True, slots=True)
class Post:
    """What is put into a lane: an item, a hint (`mark`), timers from now, or all of them.

    `group` names the gate the lane stands behind from now on. A post whose `once` was posted to
    the tenant in the last 95 minutes is dropped.
    """

    lane: Lane
    item: Item | None = None
    mark: bool = False
    timers: Mapping[str, timedelta] = field(default_factory=dict)
    group: str | None = None
    once: str | None = None

    def __post_init__(self) -> None:
        if self.group is not None:
            keys.plain(self.group)


class Posted(enum.Enum):
    """What became of a post that was accepted."""

    NEW = "N"
    SEEN = "S"


class Claimed(NamedTuple):
    """A lane that is ours until its lease ends, and what lay in it when we looked."""

    lane: Lane
    claim: str
    items: tuple[Item, ...]
    """The 64 oldest at most."""
    mark: int
    """How many hints came so far; 0 if all of them were handled."""
    fired: Mapping[str, int]
    """Timers that are due, with the store's moment (ms) they were set for."""
    failures: int
    """Failed runs in a row."""
    apart: bool
    """It lost two workers, or more: the process shall work nothing meanwhile but what came with it
    (ENGINE 13)."""
    held_since: float
    """time.monotonic() before the claim was sent: the lease counts from there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a log (`timeline/<meeting>`, `attempts/<callback>`), kept for at least `keep`."""

    name: str
    body: bytes
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes that are written once and expire, such as a callback's body."""

    name: str
    value: bytes
    keep: timedelta


@dataclass(frozen=True, slots=True)
class IndexSet:
    """Let `field` of an index say `value`."""

    name: str
    field: str
    value: str | bytes


@dataclass(frozen=True, slots=True)
class IndexDrop:
    """Take `field` out of an index."""

    name: str
    field: str


@dataclass(frozen=True, slots=True)
class RankSet:
    """Let `member` of a rank stand at `score`."""

    name: str
    member: str
    score: float


@dataclass(frozen=True, slots=True)
class RankDrop:
    """Take `member` out of a rank."""

    name: str
    member: str


@dataclass(slots=True)
class Unit:
    """Everything that one commit changes, all or nothing, in the lane's tenant.

    `puts` and `drops` demand that the stored revision is the one that was read (0: absent); give
    only documents that this lane owns (ENGINE 9). Fired timers that are not set again are consumed
    when the lane is let go without `failed`.
    """

    handled: list[str] = field(default_factory=list)
    mark: int | None = None
    """The claim's `mark`, if its hints are handled; later hints stay."""
    puts: list[Record] = field(default_factory=list)
    drops: list[Record] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    timers: dict[str, timedelta | None] = field(default_factory=dict)
    logs: list[Entry] = field(default_factory=list)
    feed: list[Mapping[str, str | bytes]] = field(default_factory=list)
    index: list[IndexSet | IndexDrop] = field(default_factory=list)
    rank: list[RankSet | RankDrop] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    not_before: timedelta | None = None
    failed: bool = False
    parked: str | None = None
    hold: bool = False


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane as a person asks for it."""

    lane: Lane
    depth: int
    due: datetime | None
    """When it may next be touched; None if it is held, parked or idle."""
    held_until: datetime | None
    parked: str | None
    group: str | None
    waits_at_gate: bool
    failures: int
    not_before: datetime | None
    mark: int
    timers: Mapping[str, datetime]
