"""Does the sizing table hold what the queues say?"""

from __future__ import annotations

import dataclasses

import pytest

from tests.bench.sizing import BUSY_AT_MOST, STATIONS, Costs, Habits, plan, simulate

HABITS = Habits()
COSTS = Costs(
    change={"receiver": 150, "worker": 8000, "store": 1500},
    report={"receiver": 150, "worker": 2500, "store": 500},
    callback={"receiver": 0, "worker": 800, "store": 170},
    change_written=8000,
    meeting=2000,
    logged=700,
    delivered=1300,
)


@pytest.mark.parametrize("calendars", [1_000, 100_000, 1_000_000])
def test_a_plan_keeps_every_process_as_busy_as_it_says(calendars: int) -> None:
    planned = plan(calendars, HABITS, COSTS)

    seen = simulate(planned, HABITS, COSTS, seed=calendars)

    for station in STATIONS:
        assert planned.busy[station] <= BUSY_AT_MOST
        assert seen.busy[station] == pytest.approx(planned.busy[station], rel=0.05, abs=0.002)


def test_with_too_few_workers_the_queue_grows() -> None:
    planned = plan(1_000_000, HABITS, COSTS)
    enough = simulate(planned, HABITS, COSTS, seed=1)
    few = planned.processes["worker"] // 2

    starved = dataclasses.replace(planned, processes={**planned.processes, "worker": few})

    assert simulate(starved, HABITS, COSTS, seed=1).p99_ms > 10 * enough.p99_ms


def test_more_endpoints_cost_more_callbacks_more_work_and_more_bytes() -> None:
    one = plan(100_000, HABITS, COSTS)

    ten = plan(100_000, dataclasses.replace(HABITS, endpoints=10), COSTS)

    assert ten.callbacks_per_s == pytest.approx(10 * one.callbacks_per_s, rel=0.01)
    assert ten.busy["worker"] > one.busy["worker"]
    assert ten.store_gb > one.store_gb
