"""What is to be reached? The figures of each bench, and which way is good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure of one bench."""

    bench: str
    figure: str
    words: str
    way: Literal["at least", "at most"]
    bound: float

    def reached(self, value: float) -> bool:
        """Whether the value is as good as wanted."""
        return value >= self.bound if self.way == "at least" else value <= self.bound


GOALS: Final = (
    Goal("door", "ratio_starlette", "receiver, x a bare Starlette reply", "at least", 0.65),
    Goal("door", "ratio_bullmq", "receiver, x Fastify + BullMQ", "at least", 1.5),
    Goal("door", "p99_ms", "receiver at half load, p99 in ms", "at most", 20),
    Goal("burst", "provider_reads", "readings for 10,000 hints", "at most", 3),
    Goal("engine", "ratio_arq", "no-op items, x plain arq", "at least", 8),
    Goal("engine", "ratio_bullmq", "no-op items, x BullMQ", "at least", 1.5),
    Goal("callbacks", "ratio_bullmq", "signed callbacks, x BullMQ + fetch", "at least", 1.5),
    Goal("isolation", "ratio_p99", "p99 of nine, one hanging over none", "at most", 1.5),
    Goal("replay", "rss_growth_mb", "worker's growth in 100,000 recoveries, MB", "at most", 20),
    Goal("latency", "p50_ms", "notification to callback, p50 in ms", "at most", 25),
    Goal("latency", "p99_ms", "notification to callback, p99 in ms", "at most", 100),
    Goal("memory", "worker_mb", "idle worker, MB", "at most", 120),
    Goal("memory", "bytes_per_meeting", "store, bytes for a live meeting", "at most", 2048),
    Goal("growth", "ratio", "a meeting's cost, 1 M over 10 k stored", "at most", 1.2),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A goal, and what was measured; None where a peer was not there."""

    goal: Goal
    value: float | None

    @property
    def verdict(self) -> str:
        """One word for the table."""
        if self.value is None:
            return "not measured"
        return "reached" if self.goal.reached(self.value) else "MISSED"


def rows(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """Every goal of the benches that ran."""
    for goal in GOALS:
        if goal.bench in figures:
            yield Row(goal, figures[goal.bench].get(goal.figure))
