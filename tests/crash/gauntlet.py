"""Workers that each meet a few faults, one at a point, while life goes on.

A worker is started with its faults and works like any other until they have struck; then the next
one is started, and the work that the first left is anybody's. What must hold is looked at in the
end.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.cli.rehearsal import Rehearsal
from tests.crash.arming import Armed, Case, arm, deal, start
from tests.crash.life import Life

ARMED: Final = 4  # workers at once
VISITS: Final = 4  # of each kind at once: one to each pair of providers
GOLDEN_WITHIN: Final = 300.0


@dataclass
class Gauntlet:
    """One run through the cases."""

    house: Rehearsal
    life: Life
    home: Path
    every: float = 0.6
    """Seconds from one event to the next."""
    struck: Counter[str] = field(default_factory=Counter)
    """By kind of fault."""
    missed: list[str] = field(default_factory=list)
    """Cases whose point was not passed."""
    took_s: float = 0.0
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _waiting: list[Case] = field(default_factory=list)
    _started: int = 0
    _armed: list[Armed] = field(default_factory=list)
    _leaving: list[asyncio.Task[Any]] = field(default_factory=list)
    _lives: set[asyncio.Task[None]] = field(default_factory=set)
    _goes_on: bool = True

    async def run(self, cases: Sequence[Case]) -> None:
        """All cases; then every life to its end, with a worker that meets no fault."""
        began, self._waiting = time.monotonic(), list(cases)
        people = asyncio.create_task(self.life.of_people())
        living = asyncio.create_task(self._live())
        while self._waiting or self._armed:
            while self._waiting and len(self._armed) < ARMED:
                await self._arm()
            await asyncio.sleep(0.05)
            self._see()
            _still(living, people)
        await self.house.processes.start("worker")
        self.life.calm_down()
        await self._ends(living)
        await asyncio.gather(*self._leaving)
        self.life.is_over = True
        await people
        self.took_s = time.monotonic() - began

    async def golden(self, wanted: set[str]) -> set[str]:
        """The points that a worker passes while life goes on: those that are wanted, and more."""
        log = self.home / "points"
        log.touch()
        await start(self.house.processes, "worker", {"TIELINE_POINTS_LOG": str(log)})
        living = asyncio.create_task(self._live())
        until = time.monotonic() + GOLDEN_WITHIN
        while (left := wanted - _lines(log)) and time.monotonic() < until:
            await asyncio.sleep(0.2)
            _still(living)
        await self._ends(living)
        await self.house.processes.kill("worker")
        assert not left, f"never passed: {sorted(left)}"
        return _lines(log)

    async def _arm(self) -> None:
        """Start the next worker. What is rarely passed is waited for by several."""
        self._started += 1
        held = [case for armed in self._armed for case in armed.left]
        cases = deal(self._waiting, held)
        name = f"worker.{self._started + 10}"
        self._armed.append(await arm(self.house.processes, name, cases, self.home / "struck"))

    def _see(self) -> None:
        """What has struck is over. Let go of workers for whom nothing is left; what one that ended
        has left is for the next."""
        for armed in self._armed:
            self._over(armed.struck)
        for armed in [armed for armed in self._armed if armed.done]:
            self._armed.remove(armed)
            if not (armed.ended and armed.struck):  # it lived long enough, or fell without a fault
                self.missed += [str(case) for case in armed.left if case in self._waiting]
                self._over(armed.left)
            self._leaving.append(asyncio.create_task(self._leave(armed)))

    def _over(self, cases: Sequence[Case]) -> None:
        """Nobody waits for these any more."""
        for case in cases:
            if case in self._waiting:
                self._waiting.remove(case)
                self.struck[case.do] += str(case) not in self.missed

    async def _leave(self, armed: Armed) -> None:
        """One that lives goes on for a moment, as it would in life, then stops."""
        if not armed.ended:
            await asyncio.sleep(1)
            if not armed.ended:
                armed.process.terminate()
        await armed.process.wait()
        self.house.processes.running.pop(armed.name, None)

    async def _live(self) -> None:
        """Until nothing new shall begin, and the last guests are gone."""
        self._goes_on = True
        async with asyncio.TaskGroup() as guests:
            for first in range(VISITS):
                guests.create_task(self._come(self.life.of_calendar, first))
                guests.create_task(self._come(self.life.of_account, first))
            while self._goes_on:
                number = next(self._numbers)
                self._begin(self.life.of_event(number))
                if number % 3 == 1:
                    self._begin(self.life.of_meeting(number))
                if number % 3 == 2:
                    self._begin(self.life.of_tokens(number))
                await asyncio.sleep(self.every)

    async def _come(self, visit: Callable[[int], Awaitable[None]], first: int) -> None:
        """One guest after the other, to hosts of one pair: what is passed in a visit alone is
        passed all the time."""
        numbers = itertools.count(first, VISITS)
        while self._goes_on:
            await visit(next(numbers))
            await asyncio.sleep(self.every)

    async def _ends(self, living: asyncio.Task[None]) -> None:
        """Nobody is cut off in the middle: a line that was just being opened would stay open."""
        self._goes_on = False
        await living
        await asyncio.gather(*self._lives)

    def _begin(self, life: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(life)
        self._lives.add(task)
        task.add_done_callback(self._lives.discard)


def _still(*tasks: asyncio.Task[Any]) -> None:
    """None of these ends by itself: raise what ended one."""
    for task in tasks:
        if task.done():
            task.result()


def _lines(log: Path) -> set[str]:
    return set(log.read_text().split())
