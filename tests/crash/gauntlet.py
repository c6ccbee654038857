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
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, get_args

from typing_extensions import override

from infra.cli.rehearsal import Rehearsal
from infra.points import Fault
from tests.crash.life import Life

ARMED: Final = 4  # workers at once
HAND: Final = 4  # faults of a worker: starting one costs seconds
WAITS: Final = "store.wait"
STRIKE_WITHIN: Final = 90.0
EVENTS_EVERY: Final = 0.6  # seconds


@dataclass(frozen=True, slots=True)
class Case:
    """One fault: where, on which side of the effect, and which."""

    point: str
    when: str
    do: str

    @override
    def __str__(self) -> str:
        return f"{self.do} {self.when} {self.point}"


def cases_of(points: Iterable[str]) -> list[Case]:
    """Every point, before and after, every fault. What only waits has no effect to come after."""
    sides, faults = ("before", "after"), get_args(Fault.model_fields["do"].annotation)
    return [
        Case(*one)
        for one in itertools.product(sorted(points), sides, faults)
        if one[:2] != (WAITS, "after")
    ]


@dataclass(slots=True)
class Armed:
    """A worker that waits for its faults, each at a point of its own."""

    name: str
    cases: dict[Path, Case]
    """By the file that the worker makes when the fault strikes."""
    process: asyncio.subprocess.Process
    since: float

    @property
    def struck(self) -> list[Case]:
        """What it suffered."""
        return [case for flag, case in self.cases.items() if flag.exists()]

    @property
    def left(self) -> list[Case]:
        """What it did not."""
        return [case for flag, case in self.cases.items() if not flag.exists()]


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
        await self._start("worker", {})
        await asyncio.gather(living, *self._lives, *self._leaving, return_exceptions=True)
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)
        self.took_s = time.monotonic() - began

    async def golden(self, seconds: float) -> set[str]:
        """The points that a worker passes while life goes on."""
        log = self.home / "points"
        await self._start("worker", {"TIELINE_POINTS_LOG": str(log)})
        living = asyncio.create_task(self._live())
        await asyncio.sleep(seconds)
        living.cancel()
        await asyncio.gather(living, *self._lives, return_exceptions=True)
        await self.house.processes.kill("worker")
        return set(log.read_text().split())

    async def _arm(self, cases: Sequence[Case]) -> None:
        self._started += 1
        name = f"worker.{self._started + 10}"
        flags = {self.home / f"struck-{self._started}-{case.point}": case for case in cases}
        faults = [
            Fault.model_validate({**asdict(case), "flag_file": flag})
            for flag, case in flags.items()
        ]
        told = f"[{','.join(fault.model_dump_json() for fault in faults)}]"
        process = await self._start(name, {"TIELINE_FAULTS": told})
        self._armed.append(Armed(name, flags, process, time.monotonic()))

    async def _start(self, name: str, settings: dict[str, str]) -> asyncio.subprocess.Process:
        processes, plan = self.house.processes, self.house.processes.plan
        processes.plan = replace(plan, settings={**plan.settings, **settings})
        try:
            return await processes.start(name)
        finally:
            processes.plan = plan

    def _see(self) -> list[Case]:
        """Let go of workers whose faults have struck, or will not strike; what one that ended has
        left is for the next."""
        again: list[Case] = []
        for armed in list(self._armed):
            ended, left = armed.process.returncode is not None, armed.left
            if left and not ended and time.monotonic() - armed.since < STRIKE_WITHIN:
                continue
            self._armed.remove(armed)
            self.struck.update(case.do for case in armed.struck)
            if ended and armed.struck:
                again += left
            else:  # it lived long enough, or fell without a fault
                self.missed += map(str, left)
            self._leaving.append(asyncio.create_task(self._leave(armed)))
        return again

    async def _leave(self, armed: Armed) -> None:
        """A killed one is gone; another goes on for a moment, as it would in life, then stops."""
        if armed.process.returncode is None and not any(one.do == "kill" for one in armed.struck):
            await asyncio.sleep(1)
            if armed.process.returncode is None:
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


def deal(waiting: list[Case]) -> list[Case]:
    """Take the next worker's cases: each at a point of its own, and one kill among them."""
    hand: dict[str, Case] = {}
    for case in waiting:
        killed = case.do == "kill" and any(one.do == "kill" for one in hand.values())
        if case.point not in hand and not killed:
            hand[case.point] = case
        if len(hand) == HAND:
            break
    for case in hand.values():
        waiting.remove(case)
    return list(hand.values())
