"""How many processes, how much memory and how much disk does an installation need?

A model with what each hop costs (the results of `hops`, `door`, `callbacks` and `memory`), and a
simulation at the rate of the busiest hour that checks it: queues in front of the same
processes, with arrivals and service times that vary as they do.
"""

from __future__ import annotations

import heapq
import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent / "results"
CALENDARS: Final = (1_000, 10_000, 100_000, 1_000_000)
BUSY_AT_MOST: Final = 0.6
"""Of each process at the peak; beyond, queues grow faster than the load."""
ARRIVALS: Final = 30_000  # for a simulation: enough for a 99th percentile
PROVIDER_S: Final = 0.15
"""A provider's time for two calls. It keeps no process busy."""
DAY: Final = 86_400
STATIONS: Final = ("receiver", "worker", "store")


@dataclass(frozen=True, slots=True)
class Habits:
    """What is assumed of a calendar; change it to what yours do."""

    changes_a_day: float = 5
    """Events made, moved or cancelled that concern a conference."""
    reports_a_day: float = 8
    """Notifications of a conferencing provider: started, ended, who came."""
    endpoints: float = 1
    """That hear of each change."""
    live_meetings: float = 20
    busiest_hour: float = 0.15
    """Its part of the day's work."""

    @property
    def peak(self) -> float:
        """The busiest hour's rate, in a second, for one thing a day."""
        return self.busiest_hour / 3600


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of processor time by station, and bytes."""

    change: Mapping[str, float]
    """From the push to one callback, that callback in it."""
    report: Mapping[str, float]
    callback: Mapping[str, float]
    """One more endpoint."""
    change_written: float
    """Bytes of the append-only file."""
    meeting: float
    """Bytes in the store."""
    logged: float
    """Bytes in the store for the timeline of a change, 30 days."""
    delivered: float
    """Bytes in the store for feed, body and attempts of a callback, 7 days."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an installation for so many calendars needs."""

    calendars: int
    changes_per_s: float
    callbacks_per_s: float
    processes: Mapping[str, int]
    """`store` counts installations: one store does one thing at a time."""
    busy: Mapping[str, float]
    """Of one process of the kind, at the peak."""
    store_gb: float
    written_gb_a_day: float


@dataclass(slots=True)
class Simulated:
    """What the queues did."""

    busy: Mapping[str, float] = field(default_factory=dict)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    """From the push to the callback."""


async def measure() -> dict[str, Any]:
    """The table, and beside it what the simulation found."""
    habits, costs = Habits(), known_costs(RESULTS)
    rows = []
    for calendars in CALENDARS:
        planned = plan(calendars, habits, costs)
        seen = simulate(planned, habits, costs, seed=calendars)
        rows.append({**asdict(planned), "simulated": asdict(seen)})
    print("\n".join(table(rows)))
    return {"raw": {"assumed": asdict(habits), "costs": asdict(costs), "plans": rows}}


def known_costs(results: Path) -> Costs:
    """What the other benches have measured on this kind of machine."""
    hops, door, callbacks, memory = (
        json.loads((results / f"{name}.json").read_text("utf-8"))
        for name in ("hops", "door", "callbacks", "memory")
    )
    us, rooms = hops["raw"]["us"], memory["raw"]["by_room"]
    return Costs(
        change={"receiver": us["receiver"], "worker": us["worker"], "store": us["valkey"]},
        report={
            "receiver": door["raw"]["cpu_us"]["ours"],
            "worker": us["worker"] / 3,  # a reading of its lane, and rarely more
            "store": door["raw"]["store_us"]["ours"] + us["valkey"] / 3,
        },
        callback={
            "receiver": 0,
            "worker": callbacks["raw"]["cpu_us"]["ours"],
            "store": callbacks["raw"]["store_us"]["ours"],
        },
        change_written=hops["raw"]["written_bytes"],
        meeting=memory["bytes_per_meeting"],
        logged=rooms["log:timeline"],
        delivered=rooms["blob:callback"] + rooms["feed:"] + rooms["log:attempts"],
    )


def plan(calendars: int, habits: Habits, costs: Costs) -> Plan:
    """How many of each, so that none is busier at the peak than BUSY_AT_MOST. Pure."""
    changes = calendars * habits.changes_a_day
    callbacks = changes * habits.endpoints
    wanted = {
        each: calendars * habits.peak * _us_a_day(each, habits, costs) / 1e6 for each in STATIONS
    }
    processes = {each: max(1, math.ceil(load / BUSY_AT_MOST)) for each, load in wanted.items()}
    stored = (
        calendars * habits.live_meetings * costs.meeting
        + 30 * changes * costs.logged
        + 7 * callbacks * costs.delivered
    )
    return Plan(
        calendars,
        changes_per_s=round(changes * habits.peak, 1),
        callbacks_per_s=round(callbacks * habits.peak, 1),
        processes=processes,
        busy={each: round(wanted[each] / processes[each], 3) for each in STATIONS},
        store_gb=round(stored / 1e9, 2),
        written_gb_a_day=round(changes * costs.change_written / 1e9, 2),
    )


def _us_a_day(station: str, habits: Habits, costs: Costs) -> float:
    return (
        habits.changes_a_day * costs.change[station]
        + habits.changes_a_day * (habits.endpoints - 1) * costs.callback[station]
        + habits.reports_a_day * costs.report[station]
    )


Step = tuple[str, float]
"""A station and the mean of its service there, in seconds; no station is a wait for others."""


def simulate(planned: Plan, habits: Habits, costs: Costs, *, seed: int) -> Simulated:
    """Let changes and reports arrive as they please, at the peak's rate. The same for a seed."""
    dice = random.Random(seed)
    free = {each: [0.0] * count for each, count in planned.processes.items()}
    worked = dict.fromkeys(free, 0.0)
    waits: list[float] = []
    moments: list[tuple[float, int, float, bool, list[Step]]] = list(
        _arrivals(planned, habits, costs, dice)
    )
    end = moments[-1][0]
    heapq.heapify(moments)
    while moments:
        now, number, came, is_change, steps = heapq.heappop(moments)
        if not steps:
            if is_change:
                waits.append(now - came)
            continue
        (station, mean), *rest = steps
        if not station:
            heapq.heappush(moments, (now + mean, number, came, is_change, rest))
            continue
        serves = dice.expovariate(1 / mean) if mean else 0.0
        done = max(now, heapq.heappop(free[station])) + serves
        heapq.heappush(free[station], done)
        worked[station] += serves
        heapq.heappush(moments, (done, number, came, is_change, rest))
    waits.sort()
    return Simulated(
        busy={each: round(worked[each] / end / len(free[each]), 3) for each in free},
        p50_ms=round(1000 * waits[len(waits) // 2]),
        p99_ms=round(1000 * waits[len(waits) * 99 // 100]),
    )


def _arrivals(
    planned: Plan, habits: Habits, costs: Costs, dice: random.Random
) -> Iterator[tuple[float, int, float, bool, list[Step]]]:
    """Independent of each other, in their order."""
    changes = planned.calendars * habits.changes_a_day * habits.peak
    reports = planned.calendars * habits.reports_a_day * habits.peak
    now = 0.0
    for number in range(ARRIVALS):
        now += dice.expovariate(changes + reports)
        is_change = dice.random() < changes / (changes + reports)
        steps = _change(habits, costs) if is_change else _report(costs)
        yield now, number, now, is_change, steps


def _change(habits: Habits, costs: Costs) -> list[Step]:
    """Receiver, then three lanes in a worker (calendar, meeting, endpoint), the store between."""
    of = {each: costs.change[each] / 1e6 for each in STATIONS}
    more = habits.endpoints - 1
    return [
        ("receiver", of["receiver"]),
        ("store", of["store"] / 4),
        ("worker", of["worker"] / 3),
        ("store", of["store"] / 4),
        ("", PROVIDER_S),
        ("worker", of["worker"] / 3),
        ("store", of["store"] / 4),
        ("worker", of["worker"] / 3 + more * costs.callback["worker"] / 1e6),
        ("store", of["store"] / 4 + more * costs.callback["store"] / 1e6),
    ]


def _report(costs: Costs) -> list[Step]:
    return [(each, costs.report[each] / 1e6) for each in ("receiver", "store", "worker")]


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The plans for a person, in Markdown."""
    yield (
        "| calendars | changes, callbacks a second at the peak | receivers | workers | stores"
        " | store, GB | written a day, GB | simulated: worker busy, p50, p99 |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        of, seen = row["processes"], row["simulated"]
        yield (
            f"| {row['calendars']:,} | {row['changes_per_s']:g}, {row['callbacks_per_s']:g}"
            f" | {of['receiver']} | {of['worker']} | {of['store']} | {row['store_gb']:g}"
            f" | {row['written_gb_a_day']:g} | {seen['busy']['worker']:.0%} (planned"
            f" {row['busy']['worker']:.0%}), {seen['p50_ms']:g} ms, {seen['p99_ms']:g} ms |"
        )
