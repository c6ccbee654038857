"""A short storm: exactly one conference, one link that leads to it, no callback lost."""

from __future__ import annotations

import pytest

from tests.chaos.chaos import run, table
from tests.chaos.storm import Plan


@pytest.mark.timeout(900)
@pytest.mark.parametrize("plan", [Plan(events=60, kills=6, pauses=1, seed=3)])
async def test_kills_and_faults_leave_one_conference_for_each_event(plan: Plan) -> None:
    counted = await run(plan)

    print(f"\n{table(plan, counted)}")
    assert counted.violations() == []
    assert sum(counted.killed.values()) > 0
