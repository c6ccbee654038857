"""How much may a host, or an account per second, still do?

https://developers.zoom.us/docs/api/rate-limits/
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from infra.sandbox.calls import Headers
from infra.sandbox.clock import Clock
from infra.sandbox.zoom.errors import PER_DAY, PER_SECOND, refuse

Weight = Literal["Light", "Medium", "Heavy"]
_PER_SECOND: dict[str, dict[str, int]] = {
    "free": {"Light": 4, "Medium": 2, "Heavy": 1},
    "pro": {"Light": 30, "Medium": 20, "Heavy": 10},
    "business": {"Light": 80, "Medium": 60, "Heavy": 40},
}


class Quota:
    """Counts writes per host and day (UTC) and calls per account and second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._day = ""
        self._writes: Counter[str] = Counter()
        self._second = 0
        self._calls: Counter[str] = Counter()

    def writes(self, host: str) -> int:
        """Return how many creates and updates a host has used today."""
        self._turn()
        return self._writes[host]

    def use(self, host: str, writes: int) -> None:
        """Count writes of a host as if they had been made."""
        self._turn()
        self._writes[host] += writes

    def demand_write(self, host: str, limit: int) -> None:
        """Count one create or update of a host; 429 with the daily text beyond the limit.

        This one comes without X-RateLimit-Type and Retry-After (devforum 18928).
        """
        if self.writes(host) >= limit:
            raise refuse(429, 429, PER_DAY)
        self._writes[host] += 1

    def demand_call(self, account: str, plan: str, weight: Weight, *, enforce: bool) -> Headers:
        """Count one call of an account; returns the headers that tell what is left."""
        limit = _PER_SECOND.get(plan, _PER_SECOND["pro"])[weight]
        second = int(self._clock.now().timestamp())
        if second != self._second:
            self._second = second
            self._calls.clear()
        key = f"{account}/{weight}"
        self._calls[key] += 1
        headers = [
            (b"x-ratelimit-category", weight.encode()),
            (b"x-ratelimit-type", b"QPS"),
            (b"x-ratelimit-limit", str(limit).encode()),
            (b"x-ratelimit-remaining", str(max(limit - self._calls[key], 0)).encode()),
        ]
        if enforce and self._calls[key] > limit:
            raise refuse(429, 429, PER_SECOND, headers)
        return headers

    def _turn(self) -> None:
        today = self._clock.now().date().isoformat()
        if today != self._day:
            self._day = today
            self._writes.clear()
