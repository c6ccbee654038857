"""With which faults does a process start, and which of them have struck?"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

from typing_extensions import override

from infra.cli.processes import Processes
from infra.points import Fault

HAND: Final = 24  # faults of a process: starting one costs seconds
KILLS: Final = 6  # among them: whichever point is passed first, so that none is waited for alone
SIDES: Final = ("before", "after")
FAULTS: Final[tuple[str, ...]] = get_args(Fault.model_fields["do"].annotation)
OURS: Final = ("store.", "callback.")
WAITS: Final = frozenset({"store.wait", "store.answers"})
"""What only waits has no effect that a fault could come after."""
STRIKE_WITHIN: Final = 300.0
"""Seconds for what is passed only when something else went wrong before."""
WRITES: Final = (
    *("zoom.create", "goto.create", "graph.create", "graph.online", "graph.insert"),
    *("google.patch", "graph.patch", "store.commit"),
)
"""Where a conference or its link is written at each provider, and where we write that it was."""


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
    return [
        Case(*one)
        for one in itertools.product(sorted(points), SIDES, FAULTS)
        if one[0] not in WAITS or one[1] == "before"
    ]


@dataclass(slots=True)
class Armed:
    """A process that waits for its faults, each at a point of its own."""

    name: str
    cases: dict[Path, Case]
    """By the file that is made when the fault strikes, in this process or in another."""
    process: asyncio.subprocess.Process
    since: float = field(default_factory=time.monotonic)

    @property
    def struck(self) -> list[Case]:
        """What was suffered."""
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
        """What was not."""
        return [case for flag, case in self.cases.items() if not flag.exists()]


async def start(
    processes: Processes, name: str, settings: dict[str, str]
) -> asyncio.subprocess.Process:
    """Start a process with settings of its own beside those of all."""
    plan = replace(processes.plan, settings={**processes.plan.settings, **settings})
    return await replace(processes, plan=plan).start(name)  # those that run are shared


async def arm(processes: Processes, name: str, cases: Sequence[Case], flags: Path) -> Armed:
    """Start a process that meets these cases; files beside `flags` tell which have struck. A case
    that several processes wait for strikes the first of them."""
    told = {flags.with_name(f"{flags.name} {case}"): case for case in cases}
    faults = [
        Fault.model_validate({**asdict(case), "flag_file": flag}) for flag, case in told.items()
    ]
    armed = f"[{','.join(fault.model_dump_json() for fault in faults)}]"
    process = await start(processes, name, {"TIELINE_FAULTS": armed})
    return Armed(name, told, process)


def deal(waiting: Sequence[Case], held: Iterable[Case] = ()) -> list[Case]:
    """The next process's cases: those first that the fewest wait for already, each at a point of
    its own, and a few kills among them."""
    times, hand, kills = Counter(held), dict[str, Case](), 0
    for case in sorted(waiting, key=lambda one: times[one]):
        kill = case.do == "kill"
        if case.point not in hand and not (kill and kills == KILLS):
            hand[case.point] = case
            kills += kill
        if len(hand) == HAND:
            break
    return list(hand.values())


def each_once(points: Iterable[str]) -> list[Case]:
    """Every point with one fault, the kinds in turn, on either side; where a conference or its link
    is written, a kill on each side. Others of the vendors' points are spared the kill: a process
    that is killed has to be started again, which costs seconds."""
    passed = sorted(points)
    kills = [Case(one, side, "kill") for side in SIDES for one in WRITES if one in passed]
    ours = [one for one in passed if one not in WRITES and one.startswith(OURS)]
    theirs = [one for one in passed if one not in WRITES and not one.startswith(OURS)]
    return kills + _in_turn(ours, FAULTS) + _in_turn(theirs, FAULTS[1:])


def _in_turn(points: Iterable[str], faults: Sequence[str]) -> list[Case]:
    turns = itertools.cycle(itertools.product(SIDES, faults))
    cases = [Case(point, *turn) for point, turn in zip(points, turns, strict=False)]
    return [replace(one, when="before") if one.point in WAITS else one for one in cases]
