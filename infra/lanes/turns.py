"""Which tenants have something due, who is told, and who waits for it?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from infra import keys
from infra.errors import StoreAway, TryLater
from infra.functions import command
from infra.functions.calls import Answer, Calls
from infra.lanes.committing import milliseconds
from infra.lanes.words import Kind
from infra.points import point
from infra.valkey import AWAY

FALLBACK: Final = timedelta(seconds=1)  # how late a tenant is looked at when its visitor dies
LONGEST_WAIT: Final = timedelta(seconds=1)  # a blocking read never outlasts its socket (ENGINE 17)
BELL: Final = timedelta(seconds=10)

Doorbell = Callable[[Kind], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Turn:
    """The tenants whose turn it is, each with the mark of this visit."""

    due: int
    visits: Mapping[str, bytes]


class Turns:
    """The index `turn:<kind>`: a hint, written behind what it hints at (ENGINE 1)."""

    def __init__(self, calls: Calls, waiting: Redis, doorbell: Doorbell | None) -> None:
        self._calls = calls
        self._waiting = waiting
        self._doorbell = doorbell
        self._ringing: set[asyncio.Task[None]] = set()
        self._next: dict[Kind, float] = {}
        self._settling: dict[Kind, asyncio.Future[Answer]] = {}
        self._rung: dict[Kind, str] = {}

    async def aclose(self) -> None:
        """Finish ringing."""
        for task in tuple(self._ringing):
            await task

    def ring(self, kind: Kind, tenants: Mapping[str, int]) -> asyncio.Future[Answer]:
        """Tell that tenants have work, each in so many ms. To be sent right behind the work."""
        words: list[str | int] = [milliseconds(BELL)]
        for tenant, delay in tenants.items():
            words += [tenant, delay]
        places = [keys.turn(kind), keys.ring(kind), keys.duty(kind), keys.bell(kind)]
        told = self._calls.send("ring", places, words)
        told.add_done_callback(lambda answer: self._hear(kind, answer))
        return told

    def _hear(self, kind: Kind, told: asyncio.Future[Answer]) -> None:
        """A ring that failed costs a look of at most 2 s; one that found nobody rings on."""
        if told.cancelled() or told.exception() is not None or told.result() != 1:
            return
        if self._doorbell is not None:
            task = asyncio.ensure_future(self._ring_doorbell(kind, self._doorbell))
            self._ringing.add(task)
            task.add_done_callback(self._ringing.discard)

    @staticmethod
    async def _ring_doorbell(kind: Kind, doorbell: Doorbell) -> None:
        with suppress(TryLater):  # a cron rings again what is still unattended (DESIGN §5)
            await doorbell(kind)

    async def take(self, kind: Kind, most: int) -> Turn:
        """Whose turn it is. Raises StoreAway."""
        answer = await self._calls.call("turns", [keys.turn(kind)], [most, milliseconds(FALLBACK)])
        self._note(kind, answer[1])
        names = [tenant.decode() for tenant in answer[2::2]]
        return Turn(answer[0], dict(zip(names, answer[3::2], strict=True)))

    def settle(
        self, kind: Kind, visits: Mapping[str, bytes], due: Mapping[str, int]
    ) -> asyncio.Future[Answer]:
        """End visits: each tenant is due again in so many ms, -1 never, unless someone rang."""
        words: list[str | bytes | int] = []
        for tenant, delay in due.items():
            words += [tenant, visits[tenant], delay]
        settled = self._calls.send("settle", [keys.turn(kind)], words)
        settled.add_done_callback(lambda answer: self._settled(kind, answer))
        self._settling[kind] = settled
        return settled

    def _settled(self, kind: Kind, settled: asyncio.Future[Answer]) -> None:
        if not settled.cancelled() and settled.exception() is None:
            self._note(kind, settled.result())

    def _note(self, kind: Kind, delay: int) -> None:
        longest = LONGEST_WAIT.total_seconds()
        wait = longest if delay < 0 else min(delay / 1000, longest)
        self._next[kind] = time.monotonic() + wait

    async def wait(self, kind: Kind, at_most: timedelta) -> None:
        """Return when a lane of this kind may be due: its time came, or somebody rang."""
        if (settling := self._settling.pop(kind, None)) is not None:
            await asyncio.wait([settling])  # it knows how long there is nothing to take
        until = self._next.get(kind, 0.0) - time.monotonic()
        # Rounded down by half a millisecond it would be 0, which blocks for ever.
        span = round(min(until, at_most.total_seconds(), LONGEST_WAIT.total_seconds()), 3)
        if span <= 0:
            return
        async with point("store.wait", before=StoreAway, after=StoreAway):
            try:
                rung = await command(self._waiting, "BRPOP", keys.ring(kind), span)
            except AWAY as error:
                raise StoreAway(f"the store does not answer: {error}") from error
        if isinstance(rung, tuple | list):  # None: nobody did
            self._rung[kind] = rung[1].decode()

    def rung(self, kind: Kind) -> str | None:
        """The tenant whose ring ended the last wait; asked once. A ring is a hint, as ever: another
        process may have been there already."""
        return self._rung.pop(kind, None)
