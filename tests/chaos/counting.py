"""What is left after a storm: conferences, links, callbacks. Counted where partners would look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.cli.api import Api
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Sandbox
from tests.chaos.partner import Unreliable
from tests.chaos.storm import Plan
from tests.chaos.vendors import Host, Pair, conferences, placed, title_of


@dataclass(slots=True)
class Count:
    """The figures of one run."""

    events: int
    least: int
    most: int
    by_pair: dict[Pair, list[int]]
    """Conferences of each event, by the providers of its calendar and of its conference."""
    extra_made: int
    """Conferences that were made beside the one of an event, and deleted again."""
    orphans: int
    links: int
    """Events whose link leads to their own conference."""
    lost: int
    """Events whose partner never heard of their conference."""
    told_twice: int
    """Events that were announced, and numbers of a meeting that were told, under two ids."""
    repeats: int
    """Deliveries of a callback that had been heard before."""
    most_repeats: int
    bodies_differ: int
    out_of_order: int
    unheard: int = 0
    """Callbacks of the feed that the partner never heard."""
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
            "told under two ids": (self.told_twice, 0),
            "callbacks of the feed that nobody heard": (self.unheard, 0),
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
            **{
                f"  {pair}": f"{len(found)} events, {min(found)} and {max(found)}"
                for pair, found in self.by_pair.items()
            },
            "extra conferences made and swept": str(self.extra_made),
            "conferences of no event": str(self.orphans),
            "links that lead to their conference": f"{self.links} of {self.events}",
            "callbacks lost": str(self.lost),
            "callbacks of the feed never heard": str(self.unheard),
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
            f"{self.least} to {self.most} conferences an event over {len(self.by_pair)} pairs of "
            f"providers, {self.lost} callbacks lost, "
            f"{self.repeats / self.events:.1%} heard again (at most {self.most_repeats} times), "
            f"drained after {self.drained_s:.0f} s, {len(self.violations())} violations"
        )


async def count(plan: Plan, sandbox: Sandbox, partner: Unreliable, hosts: list[Host]) -> Count:
    """Look at all vendors, and at what the partner heard."""
    titles = [title_of(number) for number in range(plan.events)]
    every = await conferences(sandbox, hosts)
    live = [one for one in every if not one.deleted]
    there = Counter(one.title for one in live)
    of_event = [there[title] for title in titles]
    shown, links = await placed(sandbox, hosts), {one.title: one.link for one in live}
    announced = Counter(partner.titles["meeting.provisioned"].values())
    twice = sum(1 for times in announced.values() if times > 1)
    return Count(
        events=plan.events,
        least=min(of_event),
        most=max(of_event),
        by_pair=_by_pair(of_event, hosts),
        extra_made=len(every) - len(live),
        orphans=len(live) - sum(of_event),
        links=sum(links.get(title, title) in shown.get(title, "") for title in titles),
        lost=sum(1 for title in titles if not announced[title]),
        told_twice=twice + told_again(partner),
        repeats=partner.deliveries.total() - len(partner.deliveries),
        most_repeats=max(partner.deliveries.values(), default=0),
        bodies_differ=bodies_differ(partner),
        out_of_order=out_of_order(partner),
    )


def _by_pair(of_event: Sequence[int], hosts: Sequence[Host]) -> dict[Pair, list[int]]:
    found: dict[Pair, list[int]] = {}
    for number, there in enumerate(of_event):
        found.setdefault(hosts[number % len(hosts)].pair, []).append(there)
    return found


def told_again(partner: Unreliable) -> int:
    """Numbers of a meeting that came under a second `webhook-id`: no partner could know them as
    repeats."""
    return sum(len(seen) - len(set(seen)) for seen in partner.sequences.values())


def bodies_differ(partner: Unreliable) -> int:
    """Ids under which more than one body came."""
    return sum(1 for bodies in partner.bodies.values() if len(bodies) > 1)


def out_of_order(partner: Unreliable) -> int:
    """Meetings of which a callback first came after a later one."""
    return sum(1 for seen in partner.sequences.values() if seen != sorted(seen))


async def unheard(house: Rehearsal, partner: Unreliable, hosts: list[Host]) -> int:
    """How many callbacks stand in the tenants' feeds that the partner has not heard."""
    heard = {name.partition("_end_")[0] for name in partner.deliveries}
    told = [await _told(house, key) for key in sorted({host.key for host in hosts})]
    return len(set().union(*told) - heard)


async def _told(house: Rehearsal, key: str) -> set[str]:
    api, found, query = Api(house.api, key), set[str](), {"limit": "200"}
    try:
        while True:
            page = await api.get("/v1/feed", **query)
            found |= {item["callback"]["id"] for item in page["items"]}
            query["after"] = page["next"]
            if not page["more"]:
                return found
    finally:
        await api.aclose()
