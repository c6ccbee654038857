"""With which faults does a process start, and which of them have struck?"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

from typing_extensions import override

from infra.cli.processes import Processes
from infra.points import Fault

HAND: Final = 4  # faults of a process: starting one costs seconds
WAITS: Final = frozenset({"store.wait", "store.answers"})
"""What only waits has no effect that a fault could come after."""
STRIKE_WITHIN: Final = 90.0


@dataclass(frozen=True, slots=True)
class Case:
    """One fault: where, on which side of the effect, which, and at which passage."""

    point: str
    when: str
    do: str
    nth: int = 1

    @override
    def __str__(self) -> str:
        return f"{self.do} {self.when} {self.point} ({self.nth})"


def cases_of(points: Iterable[str]) -> list[Case]:
    """Every point, before and after, every fault."""
    sides, faults = ("before", "after"), get_args(Fault.model_fields["do"].annotation)
    return [
        Case(*one)
        for one in itertools.product(sorted(points), sides, faults)
        if one[0] not in WAITS or one[1] == "before"
    ]


@dataclass(slots=True)
class Armed:
    """A process that waits for its faults, each at a point of its own."""

    name: str
    cases: dict[Path, Case]
    """By the file that it makes when the fault strikes."""
    process: asyncio.subprocess.Process
    since: float = field(default_factory=time.monotonic)

    @property
    def struck(self) -> list[Case]:
        """What it suffered."""
        return [case for flag, case in self.cases.items() if flag.exists()]

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self.process.returncode is not None

    @property
    def done(self) -> bool:
        """Whether nothing more is to be seen of it."""
        return self.ended or not self.left or time.monotonic() - self.since > STRIKE_WITHIN

    @property
    def left(self) -> list[Case]:
        """What it did not."""
        return [case for flag, case in self.cases.items() if not flag.exists()]


async def start(
    processes: Processes, name: str, settings: dict[str, str]
) -> asyncio.subprocess.Process:
    """Start a process with settings of its own beside those of all."""
    plan = replace(processes.plan, settings={**processes.plan.settings, **settings})
    return await replace(processes, plan=plan).start(name)  # those that run are shared


async def arm(processes: Processes, name: str, cases: Sequence[Case], flags: Path) -> Armed:
    """Start a process that meets these cases; files beside `flags` tell which have struck."""
    told = {flags.with_name(f"{flags.name}-{case.point}"): case for case in cases}
    faults = [
        Fault.model_validate({**asdict(case), "flag_file": flag}) for flag, case in told.items()
    ]
    armed = f"[{','.join(fault.model_dump_json() for fault in faults)}]"
    process = await start(processes, name, {"TIELINE_FAULTS": armed})
    return Armed(name, told, process)


def deal(waiting: list[Case]) -> list[Case]:
    """Take the next process's cases: each at a point of its own, and one kill among them."""
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


def each_once(points: Iterable[str]) -> list[Case]:
    """Every point with one fault, each kind in turn, and both sides of every kind."""
    faults = itertools.cycle(("kill", "cut", "timeout", "cancel"))
    sides = itertools.cycle((*("before",) * 4, *("after",) * 4))
    cases = [Case(*one) for one in zip(sorted(points), sides, faults, strict=False)]
    return [replace(one, when="before") if one.point in WAITS else one for one in cases]
