"""What do more processes bring on this machine, and how many does an installation need?

One, two and four workers with no-op items, one and two receivers under load. Then the model: what
each hop costs in processor time, from which the sizing table of ARCHITECTURE is made.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any, Final

from infra.cli.ports import free_ports
from infra.lanes import Lanes
from infra.settings import for_child
from infra.store import open_store
from tests.bench import door
from tests.bench.noop import fill
from tests.bench.stand import (
    Stand,
    busy,
    listening,
    load_average,
    python,
    running,
    stand,
)

WORKERS: Final = (1, 2, 4)
RECEIVERS: Final = (1, 2)
ITEMS: Final = 12_000
TENANTS: Final = 50
"""Workers share a store's tenants; with one alone they would take turns at it."""


async def measure() -> dict[str, Any]:
    """Rates by number of processes, and processor time of each kind for one."""
    with stand() as place:
        workers = {str(count): await _workers(place, count) for count in WORKERS}
        await place.clear()
        async with open_store(place.settings) as store:
            path = await door.furnish(place, store)
        receivers = {str(count): await _receivers(place, path, count) for count in RECEIVERS}
    return {"raw": {"workers": workers, "receivers": receivers, "load": load_average()}}


async def _workers(place: Stand, count: int) -> dict[str, float]:
    """So many processes on the same lanes: each is told to stop when nothing is left."""
    await place.clear()
    async with open_store(place.settings) as store:
        await fill(store, ITEMS, TENANTS)
        before = place.store_seconds()
        began = asyncio.get_running_loop().time()
        processes = [await _helper(place) for _ in range(count)]
        await _worked_off(store.lanes)
        seconds = asyncio.get_running_loop().time() - began
        spent = sum(busy(process.pid) for process in processes)
        store_us = 1e6 * (place.store_seconds() - before) / ITEMS
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
    return {
        "per_second_with_start": round(ITEMS / seconds),
        "workers_us": round(1e6 * spent / ITEMS),
        "store_us": round(store_us),
    }


async def _helper(place: Stand) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *python("tests.bench.noop"),
        env=for_child(place.environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"items": 0, "tenants": 0}).encode() + b"\n")
    await process.stdin.drain()
    return process


async def _worked_off(lanes: Lanes) -> None:
    names = [f"t{number}" for number in range(TENANTS)]
    async with asyncio.timeout(300):
        while True:
            load = (await lanes.look(names))["meeting"]
            if load.due + load.held == 0:
                return
            await asyncio.sleep(0.1)


async def _receivers(place: Stand, path: str, count: int) -> dict[str, float]:
    """So many processes, each under a load of its own at the same time."""
    ports = free_ports(count)
    async with AsyncExitStack() as stack:
        served = []
        for port in ports:
            environment = place.environment | {"TIELINE_RECEIVER_PORT": str(port)}
            process = await stack.enter_async_context(
                running(*python("webhooks.receiver"), **environment)
            )
            await listening(port)
            served.append(door.Served(port, process.pid))
        found = await asyncio.gather(*(door.load(place, path, each) for each in served))
    return {
        "per_second": round(sum(each["per_second"] for each in found)),
        "receiver_us": round(sum(each["cpu_us"] for each in found) / count),
    }
