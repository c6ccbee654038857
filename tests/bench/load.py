"""How fast does a server answer? A small client of its own process: `python -m tests.bench.load`.

Reads one JSON job from stdin, answers with one JSON line. Keep-alive connections, one request at a
time on each; closed loop without `rate`, else paced, and late starts count as waiting.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

import uvloop
from typing_extensions import override

from tests.bench.sink import whole


class Job(TypedDict):
    """What to send: `requests` is a file of whole HTTP requests, each led by its length."""

    port: int
    requests: str
    connections: int
    seconds: float
    rate: float | None


class Result(TypedDict):
    """What came back. Latencies in milliseconds, only of the paced kind comparable with a goal."""

    per_second: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]


class _Line(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], pace: _Pace) -> None:
        self._requests = requests
        self._pace = pace
        self._since = 0.0
        self._heard = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._pace.next(self)

    @override
    def data_received(self, data: bytes) -> None:
        # Servers may send head and body apart: half an answer counted as one would double a rate.
        self._heard += data
        size = whole(self._heard)
        if size is None:
            return
        status, self._heard = self._heard[9:12], self._heard[size:]
        self._pace.answered(status, time.perf_counter() - self._since)
        self._pace.next(self)

    def send(self, since: float) -> None:
        request = next(self._requests, None)
        if request is None:
            self._pace.exhausted = True
            return
        self._since = since
        assert self._transport is not None
        self._transport.write(request)


class _Pace:
    def __init__(self, job: Job) -> None:
        self._loop = asyncio.get_running_loop()
        self._gap = job["connections"] / job["rate"] if job["rate"] else 0.0
        self._due: dict[_Line, float] = {}
        self.began = time.perf_counter()
        self.until = self.began + job["seconds"]
        self.waits: list[float] = []
        self.statuses: Counter[bytes] = Counter()
        self.exhausted = False

    def next(self, line: _Line) -> None:
        now = time.perf_counter()
        if now >= self.until:
            return
        if not self._gap:
            line.send(now)
            return
        offset = len(self._due) / 64 * self._gap if line not in self._due else 0.0
        due = self._due[line] = self._due.get(line, now + offset) + self._gap
        self._loop.call_later(max(0.0, due - now), line.send, due)

    def answered(self, status: bytes, waited: float) -> None:
        self.statuses[status] += 1
        self.waits.append(waited)


def _requests(path: str) -> Iterator[bytes]:
    raw = memoryview(Path(path).read_bytes())
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        yield bytes(raw[at + 4 : at + 4 + size])
        at += 4 + size


async def run(job: Job) -> Result:
    """Load the server as the job says."""
    loop = asyncio.get_running_loop()
    requests = _requests(job["requests"])
    pace = _Pace(job)
    lines = [
        await loop.create_connection(lambda: _Line(requests, pace), "127.0.0.1", job["port"])
        for _ in range(job["connections"])
    ]
    while time.perf_counter() < pace.until and not pace.exhausted:  # noqa: ASYNC110  a clock
        await asyncio.sleep(0.02)
    took = time.perf_counter() - pace.began
    await asyncio.sleep(0.2)
    for transport, _ in lines:
        transport.close()
    waits = sorted(pace.waits)
    return Result(
        per_second=len(waits) / took,
        p50_ms=1000 * waits[len(waits) // 2],
        p99_ms=1000 * waits[len(waits) * 99 // 100],
        statuses={status.decode(): count for status, count in pace.statuses.items()},
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(run(json.load(sys.stdin)))))
