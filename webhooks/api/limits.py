"""How much may a key ask? A bucket of requests for each, kept in the store for all processes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from infra.settings import Settings
from infra.store import Store
from infra.store.quotas import Dry
from schemas.problems import ProblemType
from webhooks.api.auth import Caller
from webhooks.api.problems import Denied


async def draw(caller: Caller, settings: Settings, store: Store) -> Mapping[str, str]:
    """Take one from the bucket of the caller's key; what to tell of it. Raises Denied."""
    rate, size = settings.rate_per_s, settings.rate_burst
    if caller.key is None or rate == 0:
        return {}
    drawn = await store.quotas.draw(caller.tenant, caller.key, size=size, per_second=rate)
    policy = {"RateLimit-Policy": f'"key";q={size};w={math.ceil(size / rate)}'}
    if isinstance(drawn, Dry):
        wait = _seconds(drawn.wait)
        raise Denied(
            ProblemType.RATE_LIMITED,
            f"This key asks too fast: {rate} requests a second, {size} at once after a rest."
            f" Repeat in {wait} s; space requests evenly to hear this no more.",
            headers={**policy, "RateLimit": f'"key";r=0;t={wait}', "Retry-After": str(wait)},
        )
    return {**policy, "RateLimit": f'"key";r={drawn.left};t={_seconds(drawn.full_in)}'}


def _seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))
