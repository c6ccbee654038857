"""A worker is killed, cut off, kept waiting and cancelled at every point where it does I/O: one
conference, one link that leads to it, no orphan, each callback under one id."""

from __future__ import annotations

import pytest

from tests.crash.arming import cases_of, each_once
from tests.crash.gauntlet import Gauntlet
from tests.crash.stage import gauntlet, look

GOLDEN_S = 10.0


def say(run: Gauntlet, points: set[str], wrong: list[str]) -> None:
    struck = ", ".join(f"{count} {do}" for do, count in sorted(run.struck.items()))
    life, events = run.life, len(run.life.stands) + len(run.life.went)
    people = f"{life.linked_again} links made again, {life.retried} lanes retried"
    print(f"\n[F4] {len(points)} points, {run.struck.total()} cases ({struck}), {run.took_s:.0f} s")
    print(f"[F4] {events} events, {people}, {len(wrong)} violations")


@pytest.mark.timeout(400)
async def test_one_fault_at_every_point_leaves_one_conference_for_each_event() -> None:
    async with gauntlet(tenants=8) as run:
        points = await run.golden(GOLDEN_S)
        await run.run(each_once(points))
        wrong = await look(run)

    say(run, points, wrong)
    assert len(points) > 30
    assert (wrong, run.missed) == ([], [])


@pytest.mark.full
@pytest.mark.timeout(2400)
async def test_every_fault_at_every_point_leaves_one_conference_for_each_event() -> None:
    async with gauntlet(tenants=24) as run:
        points = await run.golden(3 * GOLDEN_S)
        cases = cases_of(points)
        await run.run(cases)
        wrong = await look(run)

    say(run, points, wrong)
    assert len(cases) >= 240
    assert (wrong, run.missed) == ([], [])
