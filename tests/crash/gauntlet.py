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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.cli.rehearsal import Rehearsal
from tests.crash.arming import Armed, Case, arm, deal, start
from tests.crash.life import Life

ARMED: Final = 4  # workers at once
EVENTS_EVERY: Final = 0.6  # seconds


@dataclass
class Gauntlet:
    """One run through the cases."""

    house: Rehearsal
    life: Life
    home: Path
    struck: Counter[str] = field(default_factory=Counter)
    """By kind of fault."""
    missed: list[str] = field(default_factory=list)
    """Cases whose point was not passed."""
    took_s: float = 0.0
    _started: int = 0
    _armed: list[Armed] = field(default_factory=list)
    _leaving: list[asyncio.Task[Any]] = field(default_factory=list)
    _lives: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, cases: Sequence[Case]) -> None:
        """All cases; then every life to its end, with a worker that meets no fault."""
        began, waiting = time.monotonic(), list(cases)
        people = asyncio.create_task(self.life.of_people())
        living = asyncio.create_task(self._live())
        while waiting or self._armed:
            while waiting and len(self._armed) < ARMED:
                await self._arm(deal(waiting))
            await asyncio.sleep(0.05)
            waiting += self._see()
        living.cancel()
        await self.house.processes.start("worker")
        self.life.calm_down()
        await asyncio.gather(living, *self._lives, *self._leaving, return_exceptions=True)
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)
        self.took_s = time.monotonic() - began

    async def golden(self, seconds: float) -> set[str]:
        """The points that a worker passes while life goes on."""
        log = self.home / "points"
        await start(self.house.processes, "worker", {"TIELINE_POINTS_LOG": str(log)})
        living = asyncio.create_task(self._live())
        await asyncio.sleep(seconds)
        living.cancel()
        await asyncio.gather(living, *self._lives, return_exceptions=True)
        await self.house.processes.kill("worker")
        return set(log.read_text().split())

    async def _arm(self, cases: Sequence[Case]) -> None:
        self._started += 1
        name, flags = f"worker.{self._started + 10}", self.home / f"struck-{self._started}"
        self._armed.append(await arm(self.house.processes, name, cases, flags))

    def _see(self) -> list[Case]:
        """Let go of workers whose faults have struck, or will not strike; what one that ended has
        left is for the next."""
        again: list[Case] = []
        for armed in list(self._armed):
            if not armed.done:
                continue
            self._armed.remove(armed)
            self.struck.update(case.do for case in armed.struck)
            if armed.ended and armed.struck:
                again += armed.left
            else:  # it lived long enough, or fell without a fault
                self.missed += map(str, armed.left)
            self._leaving.append(asyncio.create_task(self._leave(armed)))
        return again

    async def _leave(self, armed: Armed) -> None:
        """A killed one is gone; another goes on for a moment, as it would in life, then stops."""
        if not armed.ended and not any(one.do == "kill" for one in armed.struck):
            await asyncio.sleep(1)
            if not armed.ended:
                armed.process.terminate()
        await armed.process.wait()
        self.house.processes.running.pop(armed.name, None)

    async def _live(self) -> None:
        for number in itertools.count():
            self._begin(self.life.of_event())
            if number % 3 == 1:
                self._begin(self.life.of_calendar())
            if number % 3 == 2:
                self._begin(self.life.of_tokens())
            await asyncio.sleep(EVENTS_EVERY)

    def _begin(self, life: Any) -> None:  # noqa: ANN401  a coroutine
        task = asyncio.create_task(life)
        self._lives.add(task)
        task.add_done_callback(self._lives.discard)
