"""Workers that each meet one fault at one point, one after the other, while life goes on.

A worker is started with a fault and works like any other until the fault strikes; then the next one
is started, and the work that the first left is anybody's. What must hold is looked at in the end.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, get_args

from typing_extensions import override

from infra.cli.rehearsal import Rehearsal
from infra.points import Fault
from tests.crash.life import Life

ARMED: Final = 4  # workers at once
WAITS: Final = "store.wait"
STRIKES_WITHIN: Final = 60.0
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
    """A worker that waits for its fault."""

    name: str
    case: Case
    flag: Path
    process: asyncio.subprocess.Process
    since: float


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
    _armed: list[Armed] = field(default_factory=list)
    _leaving: list[asyncio.Task[Any]] = field(default_factory=list)
    _lives: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, cases: Sequence[Case]) -> None:
        """All cases; then every life to its end, with a worker that meets no fault."""
        waiting = deque(enumerate(cases))
        living = asyncio.create_task(self._live())
        while waiting or self._armed:
            while waiting and len(self._armed) < ARMED:
                await self._arm(*waiting.popleft())
            await asyncio.sleep(0.05)
            self._see()
        living.cancel()
        await self._start("worker", {})
        await asyncio.gather(living, *self._lives, *self._leaving, return_exceptions=True)

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

    async def _arm(self, number: int, case: Case) -> None:
        flag = self.home / f"struck-{number}"
        fault = Fault.model_validate(
            {"point": case.point, "when": case.when, "do": case.do, "flag_file": flag}
        )
        name = f"worker.{number + 10}"
        process = await self._start(name, {"TIELINE_FAULTS": fault.model_dump_json()})
        self._armed.append(Armed(name, case, flag, process, time.monotonic()))

    async def _start(self, name: str, settings: dict[str, str]) -> asyncio.subprocess.Process:
        processes, plan = self.house.processes, self.house.processes.plan
        processes.plan = replace(plan, settings={**plan.settings, **settings})
        try:
            return await processes.start(name)
        finally:
            processes.plan = plan

    def _see(self) -> None:
        """Let go of workers whose fault has struck, or will not strike."""
        for armed in list(self._armed):
            struck = armed.flag.exists()
            if not struck and time.monotonic() - armed.since < STRIKES_WITHIN:
                continue
            self._armed.remove(armed)
            if struck:
                self.struck[armed.case.do] += 1
            else:
                self.missed.append(str(armed.case))
            self._leaving.append(asyncio.create_task(self._leave(armed)))

    async def _leave(self, armed: Armed) -> None:
        """A killed one is gone; another goes on for a moment, as it would in life, then stops."""
        if armed.case.do != "kill" or not armed.flag.exists():
            await asyncio.sleep(1)
            if armed.process.returncode is None:
                armed.process.terminate()
        await armed.process.wait()
        self.house.processes.running.pop(armed.name, None)

    async def _live(self) -> None:
        for number in itertools.count():
            self._begin(self.life.of_event())
            if number % 6 == 3:
                self._begin(self.life.of_calendar())
            if number % 6 == 5:
                self._begin(self.life.of_tokens())
            await asyncio.sleep(EVENTS_EVERY)

    def _begin(self, life: Any) -> None:  # noqa: ANN401  a coroutine
        task = asyncio.create_task(life)
        self._lives.add(task)
        task.add_done_callback(self._lives.discard)
