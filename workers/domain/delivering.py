"""What follows from a partner's answer to a callback? Pure: the caller brings time and dice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

from schemas.callbacks import STATES
from schemas.deliveries import Why
from schemas.endpoints import RETRY_AFTER, HeadOfLine
from workers.domain.backoff import LONGEST_ASKED, wait_before

SUCCESS: Final = 2
GONE: Final = 410
SERVER_ERRORS: Final = 5
SLOWING: Final = frozenset({429, 502, 504})
"""Standard Webhooks 1.0.0: these say something about the endpoint, not about one message."""
SLOWED_AT_MOST: Final = timedelta(seconds=30)
"""How long an endpoint rests that asks for rest without saying how long."""
DISABLE: Final = "disable"
ABORT: Final = "abort-message"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A 2xx came back: the partner has it. `last`: and wants no more."""

    last: bool = False


@dataclass(frozen=True, slots=True)
class Retired:
    """The endpoint wants nothing any more: 410, or `webhook-delivery: disable`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """Try once more after `wait`; `rest` is how long nothing at all goes to the endpoint."""

    reason: str
    wait: timedelta
    rest: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It is not tried any more."""

    reason: str
    why: Why = Why.EXHAUSTED


Verdict: TypeAlias = Delivered | Retired | Again | GivenUp


@dataclass(frozen=True, slots=True)
class Plan:
    """How an endpoint wants its failures to be followed up."""

    schedule: Sequence[timedelta] = RETRY_AFTER
    head_of_line: HeadOfLine = HeadOfLine.SKIP


@dataclass(frozen=True, slots=True)
class Reply:
    """What a partner answered: status and the two headers that mean something to us."""

    status: int
    retry_after: str | None = None
    delivery: str = ""
    """`webhook-delivery`."""


def judge(
    reply: Reply, *, number: int, dice: float, now: datetime, plan: Plan | None = None
) -> Verdict:
    """What an answer to the `number`-th attempt (from 1) means. A redirect is no success: it is not
    followed, for the body would go where nobody vouched for."""
    status, wish = reply.status, reply.delivery.strip().lower()
    if status // 100 == SUCCESS:
        return Delivered(last=wish == DISABLE)
    if wish == DISABLE:
        return Retired("the endpoint asked to be disabled")
    if status == GONE:
        return Retired("the endpoint answered 410: it wants no more callbacks")
    if wish == ABORT:
        return GivenUp(f"the endpoint answered {status} and asked not to repeat it", Why.ABORTED)
    asked = asked_wait(reply.retry_after, now)
    verdict = failed(
        f"the endpoint answered {status}", number=number, dice=dice, asked=asked, plan=plan
    )
    if status not in SLOWING or not isinstance(verdict, Again):
        return verdict
    rest = min(asked, LONGEST_ASKED) if asked else min(verdict.wait, SLOWED_AT_MOST)
    return Again(verdict.reason, verdict.wait, rest)


def failed(
    reason: str,
    *,
    number: int,
    dice: float,
    asked: timedelta | None = None,
    plan: Plan | None = None,
) -> Again | GivenUp:
    """What a failure means, whether an answer came or not."""
    plan = plan or Plan()
    last = len(plan.schedule)
    if plan.head_of_line is HeadOfLine.BLOCK:
        number = min(number, last)
    wait = wait_before(number, dice=dice, asked=asked, schedule=plan.schedule)
    return GivenUp(f"{reason}; {number} attempts") if wait is None else Again(reason, wait)


def is_down(status: int | None) -> bool:
    """Whether it says that the endpoint as a whole is down, rather than that one callback is not to
    its taste: no answer, a server's error, or a request to slow down."""
    return status is None or status // 100 == SERVER_ERRORS or status in SLOWING


def superseded(types: Sequence[str]) -> bool:
    """Whether the first of the waiting callbacks is made needless by one behind it: both tell the
    whole state of their subject."""
    return bool(types) and types[0] in STATES and any(kind in STATES for kind in types[1:])


def asked_wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for (RFC 9110 §10.2.3: seconds or an HTTP date);
    None for none, for one that is over and for what is no such header."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_ASKED) or None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return wait if wait > timedelta(0) else None
