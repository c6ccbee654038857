"""What became of callbacks? Attempts, what was not delivered and why, and how it is recovered."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from schemas.people import Actor
from schemas.records import Moment, Record, Schema


class Attempt(Schema):
    """One try to deliver a callback, as the attempt log keeps it."""

    id: str = ""
    """Sent along as `tieline-attempt`, so that a partner can name it."""
    callback: str
    endpoint: str
    number: int
    at: Moment
    status: int | None = None
    """HTTP status, or none when there was no answer."""
    error: str = ""
    took_ms: int
    """From the first step to the last byte read."""
    queued_ms: int | None = None
    """From the announcement to this attempt."""
    connect_ms: int | None = None
    """Until a connection was there, a kept one at once; none if there never was one."""
    first_byte_ms: int | None = None
    """Until the answer began; none without an answer."""
    excerpt: str = ""
    """The first bytes of the answer."""
    again_at: Moment | None = None
    delivered: bool = False
    redelivery: bool = False
    """Whether somebody asked for it, outside the order."""


class Why(StrEnum):
    """Why a callback was not delivered; part of the API."""

    EXHAUSTED = "exhausted"
    """Its schedule is used up."""
    ABORTED = "aborted"
    """The endpoint asked not to be sent it again."""
    REFUSED = "refused"
    """The address is one that we may not call."""
    EXPIRED = "expired"
    """It waited longer than callbacks are kept; its body is gone."""
    TOO_MANY_HELD = "too_many_held"
    """The endpoint was paused or disabled, and as many as may be were held for it."""


class Undelivered(Schema):
    """A callback that is not tried any more; kept until somebody recovers it, or it expires."""

    callback: str
    endpoint: str
    subject: str = ""
    meeting: str = ""
    type: str = ""
    why: Why = Why.EXHAUSTED
    reason: str
    announced_at: Moment | None = None
    at: Moment
    trace: str = ""


class Wanted(Schema):
    """Which undelivered callbacks: each part that is set must fit."""

    since: Moment | None = None
    """Not given up before this."""
    until: Moment | None = None
    """Given up before this."""
    endpoint: str | None = None
    type: str | None = None
    reason: Why | None = None

    def fits(self, row: Undelivered) -> bool:
        """Whether the row is among them."""
        return (
            (self.since is None or row.at >= self.since)
            and (self.until is None or row.at < self.until)
            and (self.endpoint is None or row.endpoint == self.endpoint)
            and (self.type is None or row.type == self.type)
            and (self.reason is None or row.why == self.reason)
        )


class Recovery(Record):
    """A recovery under way or over. Made by the API; then owned by its house lane."""

    kind: ClassVar[str] = "recovery"
    wanted: Wanted
    actor: Actor
    started_at: Moment
    """Only what was given up before this is recovered."""
    state: Literal["running", "done", "cancelled"] = "running"
    expected: int = 0
    """How many were counted before it began."""
    recovered: int = 0
    gone: int = 0
    """Found, but their endpoint or their body is no longer there: they cannot be sent any more."""
    passed_over: int = 0
    """Found on this walk through the list before an endpoint that has enough to do: their turn
    comes on the next walk."""
    cursor_at: float | None = None
    cursor_member: str = ""
    """Behind which row it goes on."""
    ended_at: Moment | None = None
