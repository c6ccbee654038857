"""arq as its manual has it, tuned: `python -m tests.bench.peers.plain_arq`.

Reads {"items", "socket", "max_jobs", "poll_delay"} from stdin: enqueues, then works, and answers
with one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop
from arq import Worker, func
from arq.connections import ArqRedis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection

from tests.bench.noop import processor


async def measure(job: dict[str, Any]) -> dict[str, float]:
    """Fill, work, and say how fast it went."""
    items = job["items"]
    pool = ConnectionPool(UnixDomainSocketConnection, path=job["socket"])
    redis = ArqRedis(connection_pool=pool)
    for start in range(0, items, 500):
        numbers = range(start, min(items, start + 500))
        await asyncio.gather(*(redis.enqueue_job("noop", f"m{n}", "x" * 32) for n in numbers))
    done = 0
    began = before = seconds = used = 0.0

    async def noop(_: dict[Any, Any], *facts: str) -> None:
        nonlocal done, began, before, seconds, used
        if not done:
            began, before = time.perf_counter(), processor()
        done += bool(facts)
        if done == items:
            seconds, used = time.perf_counter() - began, processor() - before

    worker = Worker(
        functions=[func(noop, name="noop", keep_result=0)],  # type: ignore[arg-type]  # its protocol is narrower
        redis_pool=redis,
        max_jobs=job["max_jobs"],
        poll_delay=job["poll_delay"],
        keep_result=0,
        burst=True,
        handle_signals=False,
        log_results=False,
    )
    await worker.async_run()
    await worker.close()
    return {"per_second": items / seconds, "cpu_us": 1e6 * used / items}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(measure(json.loads(sys.stdin.readline())))))
