"""A worker killed, an error and a time-out at the create: one conference, one link, no orphan."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from tests.e2e.household import Household


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def _who_worked_so_far_leaves_in_peace(house: Rehearsal) -> None:
    """A killed process takes along what coverage knew of it: of all tests before these."""
    worker = house.processes.running["worker"]
    worker.send_signal(signal.SIGTERM)
    await worker.wait()
    await house.processes.start("worker")
    await house.ready()


async def restart_worker(home: Household) -> None:
    """A new worker takes the place of the one that was killed."""
    processes = home.house.processes
    worker = processes.running["worker"]
    await worker.wait()
    await processes.start("worker")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_killed_at_the_create_leaves_one_conference(
    home: Household, when: str
) -> None:
    worker = home.house.processes.running["worker"]
    await home.sandbox.fault("zoom.create", when, kill_pid=worker.pid)  # type: ignore[arg-type]
    event = await home.event()
    await restart_worker(home)
    await home.hears("meeting.provisioned")
    await home.rests()

    assert len(await home.conferences()) == 1
    assert await home.join_link_resolves(event)
    assert home.heard() == ["meeting.provisioned"]


async def test_a_worker_killed_at_the_write_back_leaves_one_conference(home: Household) -> None:
    worker = home.house.processes.running["worker"]
    await home.sandbox.fault("google.patch", "after", kill_pid=worker.pid)
    event = await home.event()
    await restart_worker(home)
    await home.hears("meeting.provisioned")
    await home.rests()

    assert len(await home.conferences()) == 1
    assert await home.join_link_resolves(event)
    assert home.heard() == ["meeting.provisioned"]


@pytest.mark.parametrize(
    ("when", "more"),
    [
        ("after", {"status": 500}),
        ("before", {"status": 500}),
        ("reset_after", {}),
        ("reset_before", {}),
        ("late", {"status": 504, "delay_s": 1.0}),
    ],
)
async def test_an_unknown_outcome_is_looked_up_before_anything_is_made_again(
    home: Household, when: str, more: dict[str, Any]
) -> None:
    await home.sandbox.fault("zoom.create", when, **more)  # type: ignore[arg-type]
    event = await home.event()
    data = await home.hears("meeting.provisioned")
    await home.rests()

    did = [one["what"] for one in await home.timeline(data["meeting"]["id"])]
    assert len(await home.conferences()) == 1
    assert await home.join_link_resolves(event)
    assert any(what.startswith("find.") for what in did)
