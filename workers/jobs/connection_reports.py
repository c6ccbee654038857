"""To which meeting does a report belong? Those of unknown conferences wait a while for theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final, assert_never

import structlog

from infra.lanes import Item, Lane, Post
from schemas.connections import Client
from schemas.items import Doubted, Happened, Report, write_load
from schemas.tending import Stranger, Strangers
from workers.domain.reports import Deauthorized, HostGone, Told
from workers.jobs.link_states import needs_reauth, revoked
from workers.jobs.tending import Tending
from workers.providers.zoom.reports import read_report

log = structlog.get_logger("workers.connections")

READERS: Final[Mapping[str, Callable[[Report], Told | None]]] = MappingProxyType(
    {"zoom": read_report}
)
TIMER: Final = "strangers"
LOOK_AGAIN: Final = (timedelta(seconds=2), timedelta(seconds=15))
"""Our own commit follows an answer within a moment; an open intent takes a quarantine longer."""
SLACK: Final = timedelta(seconds=30)
STRANGERS_AT_MOST: Final = 200
"""Most meetings of an account are none of ours, so the oldest go when it gets crowded."""


async def hear(tending: Tending, reports: Mapping[str, Report]) -> None:
    """Take the reports of this run (item id -> report) to their meetings, and look again for those
    that waited. What one commit cannot carry stays for the next run. A second run finds the same
    meetings, and posts the same reports under the same ids."""
    stored = await _strangers(tending)
    waiting = await _still_waiting(tending, stored.waiting)
    for name, report in reports.items():
        if tending.is_full:
            break
        tending.unit.handled.append(name)
        told = READERS[report.provider](report) if report.provider in READERS else None
        if isinstance(told, Doubted | Happened):
            item = write_load(told).decode()
            one = Stranger(conference=told.conference, item=item, heard_at=report.heard_at)
            if _waits(waiting, one) or not await _deliver(tending, one, name):
                _wait_or_let_go(tending, one, waiting)
        else:
            await _take(tending, told)
    await _keep(tending, stored, waiting)


async def _take(tending: Tending, told: Deauthorized | HostGone | None) -> None:
    """What is said of the link itself."""
    match told:
        case Deauthorized():
            await _deauthorized(tending, told)
        case HostGone():
            if told.user == tending.connection.account.id:
                await needs_reauth(tending, told.reason)
        case None:
            log.info("report.not_needed", connection=tending.connection.id)
        case _:
            assert_never(told)


async def _strangers(tending: Tending) -> Strangers:
    documents, name = tending.runtime.store.documents, tending.connection.id
    return await documents.get(tending.tenant, Strangers, name) or Strangers(id=name)


async def _still_waiting(tending: Tending, strangers: tuple[Stranger, ...]) -> list[Stranger]:
    """Those whose meeting is not known yet."""
    waiting: list[Stranger] = []
    for one in strangers:
        name = tending.runtime.new_id("it")
        may_go = not tending.is_full and not _waits(waiting, one)
        if not may_go or not await _deliver(tending, one, name):
            _wait_or_let_go(tending, one, waiting)
    return waiting


def _wait_or_let_go(tending: Tending, one: Stranger, waiting: list[Stranger]) -> None:
    """Who has waited out every open intent is foreign."""
    if tending.runtime.now() - one.heard_at < tending.quarantine + SLACK:
        waiting.append(one)
    else:
        _foreign(tending, one)


def _waits(waiting: list[Stranger], report: Stranger) -> bool:
    """Whether an older report about the same conference waits: order is kept."""
    return any(one.conference == report.conference for one in waiting)


async def _deliver(tending: Tending, report: Stranger, name: str) -> bool:
    """Post the report to its meeting; False when the ledger knows none."""
    ledger = f"ledger:{tending.connection.id}"
    meeting = await tending.runtime.store.index.get(tending.tenant, ledger, report.conference)
    if meeting is None:
        return False
    lane = Lane(tending.tenant, "meeting", meeting)
    tending.unit.posts.append(Post(lane, Item(name, report.item.encode())))
    return True


async def _keep(tending: Tending, stored: Strangers, waiting: list[Stranger]) -> None:
    for one in waiting[:-STRANGERS_AT_MOST]:
        _foreign(tending, one)
    kept = tuple(waiting[-STRANGERS_AT_MOST:])
    if kept:
        youngest = tending.runtime.now() - kept[-1].heard_at
        soon, later = LOOK_AGAIN
        tending.unit.timers[TIMER] = soon if youngest < later else later
    if kept != stored.waiting:
        await tending.keep_beside(stored.model_copy(update={"waiting": kept}), empty=not kept)


def _foreign(tending: Tending, one: Stranger) -> None:
    log.info("report.foreign", connection=tending.connection.id, conference=one.conference)


async def _deauthorized(tending: Tending, told: Deauthorized) -> None:
    """Removed at the vendor, if it is about this user, this app, and not older than the link."""
    connection = tending.connection
    if told.user not in {"", connection.account.id} or told.at < connection.linked_at:
        return
    documents = tending.runtime.store.documents
    client = await documents.get(tending.tenant, Client, connection.client or "-")
    if client is not None and told.client not in {"", client.client_id}:
        return
    await revoked(tending, f"the app was removed at {tending.provider.title}")
