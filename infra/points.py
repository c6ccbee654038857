"""Where can a process be killed or a call be cut? Every I/O passes a named point.

In production a point does nothing. A crash test arms faults (TIELINE_FAULTS), and a golden run
writes the names it passes to a file (TIELINE_POINTS_LOG), from which the tests are enumerated.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from infra.errors import NotSent, Unknown

Fails: TypeAlias = Callable[[str], Exception]


class Fault(BaseModel):
    """One thing that goes wrong once, at the `nth` passage of a point by this process.

    With a `flag_file` it goes wrong once among all processes: whoever creates the file first.
    `after` means that the effect happened and its answer is lost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    point: str
    when: Literal["before", "after"]
    do: Literal["kill", "cut", "timeout", "cancel"]
    nth: int = Field(default=1, ge=1)
    flag_file: Path | None = None


class _Plan:
    """What this process shall suffer, and where it writes what it passed."""

    def __init__(self, faults: Sequence[Fault], log: Path | None) -> None:
        self.faults = faults
        self.log = log
        self.passed: Counter[str] = Counter()

    def enter(self, name: str) -> Fault | None:
        """Note the passage; the fault that belongs to this one."""
        self.passed[name] += 1
        if self.log is not None:
            with self.log.open("a") as lines:  # O_APPEND: whole lines, also from many processes
                lines.write(f"{name}\n")
        passage = (name, self.passed[name])
        return next((one for one in self.faults if (one.point, one.nth) == passage), None)


class _Armed:
    def __init__(self, plan: _Plan, name: str, before: Fails, after: Fails) -> None:
        self._plan = plan
        self._name = name
        self._fails: dict[str, Fails] = {"before": before, "after": after}
        self._fault: Fault | None = None

    async def __aenter__(self) -> None:
        self._fault = self._plan.enter(self._name)
        await self._suffer("before")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            await self._suffer("after")

    async def _suffer(self, when: str) -> None:
        fault = self._fault
        if fault is None or fault.when != when or not _first(fault.flag_file):
            return
        if fault.do == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault.do == "cancel":
            task = asyncio.current_task()
            if task is not None:
                task.cancel()
            await asyncio.sleep(0)
        raise self._fails[when](f"{fault.do} {when} {self._name}")


def _first(flag: Path | None) -> bool:
    if flag is None:
        return True
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


_OPEN: Final[AbstractAsyncContextManager[None]] = nullcontext()
_plan: _Plan | None = None


def arm(*faults: Fault, log: Path | None = None) -> None:
    """Set what this process suffers; called once at its start, with what the settings say."""
    global _plan  # noqa: PLW0603  a fault concerns the process, as a kill does
    _plan = _Plan(faults, log) if faults or log else None


def armed() -> bool:
    """Whether this process is to suffer or to tell something: only tests do that."""
    return _plan is not None


def point(
    name: str, *, before: Fails = NotSent, after: Fails = Unknown
) -> AbstractAsyncContextManager[None]:
    """A place where I/O happens: `async with point("zoom.create"): ...`.

    `before` and `after` make the error that a cut or a timeout there looks like to the caller:
    at a provider NotSent and Unknown; around the store give what its client raises.
    """
    plan = _plan
    return _OPEN if plan is None else _Armed(plan, name, before, after)
