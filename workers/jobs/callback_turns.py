"""May the head of a lane go out now? Endpoints hold, limits reserve a place, retries wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from infra.lanes import Claimed, Unit
from schemas.endpoints import Endpoint, Health
from schemas.items import Announced
from workers.jobs.callback_request import Delivery
from workers.runtime import NotYet, Runtime

HOLD_FOR: Final = timedelta(minutes=5)
"""A gate that is closed because of a state opens by itself, so that no crash can leave it closed
for ever; the first lanes behind it see the state and close it again."""
LINGER: Final = timedelta(milliseconds=200)
"""A place that is free so soon is waited for; for a later one the lane is given back."""
PACED: Final = "paced"
"""Timer of a lane: the moment that the endpoint's rate has reserved for it."""
RESERVED_FOR: Final = timedelta(minutes=1)
"""A place that was not taken for so long, behind a closed gate, is asked for anew."""
RETRIES_WAIT: Final = timedelta(milliseconds=500)


async def hold(runtime: Runtime, tenant: str, endpoint: Endpoint, state: str) -> NotYet:
    """Close the endpoint's gate; what lies in its lanes stays there, and no attempt is counted."""
    reason = f"the endpoint is {state}"
    await runtime.store.lanes.close_gate(tenant, endpoint.group, HOLD_FOR, reason)
    return NotYet(reason)


def retries_have_room(claimed: Claimed, runtime: Runtime) -> bool:
    """Whether a lane that failed before may go now: half of the slots are for fresh ones."""
    most = max(1, runtime.settings.slots["callback"] // 2)
    return not claimed.failures or len(runtime.retrying) < most


async def take_place(claimed: Claimed, runtime: Runtime, delivery: Delivery) -> None:
    """Wait for the place that the endpoint's rate gives. Raises NotYet when that is later."""
    rate, burst = rate_of(delivery.endpoint, delivery.health, delivery.said)
    if rate is None or _reserved(claimed, runtime.now()):
        return
    wait = await runtime.store.quotas.pace(
        delivery.tenant,
        f"callbacks/{delivery.endpoint.id}",
        every=timedelta(seconds=1 / rate),
        burst=burst,
    )
    if wait <= LINGER:
        await asyncio.sleep(wait.total_seconds())
        return
    await runtime.save(claimed, Unit(timers={PACED: wait}))
    raise NotYet("the endpoint's rate gives it a later place", after=wait)


def rate_of(endpoint: Endpoint, health: Health | None, said: Announced) -> tuple[float | None, int]:
    """How many attempts a second may be made, and how many at once after a rest: its own limit,
    what its owner allowed in the handshake, and for what was held the rate chosen when it was
    enabled, evenly. None is no limit."""
    resume = endpoint.resume
    held = resume is not None and said.at is not None and said.at < resume.at
    rates = (
        endpoint.rate_per_s,
        health.allowed_rate_per_s if health and endpoint.challenge else None,
        resume.rate_per_s if resume and held else None,
    )
    rate = min((rate for rate in rates if rate is not None), default=None)
    return rate, 1 if held or rate is None else max(1, int(rate))


def _reserved(claimed: Claimed, now: datetime) -> bool:
    at = claimed.fired.get(PACED)
    return at is not None and now - datetime.fromtimestamp(at / 1000, UTC) < RESERVED_FOR
