"""Which undelivered callbacks are sent again? All that fit, a few at a time, behind a cursor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from infra.lanes import Claimed, IndexDrop, Lane, RankDrop, Unit
from infra.records import saved
from schemas.deliveries import Recovery, Undelivered
from schemas.endpoints import Endpoint, waiting_for
from schemas.items import FanOut, RecoveryCancelled
from workers.jobs.callback_records import read_item
from workers.outbox import add_post
from workers.runtime import Runtime

log = structlog.get_logger("workers.house")

AT_ONCE: Final = 48
WAITING_AT_MOST: Final = 100
"""So many are put before an endpoint at once: what is announced meanwhile need not wait behind a
whole recovery."""
RUN_AT_MOST: Final = timedelta(seconds=5)
GO_ON: Final = "go on"
FORGET: Final = "forget"
"""Timers: the next step, and the end of what is known of the recovery."""
NEXT_WALK: Final = timedelta(seconds=1)


@dataclass(slots=True)
class _Step:
    """Some rows of the list and what becomes of them."""

    tenant: str
    recovery: Recovery
    endpoints: Mapping[str, Endpoint]
    room: dict[str, int]
    """How many more may be put before each endpoint."""
    unit: Unit = field(default_factory=Unit)

    def count(self, **more: int) -> None:
        grown = {name: getattr(self.recovery, name) + by for name, by in more.items()}
        self.recovery = self.recovery.model_copy(update=grown)


async def recover(claimed: Claimed, runtime: Runtime) -> Unit:
    """Post what fits into the lanes of its subject again, behind what waits there.

    Memory does not grow with the list, and nothing is left out: the cursor is committed with every
    step, and rows whose endpoint has enough to do are met again on the next walk. A second run goes
    on behind the last step.
    """
    tenant, name = claimed.lane.tenant, claimed.lane.subject.partition("/")[2]
    recovery = await runtime.store.documents.get(tenant, Recovery, name)
    end = time.monotonic() + RUN_AT_MOST.total_seconds()
    if recovery is not None and FORGET in claimed.fired:
        return Unit(handled=[item.id for item in claimed.items], drops=[recovery])
    while recovery is not None and recovery.state == "running":
        unit, wait = await _next(claimed, runtime, recovery)
        unit.handled = [item.id for item in claimed.items]
        [recovery] = [one for one in unit.puts if isinstance(one, Recovery)]
        if wait is not None or recovery.state != "running" or time.monotonic() > end:
            if recovery.state == "running":
                unit.timers[GO_ON] = wait or timedelta(0)
            else:
                unit.timers[FORGET] = runtime.settings.keep_feed
            return unit
        claimed = await runtime.save(claimed, unit)
        recovery = saved(recovery)
    return Unit(handled=[item.id for item in claimed.items])


async def _next(
    claimed: Claimed, runtime: Runtime, recovery: Recovery
) -> tuple[Unit, timedelta | None]:
    """The unit of the next step, with the recovery after it, and how long to wait behind it."""
    if any(isinstance(read_item(item), RecoveryCancelled) for item in claimed.items):
        return Unit(puts=[_ended(runtime, recovery, "cancelled")]), None
    tenant = claimed.lane.tenant
    page = await _page(runtime, tenant, recovery)
    if page:
        step = await _step(runtime, tenant, recovery, page)
        step.unit.puts.append(step.recovery)
        return step.unit, None
    if not recovery.passed_over:
        return Unit(puts=[_ended(runtime, recovery, "done")]), None
    again = {"passed_over": 0, "cursor_at": None, "cursor_member": ""}
    return Unit(puts=[recovery.model_copy(update=again)]), NEXT_WALK


async def _page(runtime: Runtime, tenant: str, recovery: Recovery) -> list[tuple[str, float]]:
    """The next rows, oldest first; what was given up since the recovery began is not among them."""
    at, since = recovery.cursor_at, recovery.wanted.since
    start = (at, recovery.cursor_member) if at is not None else None
    if start is None and since is not None:
        start = (since.timestamp(), "")
    page = await runtime.store.rank.page(tenant, "undelivered", start, AT_ONCE)
    return [row for row in page if row[1] < recovery.started_at.timestamp()]


async def _step(
    runtime: Runtime, tenant: str, recovery: Recovery, page: Sequence[tuple[str, float]]
) -> _Step:
    store, members = runtime.store, [member for member, _ in page]
    rows = await store.index.get_many(tenant, "undelivered", members)
    found = [Undelivered.model_validate_json(row) for row in rows if row is not None]
    wanted = [row for row in found if recovery.wanted.fits(row)]
    names = sorted({row.endpoint for row in wanted})
    there = {one.id: one for one in await store.documents.get_all(tenant, Endpoint, names)}
    room = {
        name: WAITING_AT_MOST - await store.rank.size(tenant, waiting_for(name)) for name in there
    }
    step = _Step(tenant, recovery, there, room)
    for row in wanted:
        _judge(step, runtime, row)
    last = {"cursor_at": page[-1][1], "cursor_member": page[-1][0]}
    step.recovery = step.recovery.model_copy(update=last)
    return step


def _judge(step: _Step, runtime: Runtime, row: Undelivered) -> None:
    kept = runtime.settings.keep_feed
    expired = row.announced_at is not None and runtime.now() - row.announced_at > kept
    if expired or row.endpoint not in step.endpoints:
        step.count(gone=1)
    elif step.room[row.endpoint] < 1:
        step.count(passed_over=1)
    else:
        step.room[row.endpoint] -= 1
        step.count(recovered=1)
        _put_back(step, row)


def _put_back(step: _Step, row: Undelivered) -> None:
    member = f"{row.endpoint}/{row.callback}"
    subject = row.subject or row.meeting  # the first release kept meetings only
    said = FanOut(
        callback=row.callback,
        subject=subject,
        meeting=row.meeting,
        trace=row.trace,
        type=row.type,
        at=row.announced_at or row.at,
    )
    lane = Lane(step.tenant, "callback", f"{row.endpoint}/{subject}")
    add_post(step.unit, lane, said, again=True)
    step.unit.rank.append(RankDrop("undelivered", member))
    step.unit.index.append(IndexDrop("undelivered", member))


def _ended(runtime: Runtime, recovery: Recovery, state: str) -> Recovery:
    log.info("recovery.ended", recovery=recovery.id, state=state, recovered=recovery.recovered)
    return recovery.model_copy(update={"state": state, "ended_at": runtime.now()})
