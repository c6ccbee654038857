"""A partner that says yes to everything, and the least that a server can be.

`python -m tests.bench.sink PORT [PORT ...]` answers 200 to every request, with as little work as
Python allows. `GET /figures` tells how many POSTs came since `GET /reset`, and in what time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final, cast

import uvloop
from typing_extensions import override

YES: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


class Figures:
    """What came in."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0.0
        self.last = 0.0

    def note(self) -> None:
        """One POST."""
        self.last = time.perf_counter()
        if not self.count:
            self.first = self.last
        self.count += 1

    def tell(self) -> bytes:
        """The answer to /figures."""
        seconds = self.last - self.first
        body = json.dumps({"count": self.count, "seconds": seconds}).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


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
                self._figures.note()
                self._transport.write(YES)
            else:
                if self._rest.startswith(b"GET /reset"):
                    self._figures.count = 0
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


async def serve(ports: list[int]) -> None:
    """Listen until ended."""
    figures = Figures()
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(lambda: Sink(figures), "127.0.0.1", port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    uvloop.run(serve([int(word) for word in sys.argv[1:]]))
