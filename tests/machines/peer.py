"""A server at the other end of the wire that behaves as told and remembers what it read."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Play = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    port: int = 0
    lines: int = 0
    """Connections accepted."""
    closed: int = 0
    """Connections that are over."""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    read: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a whole request has been read."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?secret=hunter2"

    async def until_closed(self, lines: int) -> None:
        async with asyncio.timeout(10):
            while self.closed < lines:  # noqa: ASYNC110  polled by many plays
                await asyncio.sleep(0.01)


def says(status: str = "200 OK", headers: str = "", body: bytes = b"{}") -> Play:
    async def play(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return play


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@asynccontextmanager
async def peer(
    *plays: Play,
    greets: Play | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Peer]:
    """Serve requests with `plays` in turn, the last one for ever; `greets` before reading any."""
    known = Peer()
    turns = list(plays)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known.lines += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if greets is not None:
                await greets(writer)
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lengths = [
                    int(line.split(":")[1])
                    for line in head.splitlines()
                    if line.lower().startswith("content-length:")
                ]
                known.heads.append(head)
                known.bodies.append(await reader.readexactly(sum(lengths)))
                known.read.set()
                await (turns.pop(0) if len(turns) > 1 else turns[0])(writer)

    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def run() -> None:
            try:
                await serve(reader, writer)
            finally:
                writer.close()
                known.closed += 1

        tasks.add(asyncio.create_task(run()))

    server = await asyncio.start_server(accept, host, port, ssl=tls)
    known.port = server.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
