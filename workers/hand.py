"""How does a process work one kind of lane, and what happens to a lane whatever its job does?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from infra.errors import ClaimLost, Conflict, NewerVersion, RateLimited, StoreAway, TryLater
from infra.lanes import Claimed, Kind, Taken, Unit
from workers.domain.backoff import wait_before
from workers.runtime import Handler, NotYet, Runtime

log = structlog.get_logger("workers")

HEARTBEAT: Final = timedelta(seconds=3)
IDLE: Final = timedelta(seconds=1)
NEWER_RELEASE_WAIT: Final = timedelta(seconds=30)
STORE_BACK: Final = timedelta(milliseconds=500)
HEAD_START: Final = 4
"""Turns of the loop by which the next claim is ahead of the work on these lanes, so that the store
has something to do meanwhile: without it, store and worker take turns."""
AT_A_TIME: Final = 16
"""Lanes of a claim that are begun in one turn: between them the store is heard and answered."""


class Hand:
    """One kind of lane, worked by one process: claims while it is on duty, finishes what it began.

    Lanes are claimed only inside a term, and a term only runs inside an arq job.
    """

    def __init__(self, kind: Kind, handler: Handler, runtime: Runtime) -> None:
        self.kind: Final = kind
        self._handler = handler
        self._runtime = runtime
        self._slots = runtime.settings.slots[kind]
        self._work: dict[asyncio.Task[None], Claimed] = {}
        self._openings: set[asyncio.Task[None]] = set()
        self._coming = 0
        """Lanes that openings are about to begin."""
        self._handled: set[str] = set()
        """Claims whose handler is done, while the store writes what it said: they leave room."""
        self._room = asyncio.Event()
        self._duty = asyncio.Lock()
        self._stands_by = False
        self._stopping = asyncio.Event()

    @property
    def on_duty(self) -> bool:
        """Whether a term of this process claims lanes of the kind right now."""
        return self._duty.locked()

    @property
    def held(self) -> list[Claimed]:
        """The lanes whose tasks live: the only ones a heartbeat may renew (ENGINE 11)."""
        return list(self._work.values())

    def stop(self) -> None:
        """Claim nothing more; what is under way is finished."""
        self._stopping.set()

    async def serve(self, term: timedelta, relieve: Callable[[], Awaitable[None]]) -> None:
        """One term. `relieve` calls the successor a moment before the end, so that it stands by and
        no gap opens.

        A term that finds another standing by already is one too many, and over at once: the calls
        of all processes come to one queue, so a busy one may be handed those of its neighbours.
        """
        if self._stands_by:
            return
        self._stands_by = True
        try:
            await self._duty.acquire()
        finally:
            self._stands_by = False
        try:
            end = time.monotonic() + term.total_seconds()
            await self._claim_until(end - IDLE.total_seconds())
            if not self._stands_by and not self._stopping.is_set():
                await relieve()
            await self._claim_until(end)
        finally:
            self._duty.release()
        await self.finish()

    async def finish(self) -> None:
        """Wait for the lanes that are being worked now."""
        if self._openings:
            await asyncio.wait(list(self._openings))
        if self._work:
            await asyncio.wait(list(self._work))

    async def wind_up(self) -> None:
        """After `stop`: wait for the last lanes. A claim may be under way just now, and what it
        brings is finished too: given up, it would count as a failure that nobody had."""
        async with self._duty:
            await self.finish()

    async def let_go(self) -> None:
        """End what is still under way, and give its lanes back untouched."""
        if self._openings:
            await asyncio.wait(list(self._openings))
        for task in list(self._work):
            task.cancel()
        await self.finish()

    async def _claim_until(self, end: float) -> None:
        while (left := end - time.monotonic()) > 0 and not self._stopping.is_set():
            try:
                if not await self._claim():
                    await self._rest(min(left, IDLE.total_seconds()))
            except StoreAway as away:
                log.warning("store.away", kind=self.kind, error=str(away))
                await asyncio.sleep(STORE_BACK.total_seconds())

    async def _claim(self) -> bool:
        """Begin work on what is due. Whether more may be due now."""
        lanes, free = self._runtime.store.lanes, self._free()
        if free < 1:
            return False
        if not self._busy:
            claimed = await lanes.claim(self.kind, free, empty=True)
            self._begin(claimed)
            return bool(claimed) and not lanes.exhausted(self.kind)
        taken = await lanes.take(self.kind, free)
        count = sum(len(each.lanes) for each in taken)
        if count:
            self._coming += count
            opening = asyncio.create_task(self._open(taken, count))
            self._openings.add(opening)
            opening.add_done_callback(self._openings.discard)
        return count > 0

    async def _open(self, taken: Sequence[Taken], count: int) -> None:
        """Beside the next claim: a flush of the store takes as long as the work on dozens of
        items, so two wait for it at once."""
        try:
            claimed = await self._runtime.store.lanes.open(taken)
            await _turn(HEAD_START)
            for start in range(0, len(claimed), AT_A_TIME):
                some = claimed[start : start + AT_A_TIME]
                self._begin(some)
                self._coming -= len(some)
                count -= len(some)
                await _turn(2)
        except StoreAway as away:  # the next claim opens them again
            log.warning("store.away", kind=self.kind, error=str(away))
        finally:
            self._coming -= count
            self._room.set()

    def _begin(self, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            task = asyncio.create_task(self._work_on(one), name=one.lane.name)
            self._work[task] = one
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._handled.discard(self._work.pop(task).claim)
        self._room.set()

    @property
    def _busy(self) -> int:
        return len(self._work) + self._coming

    def _free(self) -> int:
        """How many lanes may be taken now. What is written needs no hand any more, so that the next
        lanes come while the store flushes; as many as there are slots may wait for it. Lanes that
        lost two workers are worked apart: what is under way is finished before them, and nothing is
        begun beside them (ENGINE 13)."""
        apart = self._runtime.store.lanes.apart_wait(self.kind) or any(
            claimed.apart for claimed in self._work.values()
        )
        written = min(len(self._handled), self._slots)
        return 0 if apart and self._busy else self._slots + written - self._busy

    async def _rest(self, seconds: float) -> None:
        """Until something is due, a slot is free, the time is over or the process stops."""
        waiters: set[asyncio.Task[object]] = {asyncio.create_task(self._stopping.wait())}
        if self._free() < 1:
            self._room.clear()
            waiters.add(asyncio.create_task(self._room.wait()))
        else:
            wait = self._runtime.store.lanes.wait(self.kind, timedelta(seconds=seconds))
            waiters.add(asyncio.create_task(wait))
        try:
            await asyncio.wait(
                waiters,
                timeout=seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)

    async def _work_on(self, claimed: Claimed) -> None:
        """The edge of a job: whatever is raised, the lane is let go, backed off or parked."""
        try:
            unit = await self._handler(claimed, self._runtime)
            self._handled.add(claimed.claim)
            self._room.set()
            await self._runtime.store.lanes.commit(claimed, unit)
        except ClaimLost:
            log.warning("lane.lost", lane=claimed.lane.name, tenant=claimed.lane.tenant)
        except asyncio.CancelledError:
            await self._give_back(claimed, None)
            raise
        except NotYet as early:
            await self._give_back(claimed, early.after)
        except NewerVersion:
            await self._give_back(claimed, NEWER_RELEASE_WAIT)
        except (Conflict, StoreAway) as passing:
            log.info("lane.again", lane=claimed.lane.name, error=str(passing))
            await self._give_back(claimed, STORE_BACK)
        except TryLater as later:
            await self._back_off(claimed, str(later), self._asked(later))
        except Exception as defect:  # the one place: a defect backs its lane off, alone
            log.exception("lane.failed", lane=claimed.lane.name, tenant=claimed.lane.tenant)
            await self._back_off(claimed, f"{type(defect).__name__} in the handler", None)

    def _asked(self, later: TryLater) -> timedelta | None:
        """The wait that the other side asked for; a limit names the moment of its end instead."""
        if isinstance(later, RateLimited):
            return later.until - self._runtime.now()
        return later.after

    async def _give_back(self, claimed: Claimed, not_before: timedelta | None) -> None:
        """Until the store hears of it: one that froze may renew the lease when it wakes, by what it
        was asked before, and the lane would wait for its end. A process that stops leaves it so."""
        while True:
            try:
                return await self._runtime.store.lanes.release(claimed, not_before=not_before)
            except StoreAway:
                if self._stopping.is_set():
                    return None
                await asyncio.sleep(STORE_BACK.total_seconds())

    async def _back_off(self, claimed: Claimed, reason: str, asked: timedelta | None) -> None:
        wait = wait_before(claimed.failures + 1, dice=self._runtime.dice(), asked=asked)
        parked = reason if wait is None else None
        log.info(
            "lane.backed_off",
            lane=claimed.lane.name,
            tenant=claimed.lane.tenant,
            reason=reason,
            again_in_s=wait.total_seconds() if wait else None,
        )
        unit = Unit(failed=True, not_before=wait, parked=parked)
        try:
            await self._runtime.store.lanes.commit(claimed, unit)
        except ClaimLost:
            return  # it is with another, who does the same
        except StoreAway:
            await self._give_back(claimed, wait)


async def _turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)
