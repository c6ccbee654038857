"""Does a meeting cost more when a million others are stored?

A partner asks for meetings over the API, a worker provisions them and tells the partner: processor
time of API, worker and store for each, with few and with many meetings in the store.
"""

from __future__ import annotations

from typing import Any, Final

import psutil
from redis.asyncio import Redis

from tests.bench.household import ask, household, rooms, told
from tests.bench.stand import busy
from tests.e2e.household import Household

FEW: Final = 10_000
MANY: Final = 1_000_000
ASKED: Final = 400
SLICE: Final = 2_000
DOCUMENTS: Final = ("ask", "meeting")


async def measure() -> dict[str, Any]:
    """The cost of one with many stored, over that with few."""
    async with household(settings={"TIELINE_LOG_LEVEL": "warning"}) as (home, client):
        connection = await rooms(home)
        await ask(home, 0, connection)
        await told(home, "meeting.provisioned", 1)
        await home.rests()
        await _store(home, client, connection, 0, FEW)
        await _cost(home, connection, 1)  # whatever is loaded on first use is loaded now
        few = await _cost(home, connection, 1 + ASKED)
        await _store(home, client, connection, FEW, MANY)
        many = await _cost(home, connection, 1 + 2 * ASKED)
        kept = await client.info("memory")
    costs = {who: [round(few[who]), round(many[who])] for who in few}
    return {
        "ratio": round(sum(many.values()) / sum(few.values()), 2),
        "raw": {
            "us_with_few_and_many": costs,
            "meetings": [FEW, MANY],
            "store_mb": round(kept["used_memory"] / 1e6),
        },
    }


async def _store(home: Household, client: Redis, connection: str, since: int, until: int) -> None:
    """Copies of the meeting that is there, under ids of their own, with their rows."""
    keys = [key async for key in client.scan_iter(match="*:doc:meeting:*", count=1000)]
    name = keys[0].decode().rpartition(":")[2]
    bodies = {of: await client.get(_key(home, of, name)) for of in DOCUMENTS}
    ledger = f"{{{home.tenant}}}:index:ledger:{connection}"
    for start in range(since, until, SLICE):
        pipeline = client.pipeline(transaction=False)
        for number in range(start, min(until, start + SLICE)):
            other = f"mtg_{number:024d}"
            for of, body in bodies.items():
                pipeline.set(_key(home, of, other), body.replace(name.encode(), other.encode()))
            pipeline.hset(ledger, f"tl-copy{number:024d}", other)
        await pipeline.execute()


def _key(home: Household, of: str, name: str) -> str:
    return f"{{{home.tenant}}}:doc:{of}:{name}"


async def _cost(home: Household, connection: str, first: int) -> dict[str, float]:
    """Microseconds of each process for one meeting."""
    before = _spent(home)
    heard = home.heard().count("meeting.provisioned")
    for number in range(first, first + ASKED):
        await ask(home, number, connection)
    await told(home, "meeting.provisioned", heard + ASKED)
    return {who: 1e6 * (spent - before[who]) / ASKED for who, spent in _spent(home).items()}


def _spent(home: Household) -> dict[str, float]:
    """Processor seconds so far; the store is the child of the process that keeps it."""
    running = home.house.processes.running
    return {
        who: sum(busy(pid) for pid in family(running[who].pid))
        for who in ("api", "worker", "valkey")
    }


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
