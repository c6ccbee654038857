"""One run: everything up, a storm, calm again, and what is left counted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from math import ceil
from pathlib import Path
from typing import Final

from infra.cli.rehearsal import Rehearsal, rehearsing
from infra.sandbox.hands import Provider
from tests.chaos.counting import Count, count, unheard
from tests.chaos.partner import Unreliable, listening
from tests.chaos.storm import Plan, Storm
from tests.chaos.tenants import EVENTS_A_HOST, open_tenants
from tests.chaos.vendors import (
    CREATES,
    MIXED,
    PATCHES,
    Host,
    conferences,
    notify,
    quarantines,
)

QUARANTINE_S: Final = 10.0
DEADLINE_S: Final = 5.0
"""The sandbox answers within milliseconds or, where it hangs, not at all."""
CALENDARS: Final[tuple[Provider, ...]] = ("google", "graph")
LATE_S: Final = 3.0
"""Sent within 5 s of its intent and 3 s late there: over before the quarantine is."""
CALM_WITHIN: Final = 300.0
"""What met a misfortune eight times in a row waits for two minutes; less would call it lost that is
only late."""
HEARD_WITHIN: Final = 300.0
"""Likewise of a callback that its partner refused."""


async def run(plan: Plan, keep_log: Path | None = None) -> Count:
    """Let it happen; `keep_log` is where the processes' words are kept."""
    dice = random.Random(plan.seed)
    async with contextlib.AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tieline-chaos-")))
        partner = await stack.enter_async_context(listening(dice))
        house = await stack.enter_async_context(
            rehearsing(
                home,
                settings={
                    **quarantines(QUARANTINE_S),
                    "TIELINE_PROVIDER_DEADLINE_S": str(DEADLINE_S),
                },
                copies={"worker": 2},
            )
        )
        try:
            return await _storm_and_calm(plan, house, partner, dice)
        finally:
            if keep_log is not None:
                shutil.copy(house.log, keep_log)


async def _storm_and_calm(
    plan: Plan, house: Rehearsal, partner: Unreliable, dice: random.Random
) -> Count:
    wanted = max(len(MIXED), ceil(plan.events / EVENTS_A_HOST))
    hosts = await open_tenants(house, partner, wanted, pairs=MIXED)
    await _set_faults(house, plan.seed)
    began = time.monotonic()
    storm = Storm(plan, house, hosts, dice)
    await storm.rage()
    await _clear_up(house, storm)
    drained = await _drained(plan, house, partner, storm)
    silent = await _heard_out(house, partner, hosts)
    counted = await count(plan, house.sandbox, partner, hosts)
    counted.drained_s, counted.unheard = drained, silent
    counted.took_s = time.monotonic() - began
    counted.killed, counted.paused = dict(storm.killed), storm.paused
    counted.ended_alone = dict(storm.ended_alone)
    return counted


async def _set_faults(house: Rehearsal, seed: int) -> None:
    """The rates of F1, for the writes of links as well; a notification in ten comes twice, one in
    fifty never."""
    sandbox = house.sandbox
    for operation in (*CREATES, *PATCHES):
        await sandbox.fault(operation, "before", status=500, rate=0.05, seed=seed)
        await sandbox.fault(operation, "after", status=500, rate=0.05, seed=seed + 1)
        await sandbox.fault(operation, "hang_after", rate=0.05, seed=seed + 2)
        await sandbox.fault(operation, "late", rate=0.02, seed=seed + 3, delay_s=LATE_S)
    for calendar in CALENDARS:
        await sandbox.manners(calendar, duplicate=0.1, drop=0.02)


async def _clear_up(house: Rehearsal, storm: Storm) -> None:
    """Faults end. What nobody was told of is seen with the calendar's next notification."""
    await storm.revive()
    await house.ready()
    await house.sandbox.lift()
    for calendar in CALENDARS:
        await house.sandbox.manners(calendar, duplicate=0, drop=0)
    for host in storm.hosts:
        await notify(house.sandbox, host)


async def _drained(plan: Plan, house: Rehearsal, partner: Unreliable, storm: Storm) -> float:
    """Seconds from the last misfortune until every event was announced and no extra is left.
    Looking takes the sandbox's time, which the workers need: it looks half of the time at most."""
    looked, end = time.monotonic(), time.monotonic() + CALM_WITHIN
    while looked < end and not await _calm(plan, house, partner, storm):
        await asyncio.sleep(max(0.5, time.monotonic() - looked))
        looked = time.monotonic()
    return looked - storm.last_kill


async def _calm(plan: Plan, house: Rehearsal, partner: Unreliable, storm: Storm) -> bool:
    if len(set(partner.titles["meeting.provisioned"].values())) < plan.events:
        return False
    every = await conferences(house.sandbox, storm.hosts)
    return sum(not one.deleted for one in every) <= plan.events


async def _heard_out(house: Rehearsal, partner: Unreliable, hosts: list[Host]) -> int:
    """Wait for what is still on its way, each callback of the feed; how many never came."""
    end = time.monotonic() + HEARD_WITHIN
    while (left := await unheard(house, partner, hosts)) and time.monotonic() < end:  # noqa: ASYNC110 - polled
        await asyncio.sleep(1)
    return left


def table(plan: Plan, counted: Count, name: str = "F1") -> str:
    """The figures as a person reads them, and in one line of that name."""
    rows = {"events": plan.events, "seed": plan.seed, **counted.figures()}
    lines = [f"  {what:36} {value}" for what, value in rows.items()]
    return "\n".join([*lines, f"[{name}] {counted.in_short()}"])
