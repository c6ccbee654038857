"""How does an endpoint fare, and what follows for all its callbacks? Pure.

Two rules. The breaker: when attempts in a row say that the endpoint is down, nothing is sent for a
while, then one attempt probes; each probe that fails doubles the rest. The end: an endpoint that
has failed all the time for so long is disabled, after warnings at 50, 70 and 90 percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.callbacks import CallbackType
from schemas.endpoints import Health
from schemas.items import Fared

WARNINGS: Final = (50, 70, 90)
OVER: Final = 100
FAILURES_AT_LEAST: Final = 5
"""Fewer say nothing about an endpoint that hardly gets a callback."""
DOWN_AFTER: Final = 5
"""Attempts in a row that say that it is down, until the breaker opens."""
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Said:
    """What partners should hear of it."""

    type: CallbackType
    reason: str
    failing_since: datetime | None
    percent: int


def fare(health: Health, fared: Fared, disable_after: timedelta) -> tuple[Health, Said | None]:
    """The endpoint after one more attempt, and what is to be said about it."""
    if fared.ok:
        return _recovered(health)
    failing = health.model_copy(
        update={
            "failing_since": health.failing_since or fared.at,
            "failures": health.failures + 1,
            "unanswered": health.unanswered + 1 if fared.unanswered else 0,
            "asked_until": _later(health.asked_until, fared.asked_until),
            "reason": fared.reason,
        }
    )
    if fared.retired:
        return _disabled(failing, fared.at)
    return _warned(_rested(failing, fared.at), fared.at, disable_after)


def enabled(health: Health) -> Health:
    """Somebody enabled it: it begins anew, and that something bad was said is remembered."""
    return health.model_copy(
        update={
            "failing_since": None,
            "failures": 0,
            "unanswered": 0,
            "trips": 0,
            "rested_until": None,
            "asked_until": None,
            "disabled_at": None,
            "warned": 0,
            "reason": "",
        }
    )


def closed_until(health: Health, now: datetime) -> datetime | None:
    """Until when nothing may be sent; None if it may be now."""
    until = _later(health.rested_until, health.asked_until)
    return until if until is not None and until > now else None


def _recovered(health: Health) -> tuple[Health, Said | None]:
    said = None
    if health.told:
        kind = CallbackType.ENDPOINT_RECOVERED
        said = Said(kind, "a callback was delivered again", health.failing_since, 0)
    asked = health.asked_until  # what the endpoint asked for still holds
    return enabled(health).model_copy(update={"told": False, "asked_until": asked}), said


def _rested(health: Health, at: datetime) -> Health:
    """With the breaker open, if this failure opens it: failures of attempts that were under way
    when it opened say nothing new."""
    resting = health.rested_until is not None and at < health.rested_until
    if health.unanswered < DOWN_AFTER or resting:
        return health
    rest = min(FIRST_REST * 2 ** min(health.trips, 10), LONGEST_REST)
    return health.model_copy(update={"rested_until": at + rest, "trips": health.trips + 1})


def _warned(health: Health, at: datetime, disable_after: timedelta) -> tuple[Health, Said | None]:
    since = health.failing_since or at
    if health.disabled_at is not None or health.failures < FAILURES_AT_LEAST:
        return health, None
    percent = int((at - since) / disable_after * OVER)
    if percent >= OVER:
        return _disabled(health, at)
    reached = max((level for level in WARNINGS if percent >= level), default=0)
    if reached <= health.warned:
        return health, None
    said = Said(CallbackType.ENDPOINT_FAILING, health.reason, since, reached)
    return health.model_copy(update={"warned": reached, "told": True}), said


def _disabled(health: Health, at: datetime) -> tuple[Health, Said | None]:
    if health.disabled_at is not None:
        return health, None
    after = health.model_copy(update={"disabled_at": at, "warned": OVER, "told": True})
    kind = CallbackType.ENDPOINT_DISABLED
    return after, Said(kind, health.reason, health.failing_since, OVER)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
