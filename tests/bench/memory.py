"""How much memory does an idle worker take, and how much of the store a live meeting?"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

import psutil
from redis.asyncio import Redis

from tests.bench.household import ask, household, rooms, told
from tests.bench.stand import python, running, stand

MEETINGS: Final = 300
IDLE_FOR: Final = 8.0  # seconds
EXPIRE: Final = ("log", "blob", "feed", "calls", "seen", "book", "pace", "places")
"""Rooms of the store that are counted apart: all of them end by themselves."""


async def measure() -> dict[str, Any]:
    """Of a worker with all kinds; of meetings that partners asked for, each with a conference."""
    idle = await _idle_worker()
    async with household() as (home, client):
        connection = await rooms(home)
        await ask(home, 0, connection)
        await told(home, "meeting.provisioned", 1)
        before = await _by_room(client)
        for number in range(1, MEETINGS + 1):
            await ask(home, number, connection)
        await told(home, "meeting.provisioned", MEETINGS + 1)
        await home.rests()
        after = await _by_room(client)
    each = {room: (after[room] - before[room]) / MEETINGS for room in after}
    lasting = sum(size for room, size in each.items() if room.partition(":")[0] not in EXPIRE)
    return {
        "worker_mb": round(idle / 1e6, 1),
        "bytes_per_meeting": round(lasting),
        "raw": {
            "by_room": {room: round(size) for room, size in sorted(each.items()) if size >= 1},
            "meetings": MEETINGS,
        },
    }


async def _idle_worker() -> int:
    with stand() as place:
        async with running(*python("workers"), **place.environment) as worker:
            await asyncio.sleep(IDLE_FOR)
            return int(psutil.Process(worker.pid).memory_info().rss)


async def _by_room(client: Redis) -> Counter[str]:
    """Bytes by the kind of key: `doc:meeting`, `index`, `log:timeline` …"""
    sizes: Counter[str] = Counter()
    async for key in client.scan_iter(count=1000):
        size = await client.memory_usage(key, samples=0)
        name = key.decode().partition("}:")[2] or key.decode()
        room, _, rest = name.partition(":")
        kind = rest.partition("/")[0].partition(":")[0]
        sizes[f"{room}:{kind}"] += size or 0
    return sizes
