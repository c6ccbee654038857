"""A line to the store on which a request stays under way for long, as to a store that is frozen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from tests.store.through import through


class Late:
    """Passes bytes to the store and back; the first request that says `words`, and what follows it
    on its line, waits until it may `arrive`, though whoever asked has hung up meanwhile."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._lines: set[asyncio.Task[None]] = set()
        self.words = b""
        self.sent = asyncio.Event()
        self.arrive = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.ensure_future(self._serve(reader, writer))
        self._lines.add(line)
        await line

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(self._store))
        answering = asyncio.create_task(self._answer(there, writer))
        while request := await reader.read(1 << 20):
            if self.words and self.words in request and not self.sent.is_set():
                self.sent.set()
                await self.arrive.wait()
            back.write(request)
        back.write_eof()
        await answering
        back.close()
        writer.close()

    @staticmethod
    async def _answer(there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answer := await there.read(1 << 20):
            writer.write(answer)

    async def ended(self) -> None:
        self.arrive.set()
        await asyncio.gather(*self._lines)


@asynccontextmanager
async def late(store: Path, place: Path) -> AsyncIterator[tuple[Late, Redis]]:
    """Such a line, and a client that goes through it."""
    line = Late(store)
    try:
        async with through(line.serve, place) as client:
            yield line, client
    finally:
        await line.ended()
