"""The house in which workers run the gauntlet, and what must hold when they have."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from infra.cli.rehearsal import rehearsing
from tests.chaos.partner import listening
from tests.chaos.tenants import open_tenants
from tests.chaos.vendors import CREATES, Pair, conferences, placed, quarantines
from tests.crash.gauntlet import Gauntlet
from tests.crash.life import Life
from tests.crash.stuck import stood_still

QUARANTINE_S: Final = 7.0
"""Longer than the 5 s within which a create leaves."""
PAIRS: Final = (
    Pair("google", "zoom"),
    Pair("graph", "goto"),
    Pair("graph", "teams"),
    Pair("graph", "teams-event"),
)
"""Each provider, in as few pairs as there can be."""


@contextlib.asynccontextmanager
async def gauntlet(
    tenants: int, keep_log: Path | None = None, *, every: float = 0.6
) -> AsyncIterator[Gauntlet]:
    """Everything up but the worker; the partner is reliable, one create in five is answered 500
    though it was done, so that conferences are looked for too, and so are subscriptions; one update
    in three at Teams says 404 of what exists, so that it is read. Each of the `tenants` has one
    host, whom Zoom allows 100 writes a day; hosts take their providers in turn."""
    async with contextlib.AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tieline-crash-")))
        partner = await stack.enter_async_context(listening(random.Random(1)))
        partner.fails = partner.hangs = 0.0
        house = await stack.enter_async_context(
            rehearsing(home, settings=quarantines(QUARANTINE_S))
        )
        hosts = await open_tenants(house, partner, tenants, each=1, pairs=PAIRS)
        for create in (*CREATES, "graph.watch"):
            await house.sandbox.fault(create, "after", status=500, rate=0.2, seed=1)
        await house.sandbox.fault("graph.update", "before", status=404, rate=0.3, seed=1)
        await house.processes.kill("worker")
        try:
            yield Gauntlet(house, Life(house, partner, hosts), home, every)
        finally:
            if keep_log is not None:
                shutil.copy(house.log, keep_log)


async def look(run: Gauntlet) -> list[str]:
    """Everything that is not as it must be, in words."""
    life, partner = run.life, run.life.partner
    sandbox = run.house.sandbox
    live = [one for one in await conferences(sandbox, life.hosts) if not one.deleted]
    there = Counter(one.title for one in live)
    links = {one.title: one.link for one in live}
    shown = await placed(sandbox, life.hosts)
    wrong = [f"{title}: {kind}: stuck" for title, kind in life.stuck]
    if life.stuck:
        data = run.house.processes.plan.data_dir
        wrong += await stood_still(data, {title for title, _ in life.stuck})
    wrong += [f"{title}: {there[title]} conferences" for title in life.stands if there[title] != 1]
    wrong += [f"{title}: {there[title]} left" for title in life.went if there[title]]
    wrong += [
        f"{title}: its link leads elsewhere"
        for title in life.stands
        if links.get(title, title) not in shown.get(title, "")
    ]
    wrong += [f"{title}: of no event" for title in there if title not in life.stands]
    for title in life.stands + life.went:
        if (times := life.heard("meeting.provisioned", title)) != 1:
            wrong.append(f"{title}: announced {times} times")
    wrong += [f"{name}: bodies differ" for name, seen in partner.bodies.items() if len(seen) > 1]
    return wrong
