"""What does one change in a calendar cost at each hop, from the push to the partner's callback?

Processor time of receiver, worker and store for an event that is moved: a hint, a reading, a change
at Zoom, a callback, each alone, so nothing is saved by doing many at once. What the processes spend
while nothing happens is measured first and taken off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from redis.asyncio import Redis

from tests.bench.growth import family
from tests.bench.household import household
from tests.bench.stand import busy, load_average
from tests.e2e.household import Household, tomorrow

MOVES: Final = 70
WARM_UP: Final = 20
"""Together fewer than the 100 changes that Zoom allows a person in a day."""
IDLE: Final = 10.0  # seconds
WHO: Final = ("receiver", "worker", "valkey")


async def measure() -> dict[str, Any]:
    """Microseconds of each process for one change, and bytes of the append-only file."""
    async with household(settings={"TIELINE_LOG_LEVEL": "warning"}) as (home, client):
        event, _ = await home.provisioned()
        for number in range(WARM_UP):
            await _move(home, event.id, number)
        idle = await _idle(home)
        before, written, began = _spent(home), await _written(client), time.monotonic()
        for number in range(MOVES):
            await _move(home, event.id, number)
        took, spent = time.monotonic() - began, _spent(home)
        written = await _written(client) - written
    return {
        "raw": {
            "us": {
                who: round(1e6 * (spent[who] - before[who] - took * idle[who]) / MOVES)
                for who in WHO
            },
            "idle_ms_per_s": {who: round(1e3 * idle[who], 1) for who in WHO},
            "written_bytes": round(written / MOVES),
            "moves": MOVES,
            "load": load_average(),
        }
    }


async def _move(home: Household, event: str, number: int) -> None:
    before = len(home.partner.heard)
    await home.sandbox.google.move_event(home.calendar, event, starts=tomorrow(1 + number % 5))
    await home.hears("meeting.rescheduled", after=before)


async def _idle(home: Household) -> Mapping[str, float]:
    """Processor seconds that each spends in a second in which nothing is to do."""
    await home.rests()
    before = _spent(home)
    await asyncio.sleep(IDLE)
    return {who: (spent - before[who]) / IDLE for who, spent in _spent(home).items()}


def _spent(home: Household) -> dict[str, float]:
    running = home.house.processes.running
    return {who: sum(busy(pid) for pid in family(running[who].pid)) for who in WHO}


async def _written(client: Redis) -> int:
    facts = await client.info("persistence")
    return int(facts["aof_current_size"])
