"""Who is on duty in this process, and what keeps them so?"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog
from arq.connections import ArqRedis

from infra import valkey
from infra.ending import end
from infra.errors import StoreAway
from infra.lanes import Kind
from infra.points import point
from workers.hand import HEARTBEAT, Hand
from workers.runtime import Handler, Runtime

log = structlog.get_logger("workers")

STOP_WITHIN: Final = timedelta(seconds=25)
"""Calls in flight may take this long after SIGTERM; no attempt is lost by a deploy."""
TENDING: Final = timedelta(seconds=1)


class Crew:
    """The hands of one process, by the name of their arq function."""

    def __init__(self, runtime: Runtime, hands: Mapping[str, tuple[Kind, Handler]]) -> None:
        self._store = runtime.store
        self._term = timedelta(seconds=runtime.settings.term_s)
        self._hands = {name: Hand(*hand, runtime) for name, hand in hands.items()}
        self._process = f"{os.uname().nodename}/{os.getpid()}/{secrets.token_hex(4)}"
        self.stopping: Final = asyncio.Event()

    async def serve(self, function: str, pool: ArqRedis) -> None:
        """One arq job: one term of one kind."""
        await self._hands[function].serve(self._term, functools.partial(self._call, function, pool))

    async def tend(self, pool: ArqRedis) -> None:
        """Renew leases, show who is on duty, and call a term where none claims (after a crash).
        Either goes on for ever; that one ended, by whatever defect, ends this too."""
        keep = functools.partial(self._keep_on_duty, pool)
        both = [
            asyncio.create_task(_every(HEARTBEAT, self._heartbeat)),
            asyncio.create_task(_every(TENDING, keep)),
        ]
        try:
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*ended)
        finally:
            await asyncio.gather(*(end(task) for task in both), return_exceptions=True)

    def stop(self) -> None:
        """Claim nothing more."""
        self.stopping.set()
        for hand in self._hands.values():
            hand.stop()

    async def finish(self) -> None:
        """Finish what is under way, within `STOP_WITHIN`; give the rest back untouched, and let
        nobody count on this process any more."""
        hands = self._hands.values()
        with contextlib.suppress(TimeoutError):  # what is left is given back just below
            async with asyncio.timeout(STOP_WITHIN.total_seconds()):
                await asyncio.gather(*(hand.wind_up() for hand in hands))
        await asyncio.gather(*(hand.let_go() for hand in hands))
        with contextlib.suppress(StoreAway, *valkey.FAILED):  # what was said runs out by itself
            for hand in hands:
                await self._store.lanes.duty(hand.kind, self._process, timedelta(0))

    async def _heartbeat(self) -> None:
        held = [claimed for hand in self._hands.values() for claimed in hand.held]
        if held:
            await self._store.lanes.heartbeat(held)

    async def _keep_on_duty(self, pool: ArqRedis) -> None:
        for function, hand in self._hands.items():
            if hand.on_duty:
                await self._store.lanes.duty(hand.kind, self._process)
            elif not self.stopping.is_set():
                await self._call(function, pool)
        await self._store.lanes.look()

    @staticmethod
    async def _call(function: str, pool: ArqRedis) -> None:
        """Enqueue a term. What arq answers decides nothing: tending calls again
        (RELIABILITY §1.3)."""
        async with point("store.enqueue", before=StoreAway, after=StoreAway):
            await pool.enqueue_job(
                function, _queue_name=f"arq:{function}", _job_id=secrets.token_hex(16)
            )


async def _every(span: timedelta, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await act()
        except (StoreAway, *valkey.FAILED) as away:
            log.warning("tending.failed", error=repr(away))
        await asyncio.sleep(span.total_seconds())
