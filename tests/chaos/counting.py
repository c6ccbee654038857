"""What is left after a storm: conferences, links, callbacks. Counted where partners would look."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from infra.sandbox.client import Sandbox
from tests.chaos.partner import Unreliable
from tests.chaos.storm import Plan
from tests.chaos.tenants import Host


@dataclass(slots=True)
class Count:
    """The figures of one run."""

    events: int
    least: int
    most: int
    extra_made: int
    """Conferences that were made beside the one of an event, and deleted again."""
    orphans: int
    links: int
    """Events whose link leads to their own conference."""
    lost: int
    """Events whose partner never heard of their conference."""
    told_twice: int
    """Events that were announced under two ids."""
    repeats: int
    """Deliveries of a callback that had been heard before."""
    most_repeats: int
    bodies_differ: int
    out_of_order: int
    drained_s: float = 0.0
    took_s: float = 0.0
    killed: dict[str, int] = field(default_factory=dict)
    paused: int = 0
    ended_alone: dict[str, int] = field(default_factory=dict)

    def violations(self) -> list[str]:
        """What must never be, in words."""
        must_be = {
            "fewest conferences of an event": (self.least, 1),
            "most conferences of an event": (self.most, 1),
            "conferences of no event": (self.orphans, 0),
            "events whose link leads to their conference": (self.links, self.events),
            "callbacks lost": (self.lost, 0),
            "events announced under two ids": (self.told_twice, 0),
            "callbacks whose repeat had another body": (self.bodies_differ, 0),
            "meetings whose callbacks came out of order": (self.out_of_order, 0),
        }
        return [f"{what}: {got}" for what, (got, wanted) in must_be.items() if got != wanted]

    def figures(self) -> dict[str, str]:
        """Each figure with its name."""
        kills = ", ".join(f"{count} {name}" for name, count in sorted(self.killed.items()))
        return {
            "kills": f"{sum(self.killed.values())} ({kills})",
            "pauses longer than a lease": str(self.paused),
            "conferences per event, min and max": f"{self.least} and {self.most}",
            "extra conferences made and swept": str(self.extra_made),
            "conferences of no event": str(self.orphans),
            "links that lead to their conference": f"{self.links} of {self.events}",
            "callbacks lost": str(self.lost),
            "callbacks heard again": f"{self.repeats} ({self.repeats / self.events:.1%})",
            "most deliveries of one callback": str(self.most_repeats),
            "drained after the last kill, s": f"{self.drained_s:.1f}",
            "whole run, s": f"{self.took_s:.1f}",
            "processes that ended by themselves": str(self.ended_alone or 0),
            "violations": "; ".join(self.violations()) or "none",
        }

    def in_short(self) -> str:
        """The figures that matter, in one line."""
        return (
            f"{self.events:,} events, {sum(self.killed.values())} kills, {self.paused} pauses: "
            f"{self.least} to {self.most} conferences an event, {self.lost} callbacks lost, "
            f"{self.repeats / self.events:.1%} heard again (at most {self.most_repeats} times), "
            f"drained after {self.drained_s:.0f} s, {len(self.violations())} violations"
        )


async def count(plan: Plan, sandbox: Sandbox, partner: Unreliable, hosts: list[Host]) -> Count:
    """Look at Zoom, at Google and at what the partner heard."""
    titles = [f"Event {number}" for number in range(plan.events)]
    every = await sandbox.zoom.meetings(deleted=True)
    live = [one for one in every if not one.deleted]
    there = Counter(one.topic for one in live)
    of_event = [there[title] for title in titles]
    announced = Counter(partner.titles["meeting.provisioned"].values())
    return Count(
        events=plan.events,
        least=min(of_event),
        most=max(of_event),
        extra_made=len(every) - len(live),
        orphans=len(live) - sum(of_event),
        links=await _links(sandbox, hosts, {one.topic: one.join_url for one in live}),
        lost=sum(1 for title in titles if not announced[title]),
        told_twice=sum(1 for times in announced.values() if times > 1),
        repeats=partner.deliveries.total() - len(partner.deliveries),
        most_repeats=max(partner.deliveries.values(), default=0),
        bodies_differ=sum(1 for bodies in partner.bodies.values() if len(bodies) > 1),
        out_of_order=sum(1 for seen in partner.sequences.values() if seen != sorted(seen)),
    )


async def _links(sandbox: Sandbox, hosts: list[Host], urls: dict[str, str]) -> int:
    shown = await asyncio.gather(*(sandbox.google.events(host.calendar) for host in hosts))
    return sum(
        1
        for events in shown
        for event in events
        if urls.get(event.title) and urls[event.title] in event.location
    )
