"""A line to the store on which one answer comes late: not before something else was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.functions.calls import Calls
from tests.store.through import through


class Slow:
    """Passes bytes to the store and back; keeps the answer to the first request that says `first`
    until one that says `then` has come."""

    def __init__(self, store: Path, first: bytes, then: bytes) -> None:
        self._store = store
        self._first = first
        self._then = then
        self._may_answer = asyncio.Event()
        self._may_answer.set()
        self.keeps = asyncio.Event()
        self.lines: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.append(asyncio.current_task())
        there, back = await asyncio.open_unix_connection(str(self._store))
        answering = asyncio.create_task(self._answer(there, writer))
        while request := await reader.read(1 << 20):
            if self._then in request:
                self._may_answer.set()
            elif self._first in request and not self.keeps.is_set():
                self._may_answer.clear()
                self.keeps.set()
            back.write(request)
        self._may_answer.set()
        back.close()
        await answering
        writer.close()

    async def _answer(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answer := await there.read(1 << 20):
            await self._may_answer.wait()
            writer.write(answer)


@asynccontextmanager
async def slowed(
    store: Path, place: Path, *, first: bytes, then: bytes
) -> AsyncIterator[tuple[Slow, Calls]]:
    """Calls over such a line."""
    slow = Slow(store, first, then)
    async with through(slow.serve, place) as client:
        calls = Calls(client)
        try:
            yield slow, calls
        finally:
            await calls.aclose()
    await asyncio.gather(*(line for line in slow.lines if line))
