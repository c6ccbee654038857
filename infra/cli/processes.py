"""How are the processes of the Procfile started, watched and stopped together?"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from infra.cli.keyfiles import KeyFiles
from infra.ending import die_with
from infra.settings import for_child

PROCFILE: Final = Path(__file__).resolve().parents[2] / "Procfile"
STORE: Final = "valkey"
STOP_WITHIN: Final = timedelta(seconds=40)
"""Workers finish calls for 25 s, and the store outlives its clients (ENGINE 18)."""
LINE_LIMIT: Final = 1 << 20

Say = Callable[[str, str], None]


class NotStarted(Exception):
    """A process ended, or was not ready in time; the message says which and where to look."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run, with which settings beside those of our own environment."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)
    """Processes that run more than once: name -> how many."""
    external_store: bool = False


@dataclass(slots=True)
class Processes:
    """Running processes by name; `worker.2` is the second worker."""

    plan: Plan
    keys: KeyFiles
    say: Say
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _pumps: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def start(self, name: str) -> asyncio.subprocess.Process:
        """Start one process of the Procfile in a group of its own."""
        kind = name.partition(".")[0]
        command = [sys.executable if word == "python" else word for word in _procfile()[kind]]
        process = await asyncio.create_subprocess_exec(
            *command,
            env=for_child(
                {
                    "TIELINE_DATA_DIR": str(self.plan.data_dir),
                    **self.plan.settings,
                    **self.keys.environment(kind),
                }
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
            limit=LINE_LIMIT,
        )
        self.running[name] = process
        self._pumps[name] = asyncio.create_task(self._pump(name, process))
        return process

    async def kill(self, name: str) -> int:
        """SIGKILL one process and wait until it is gone. Returns its id."""
        process = self.running.pop(name)
        process.kill()
        await process.wait()
        return process.pid

    async def first_to_end(self, *, unless: asyncio.Event) -> str | None:
        """Wait until one of them ends by itself, and name it; None when told to stop first."""
        told = asyncio.create_task(unless.wait())
        waiting: dict[asyncio.Task[Any], str] = {
            asyncio.create_task(process.wait()): name for name, process in self.running.items()
        }
        done, rest = await asyncio.wait({told, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return None if told in done else waiting[done.pop()]

    async def stop(self) -> None:
        """SIGTERM to all; the store goes when its clients have left. SIGKILL for what stays."""
        everyone = list(self.running.values())
        for process in everyone:
            _signal(process, signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in everyone]
        if waits:
            await asyncio.wait(waits, timeout=STOP_WITHIN.total_seconds())
        for process in everyone:
            _signal(process, signal.SIGKILL)
        await asyncio.gather(*waits, *self._pumps.values())
        self.running.clear()

    async def _pump(self, name: str, process: asyncio.subprocess.Process) -> None:
        """Pass its lines on until it closes its output."""
        while process.stdout is not None and (line := await process.stdout.readline()):
            self.say(name, line.decode(errors="replace").rstrip())


@asynccontextmanager
async def running(plan: Plan, say: Say) -> AsyncIterator[Processes]:
    """The Procfile's processes, ready to work; stopped and waited for when the block ends.

    Raises NotStarted with the name of the process that is to blame, or of the place.
    """
    keys = KeyFiles(plan.data_dir / "keys")
    try:
        keys.make_missing()
    except OSError as error:
        words = f"{plan.data_dir} cannot hold our keys ({error.strerror}): choose another place."
        raise NotStarted(words) from error
    processes = Processes(plan, keys, say)
    try:
        for name in _names(plan):
            await processes.start(name)
        yield processes
    finally:
        await processes.stop()


async def ready(processes: Processes, addresses: Mapping[str, str], *, within: timedelta) -> None:
    """Wait until each address is ready and every kind has a worker. Raises NotStarted."""
    until = time.monotonic() + within.total_seconds()
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        for name, address in addresses.items():
            while lacking := await _lacking(client, f"{address}/readyz"):
                ended = [n for n, p in processes.running.items() if p.returncode is not None]
                if ended:
                    words = f"{ended[0]} ended before all was ready. Its lines above say why."
                    raise NotStarted(words)
                if time.monotonic() > until:
                    raise NotStarted(f"{name} is not ready: {lacking} See {address}/readyz.")
                await asyncio.sleep(0.1)


async def _lacking(client: httpx.AsyncClient, url: str) -> str:
    """What keeps a process from being ready, in sentences; nothing, when it is."""
    try:
        answer = await client.get(url)
        told = answer.json()
    except httpx.TransportError:
        return "It does not answer."
    except ValueError:  # somebody else's, at the port that was to be ours
        return f"What answers there ({answer.status_code}) is not ours."
    if idle := told.get("kinds_without_worker"):
        return f"No worker does {', '.join(idle)}."
    return "" if answer.is_success else " ".join(told.get("because", ["Not ours."]))


def _names(plan: Plan) -> list[str]:
    """The store first, so that the others find it."""
    names: list[str] = []
    for name in sorted(_procfile(), key=lambda name: name != STORE):
        if name == STORE and plan.external_store:
            continue
        names.append(name)
        names += [f"{name}.{n}" for n in range(2, plan.copies.get(name, 1) + 1)]
    return names


def _procfile() -> dict[str, list[str]]:
    lines = (line.partition(":") for line in PROCFILE.read_text().splitlines() if line.strip())
    return {name.strip(): shlex.split(command) for name, _, command in lines}


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    if process.returncode is None:
        process.send_signal(number)
