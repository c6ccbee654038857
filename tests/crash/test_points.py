"""A worker is killed, cut off, kept waiting and cancelled at every point where it does I/O: one
conference, one link that leads to it, no orphan, each callback under one id."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.crash.arming import WRITES, cases_of, each_once
from tests.crash.gauntlet import Gauntlet
from tests.crash.points import NOT_IN_THE_STORY, in_code, of_the_story
from tests.crash.stage import gauntlet, look


def say(run: Gauntlet, points: set[str], wrong: list[str]) -> None:
    struck = ", ".join(f"{count} {do}" for do, count in sorted(run.struck.items()))
    life, events = run.life, len(run.life.stands) + len(run.life.went)
    people = f"{life.linked_again} links made again, {life.retried} lanes retried"
    print(f"\n[F4] {len(points)} points, {run.struck.total()} cases ({struck}), {run.took_s:.0f} s")
    print(f"[F4] {events} events, {people}, {len(wrong + run.missed)} violations")


def test_what_the_story_does_not_pass_is_still_there() -> None:
    assert set(NOT_IN_THE_STORY) < in_code()


@pytest.mark.timeout(1200)
async def test_one_fault_at_every_point_leaves_one_conference_for_each_event() -> None:
    """A worker is killed on both sides of each write of a conference and of its link, at every
    provider; every other point suffers one fault."""
    async with gauntlet(tenants=8) as run:
        points = await run.golden(of_the_story())
        cases = each_once(points)
        await run.run(cases)
        wrong = await look(run)

    say(run, points, wrong)
    kills = Counter(one.point for one in cases if one.do == "kill")
    assert {one: kills[one] for one in WRITES} == dict.fromkeys(WRITES, 2)
    assert (wrong, run.missed) == ([], [])


@pytest.mark.full
@pytest.mark.timeout(3600)
async def test_every_fault_at_every_point_leaves_one_conference_for_each_event() -> None:
    # Zoom's 100 writes a host and day must last for as long as the test may on a busy machine.
    async with gauntlet(tenants=36, every=1.0) as run:
        points = await run.golden(of_the_story())
        cases = cases_of(points)
        await run.run(cases)
        wrong = await look(run)

    say(run, points, wrong)
    assert len(cases) >= 240
    assert (wrong, run.missed) == ([], [])
