"""Who waits for an answer? One stream per web process says which request has one (ENGINE 32)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from infra import keys
from infra.errors import StoreAway
from infra.functions import command
from infra.functions.calls import Answer, Calls
from infra.lanes.committing import milliseconds
from infra.points import point
from infra.valkey import AWAY

KEEP: Final = timedelta(seconds=60)
BLOCK: Final = timedelta(seconds=1)
AGAIN: Final = timedelta(milliseconds=250)
MOST: Final = 100


class Answers:
    """Rings for processes that wait; the answer itself is a document."""

    def __init__(self, calls: Calls, waiting: Redis) -> None:
        self._calls = calls
        self._waiting = waiting

    async def ring(self, process: str, request: str) -> None:
        """Tell a process that the request has its answer. A second ring does no harm."""
        await self._calls.call("answer", [keys.answers(process)], [milliseconds(KEEP), request])

    async def follow(self, process: str) -> AsyncIterator[str]:
        """Requests of this process that have an answer, as they come, for ever.

        While the store is away it waits; what was rung meanwhile comes when it is back.
        """
        place, last = keys.answers(process), b"0"
        while True:
            for id_, fields in await self._next(place, last):
                last = id_
                yield fields[b"request"].decode()

    async def _next(self, place: str, last: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
        words = ("COUNT", MOST, "BLOCK", milliseconds(BLOCK), "STREAMS", place, last)
        try:
            async with point("store.answers", before=StoreAway, after=StoreAway):
                streams: Answer = await command(self._waiting, "XREAD", *words)
        except (*AWAY, StoreAway):
            await asyncio.sleep(AGAIN.total_seconds())
            return []
        return [entry for _, entries in streams or () for entry in entries]
