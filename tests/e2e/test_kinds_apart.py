"""Each kind of work by a process of its own, as arq starts it: `arq workers.main.Meetings`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator

import httpx

from infra.lanes import KINDS
from infra.settings import for_child
from tests.e2e.household import WITHIN, Household
from workers.main import WORK


@contextlib.asynccontextmanager
async def kinds_apart(home: Household) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """One arq process for every kind in place of the worker, which comes back afterwards."""
    processes = home.house.processes
    worker = processes.running.pop("worker")
    worker.send_signal(signal.SIGTERM)
    await worker.wait()
    environment = {
        "TIELINE_DATA_DIR": str(processes.plan.data_dir),
        **processes.plan.settings,
        **processes.keys.environment("worker"),
    }
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "arq", f"workers.main.{name}", env=for_child(environment)
        )
        for name in WORK
    ]
    try:
        await home.house.ready()
        yield started
    finally:
        for one in started:
            with contextlib.suppress(ProcessLookupError):
                one.kill()
            await one.wait()
        await processes.start("worker")
        await home.house.ready()


async def test_the_path_is_the_same_with_a_process_for_each_kind(home: Household) -> None:
    async with kinds_apart(home) as started:
        event, _ = await home.provisioned()
        resolves = await home.join_link_resolves(event)
        for one in started:
            one.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN.total_seconds()):
            left = [await one.wait() for one in started]

    assert resolves
    assert home.heard() == ["meeting.provisioned"]
    assert left == [0] * len(started), "each finished what it had and went"


async def test_nobody_counts_on_a_worker_that_has_left(home: Household) -> None:
    processes = home.house.processes
    worker = processes.running["worker"]
    worker.send_signal(signal.SIGTERM)
    await worker.wait()

    async with httpx.AsyncClient(trust_env=False) as anyone:
        told = (await anyone.get(f"{home.house.api}/readyz")).json()

    await processes.start("worker")
    await home.house.ready()
    assert sorted(told["kinds_without_worker"]) == sorted(KINDS)
