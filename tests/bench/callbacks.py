"""How many signed callbacks a second does one worker deliver to ten fast endpoints?

Ours is `python -m workers` as it runs everywhere: signed, guarded, each attempt logged and kept
before the next. In turns, on the same store and to the same partner: BullMQ and fetch, signed,
each attempt a line in a log. The partner counts and takes the time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from infra import embedded
from infra.cli.ports import free_ports
from tests.bench.node import peer, peers
from tests.bench.stand import (
    ROUNDS,
    Stand,
    busy,
    listening,
    load_average,
    middle,
    python,
    running,
    stand,
)
from tests.workers.stage import Stage
from workers.main import open_runtime

ENDPOINTS: Final = 10
MEETINGS: Final = 300
CALLBACKS: Final = ENDPOINTS * MEETINGS
CONCURRENCY: Final = 100
DONE_WITHIN: Final = 300  # seconds


class Partner:
    """Ten endpoints in one process that count what comes."""

    def __init__(self, ports: list[int]) -> None:
        self.urls = [f"http://127.0.0.1:{port}/callbacks/{port}" for port in ports]
        self._figures = f"http://127.0.0.1:{ports[0]}"

    async def reset(self) -> None:
        """Count from here."""
        async with httpx.AsyncClient() as http:
            await http.get(f"{self._figures}/reset")

    async def heard(self, count: int) -> float:
        """Wait for so many; how many came a second."""
        async with httpx.AsyncClient() as http, asyncio.timeout(DONE_WITHIN):
            while True:
                found = (await http.get(f"{self._figures}/figures")).json()
                if found["count"] >= count:
                    return float((found["count"] - 1) / (found["seconds"] or 1.0))
                await asyncio.sleep(0.1)

    async def waits(self) -> dict[str, float]:
        """How old callbacks were when they came: `p50_ms` and `p99_ms`."""
        async with httpx.AsyncClient() as http:
            found = (await http.get(f"{self._figures}/figures")).json()
        return {name: float(found[name]) for name in ("p50_ms", "p99_ms")}


@asynccontextmanager
async def partner(*, waits: bool = False) -> AsyncIterator[Partner]:
    """A process that plays ten endpoints, and takes the time from each announcement if asked to."""
    ports = free_ports(ENDPOINTS)
    words = [*(["--waits"] if waits else []), *map(str, ports)]
    async with running(*python("tests.bench.sink", *words)):
        await asyncio.gather(*map(listening, ports))
        yield Partner(ports)


async def measure() -> dict[str, Any]:
    """Medians of rounds in turns."""
    with stand() as place:
        async with partner() as ten:
            rounds = [await _round(place, ten) for _ in range(ROUNDS)]
    ratio = None
    if "bullmq, fetch" in rounds[0]:
        ratio = middle(
            each["ours"]["per_second"] / each["bullmq, fetch"]["per_second"] for each in rounds
        )
    return {
        "ratio_bullmq": ratio,
        "raw": {
            **{
                figure: {
                    who: middle((each[who][figure] for each in rounds), 0) for who in rounds[0]
                }
                for figure in ("per_second", "cpu_us", "store_us")
            },
            "callbacks": CALLBACKS,
            "bullmq": {"concurrency": CONCURRENCY, "attempts": 10, "removeOnComplete": True},
            "load": load_average(),
        },
    }


async def _round(place: Stand, ten: Partner) -> dict[str, dict[str, float]]:
    found = {"ours": await ours(place, ten)}
    if peers():
        found["bullmq, fetch"] = await _bullmq(place, ten)
    return found


async def ours(place: Stand, ten: Partner) -> dict[str, float]:
    """One worker process, from an outbox that is full."""
    await place.clear()
    await fill(place, ten.urls, MEETINGS)
    await ten.reset()
    store_before = place.store_seconds()
    async with running(*python("workers"), **place.environment) as worker:
        return await _worked(place, ten, worker.pid, store_before)


async def fill(place: Stand, urls: list[str], meetings: int) -> None:
    """Announce something about so many meetings to all endpoints."""
    async with open_runtime(place.settings) as runtime:
        stage = Stage(runtime, "bench")
        await runtime.store.register.add(stage.tenant)
        for url in urls:
            await stage.endpoint(url)
        for _ in range(meetings):
            await stage.announce(await stage.meeting())


async def _bullmq(place: Stand, ten: Partner) -> dict[str, float]:
    await place.clear()
    socket = str(embedded.socket_of(place.settings.data_dir))
    process = await asyncio.create_subprocess_exec(
        *peer("callbacks.mjs", socket, str(CONCURRENCY)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    job = {"urls": ten.urls, "bodies": [BODY] * MEETINGS, "secret": "c2VjcmV0" * 4}
    process.stdin.write(json.dumps(job).encode() + b"\n")
    await process.stdout.readline()  # it is filled
    await ten.reset()
    store_before = place.store_seconds()
    process.stdin.write(b"go\n")
    found = await _worked(place, ten, process.pid, store_before)
    process.stdin.close()
    await process.wait()
    return found


async def _worked(place: Stand, ten: Partner, pid: int, store_before: float) -> dict[str, float]:
    await ten.heard(1)  # how long a process takes to load is no part of what a callback costs
    before = busy(pid)
    rate = await ten.heard(CALLBACKS)
    return {
        "per_second": rate,
        "cpu_us": 1e6 * (busy(pid) - before) / CALLBACKS,
        "store_us": 1e6 * (place.store_seconds() - store_before) / CALLBACKS,
    }


BODY: Final = json.dumps(
    {
        "id": "cb_abcdefghijklmnopqrst",
        "type": "meeting.provisioned",
        "timestamp": "2025-11-20T12:00:00Z",
        "data": {
            "tenant": "bench",
            "subject": "mtg_000000000000000000000000",
            "sequence": 1,
            "cause": {"by": "calendar", "because": ""},
            "trace_id": "tr_1",
            "meeting": {
                "id": "mtg_000000000000000000000000",
                "title": "Interview",
                "starts_at": "2025-11-20T12:00:00Z",
                "ends_at": "2025-11-20T13:00:00Z",
                "timezone": "UTC",
                "status": "provisioned",
            },
        },
    }
)
