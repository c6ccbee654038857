"""A line to the store that is cut, once, where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from hiredis import pack_command
from redis.asyncio import Redis

from tests.store.through import through


class Cutter:
    """Passes bytes to the store and back; cuts at the first request that holds `words`.

    `before` the store sees it, or `after` it did and its answer is on the way. What it `forgets`
    is deleted with the cut.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self.words = b""
        self.when: Literal["before", "after"] = "after"
        self.forgets: Sequence[str] = ()
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(self._store))
        try:
            while request := await reader.read(1 << 20):
                cut = bool(self.words) and self.words in request
                if cut:
                    self.words, self.cuts = b"", self.cuts + 1
                if cut and self.when == "before":
                    break
                back.write(request)
                answer = await there.read(1 << 20)
                if cut and self.forgets:
                    forgotten = ("DEL", *self.forgets)
                    back.write(pack_command(forgotten))  # type: ignore[arg-type]  # its stub: one
                    await there.read(1 << 20)
                if cut or not answer:
                    break
                writer.write(answer)
        finally:
            back.close()
            writer.close()


@asynccontextmanager
async def cutting(store: Path, place: Path) -> AsyncIterator[tuple[Cutter, Redis]]:
    """A cutter in front of the store, and a client that goes through it."""
    cutter = Cutter(store)
    try:
        async with through(cutter.serve, place) as client:
            yield cutter, client
    finally:
        await asyncio.sleep(0.01)  # the cutter's own tasks see the end of their lines
