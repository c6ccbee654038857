"""A partner that says yes to everything, and the least that a server can be.

`python -m tests.bench.sink [--waits] PORT [PORT ...]` answers 200 to every request, with as little
work as Python allows. `GET /figures` tells how many POSTs came since `GET /reset`, and in what
time; with `--waits` also how old they were when they came, by the moment that their bodies tell.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from datetime import datetime
from typing import Final, cast

import uvloop
from typing_extensions import override

YES: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"
TOLD_AT: Final = re.compile(rb'"timestamp":"([^"]+)"')
WAITS: Final = "--waits"


class Figures:
    """What came in."""

    def __init__(self, *, with_waits: bool = False) -> None:
        self.with_waits = with_waits
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.count = 0
        self.first = 0.0
        self.last = 0.0
        self.waits: list[float] = []

    def note(self, request: bytes) -> None:
        """One POST."""
        if self.with_waits and (told := TOLD_AT.search(request)) is not None:
            self.waits.append(time.time() - datetime.fromisoformat(told[1].decode()).timestamp())
        self.last = time.perf_counter()
        if not self.count:
            self.first = self.last
        self.count += 1

    def tell(self) -> bytes:
        """The answer to /figures."""
        seconds = self.last - self.first
        told = {"count": self.count, "seconds": seconds, **self._percentiles()}
        body = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    def _percentiles(self) -> dict[str, float]:
        waits = sorted(self.waits)
        if not waits:
            return {}
        at = {f"p{percent}_ms": waits[len(waits) * percent // 100] for percent in (50, 99)}
        return {name: round(1000 * wait, 2) for name, wait in at.items()}


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    @override
    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._rest += data
        while (size := whole(self._rest)) is not None:
            if self._rest.startswith(b"POST"):
                self._figures.note(self._rest[:size])
                self._transport.write(YES)
            else:
                if self._rest.startswith(b"GET /reset"):
                    self._figures.reset()
                self._transport.write(self._figures.tell())
            self._rest = self._rest[size:]


def whole(data: bytes) -> int | None:
    """The length of the first request, None while it is not all there."""
    head = data.find(END)
    if head < 0:
        return None
    at = data[:head].lower().find(LENGTH)
    body = int(data[at + len(LENGTH) : head].split(b"\r", 1)[0]) if at >= 0 else 0
    size = head + len(END) + body
    return size if len(data) >= size else None


async def serve(ports: list[int], *, with_waits: bool) -> None:
    """Listen until ended."""
    figures = Figures(with_waits=with_waits)
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(lambda: Sink(figures), "127.0.0.1", port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    words = sys.argv[1:]
    named = [int(word) for word in words if word != WAITS]
    uvloop.run(serve(named, with_waits=WAITS in words))
