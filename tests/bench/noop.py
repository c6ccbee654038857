"""One worker process that has nothing to do per item: `python -m tests.bench.noop`.

Reads {"items", "tenants"} from stdin: fills that many lanes, then works them as any worker does, by
arq terms, claims and commits, and answers with one JSON line. With no items it helps with what is
there until it is told to stop.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from typing import Final

import uvloop

from infra import telemetry
from infra.lanes import Claimed, Item, Lane, Post, Unit
from infra.settings import Settings
from infra.store import Store, open_store
from workers.main import Work, run
from workers.runtime import Runtime

BODY: Final = b"x" * 32


class Counting:
    """Handles items by counting them, and asks the process to leave after the last one."""

    def __init__(self, items: int) -> None:
        self._left = items
        self.began = 0.0
        self.busy_before = 0.0
        self.seconds = 0.0
        self.busy = 0.0

    async def handle(self, claimed: Claimed, _: Runtime) -> Unit:
        """Nothing. A second run does nothing again."""
        if not self.began:
            self.began, self.busy_before = time.perf_counter(), processor()
        self._left -= len(claimed.items)
        if self._left == 0:
            self.seconds = time.perf_counter() - self.began
            self.busy = processor() - self.busy_before
            os.kill(os.getpid(), signal.SIGTERM)
        return Unit(handled=[item.id for item in claimed.items])


def processor() -> float:
    """Processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def fill(store: Store, items: int, tenants: int) -> None:
    """One item in each of so many lanes, spread over the tenants."""
    names = [f"t{number}" for number in range(tenants)]
    for tenant in names:
        await store.register.add(tenant)
    for start in range(0, items, 1000):
        posts = [
            Post(Lane(names[n % tenants], "meeting", f"m{n}"), Item(f"i{n}", BODY))
            for n in range(start, min(items, start + 1000))
        ]
        await asyncio.gather(*(store.lanes.post(post) for post in posts))


async def measure(items: int, tenants: int) -> dict[str, float]:
    """Fill, work, and say how fast it went."""
    settings = Settings.load()
    telemetry.configure(settings, "worker", out=sys.stderr)
    async with open_store(settings) as store:
        await fill(store, items, tenants)
    counting = Counting(items)
    await run(settings, [Work("provision_meetings", "meeting", counting.handle)])
    if not items:
        return {}
    return {"per_second": items / counting.seconds, "cpu_us": 1e6 * counting.busy / items}


if __name__ == "__main__":
    job = json.loads(sys.stdin.readline())
    print(json.dumps(uvloop.run(measure(job["items"], job["tenants"]))))
