"""What happens to everybody at once: events, lost and repeated notifications, kills, pauses."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import psutil

from infra.cli.rehearsal import Rehearsal
from tests.chaos.vendors import Host, add_event, title_of

VICTIMS: Final = ("worker", "worker.2", "worker", "worker.2", "receiver", "store", "api", "valkey")
"""Who is killed, in these shares: `store` is the server, `valkey` the process that keeps it."""
PAUSE: Final = 15.0  # seconds: one and a half leases


@dataclass(frozen=True, slots=True)
class Plan:
    """How bad it gets. `every` is the mean time between two misfortunes, in seconds."""

    events: int
    kills: int
    pauses: int = 0
    every: float = 1.2
    seed: int = 1


@dataclass(slots=True)
class Storm:
    """One run of it."""

    plan: Plan
    house: Rehearsal
    hosts: list[Host]
    dice: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    paused: int = 0
    ended_alone: Counter[str] = field(default_factory=Counter)
    """Processes that nobody killed and that ended all the same."""
    last_kill: float = 0.0

    async def rage(self) -> None:
        """All events of the plan come while its kills and pauses go on; then calm."""
        misfortunes = ["kill"] * self.plan.kills + ["pause"] * self.plan.pauses
        self.dice.shuffle(misfortunes)
        span = len(misfortunes) * self.plan.every
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._events(span))
            for misfortune in misfortunes:
                await asyncio.sleep(self.plan.every * self.dice.uniform(0.5, 1.5))
                await self.revive()
                await (self._kill() if misfortune == "kill" else self._pause(tasks))
        self.last_kill = time.monotonic()

    async def revive(self) -> None:
        """Start again what ended by itself."""
        for name, process in list(self.house.processes.running.items()):
            if process.returncode is not None:
                self.ended_alone[f"{name}: {process.returncode}"] += 1
                await self.house.processes.start(name)

    async def _events(self, span: float) -> None:
        """Evenly over the span, in small heaps; a title is an event's name throughout."""
        began, sent = time.monotonic(), 0
        while sent < self.plan.events:
            passed = (time.monotonic() - began) / span if span else 1.0
            due = min(self.plan.events, int(self.plan.events * passed) + 1)
            for number in range(sent, due):
                host = self.hosts[number % len(self.hosts)]
                await add_event(self.house.sandbox, host, title_of(number), _starts())
            sent = due
            await asyncio.sleep(0.05)

    async def _kill(self) -> None:
        name = self.dice.choice(VICTIMS)
        if name == "store":
            servers = psutil.Process(self.house.processes.running["valkey"].pid).children()
            for server in servers:
                server.kill()
                self.killed[name] += 1
            if servers:
                return
            name = "valkey"  # it is just starting one
        await self.house.processes.kill(name)
        self.killed[name.partition(".")[0]] += 1
        await self.house.processes.start(name)

    async def _pause(self, tasks: asyncio.TaskGroup) -> None:
        """Freeze a worker for longer than its leases."""
        process = self.house.processes.running[self.dice.choice(("worker", "worker.2"))]
        process.send_signal(signal.SIGSTOP)
        self.paused += 1

        async def thaw() -> None:
            await asyncio.sleep(PAUSE)
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)

        tasks.create_task(thaw())


def _starts() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
