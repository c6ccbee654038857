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

import orjson

from infra.cli.rehearsal import Rehearsal, rehearsing
from tests.chaos.partner import listening
from tests.chaos.tenants import open_tenants
from tests.crash.gauntlet import Gauntlet
from tests.crash.life import Life

QUARANTINE_S: Final = 7.0
"""Longer than the 5 s within which a create leaves."""


@contextlib.asynccontextmanager
async def gauntlet(tenants: int, keep_log: Path | None = None) -> AsyncIterator[Gauntlet]:
    """Everything up but the worker; the partner is reliable, one create in five is answered 500
    though it was done, so that conferences are looked for too. Each of the `tenants` has one host,
    whom Zoom allows 100 writes a day."""
    async with contextlib.AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tieline-crash-")))
        partner = await stack.enter_async_context(listening(random.Random(1)))
        partner.fails = partner.hangs = 0.0
        settings = {"TIELINE_QUARANTINE_S": orjson.dumps({"zoom": QUARANTINE_S}).decode()}
        house = await stack.enter_async_context(rehearsing(home, settings=settings))
        hosts = await open_tenants(house, partner, tenants, each=1)
        await house.sandbox.fault("zoom.create", "after", status=500, rate=0.2, seed=1)
        await house.processes.kill("worker")
        try:
            yield Gauntlet(house, Life(house, partner, hosts), home)
        finally:
            if keep_log is not None:
                shutil.copy(house.log, keep_log)


async def look(run: Gauntlet) -> list[str]:
    """Everything that is not as it must be, in words."""
    life, house, partner = run.life, run.house, run.life.partner
    there = Counter(one.topic for one in await house.sandbox.zoom.meetings())
    links = await _links(house, life)
    wrong = [f"{title}: stuck" for title in life.stuck]
    wrong += [f"{title}: {there[title]} conferences" for title in life.stands if there[title] != 1]
    wrong += [f"{title}: {there[title]} left" for title in life.went if there[title]]
    wrong += [f"{title}: its link leads elsewhere" for title in life.stands if title not in links]
    wrong += [f"{title}: of no event" for title in there if title not in life.stands]
    for title in life.stands + life.went:
        if (times := life.heard("meeting.provisioned", title)) != 1:
            wrong.append(f"{title}: announced {times} times")
    wrong += [f"{name}: bodies differ" for name, seen in partner.bodies.items() if len(seen) > 1]
    return wrong


async def _links(house: Rehearsal, life: Life) -> set[str]:
    """The events whose link leads to their own conference."""
    urls = {one.topic: one.join_url for one in await house.sandbox.zoom.meetings()}
    shown = [await house.sandbox.google.events(host.calendar) for host in life.hosts]
    return {
        event.title
        for events in shown
        for event in events
        if event.title in urls and urls[event.title] in event.location
    }
