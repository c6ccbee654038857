"""What does a connection need? Its reports taken on, its token fresh, its end or return told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog
from pydantic import ValidationError

from infra.lanes import Claimed, Item, Unit
from schemas.items import (
    Extra,
    LinkBroken,
    LinkChanged,
    RefreshAsked,
    Report,
    UnlinkAsked,
    read_load,
)
from workers.jobs.connection_reports import TIMER as STRANGERS
from workers.jobs.connection_reports import hear
from workers.jobs.knowing_again import TIMER as RECONCILE
from workers.jobs.knowing_again import know_again
from workers.jobs.link_states import broken, relinked, unlink
from workers.jobs.offers import OFFERS, note_offers
from workers.jobs.polling import HARVEST, POLL, begin_polling, poll, reap
from workers.jobs.refreshing import refresh_tokens
from workers.jobs.sweeping import TIMER as SWEEP
from workers.jobs.sweeping import note_extras, sweep
from workers.jobs.tending import Tending, begin
from workers.runtime import Runtime

log = structlog.get_logger("workers.connections")

REFRESH: Final = "refresh"


@dataclass(slots=True)
class Mail:
    """The items of one run, sorted by what they ask for; each by its item's id."""

    reports: dict[str, Report] = field(default_factory=dict)
    refreshes: dict[str, RefreshAsked] = field(default_factory=dict)
    breaks: dict[str, LinkBroken] = field(default_factory=dict)
    unlinks: dict[str, UnlinkAsked] = field(default_factory=dict)
    changes: dict[str, LinkChanged] = field(default_factory=dict)
    extras: dict[str, Extra] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


async def tend_connection(claimed: Claimed, runtime: Runtime) -> Unit:
    """Do what the items and timers of one connection ask for.

    A second run repeats what the first did not commit: reports go out under the same ids, a refresh
    that began is known to have begun, an unlink goes on behind its committed state.
    """
    tending = await begin(claimed, runtime)
    if tending is None:
        return Unit(handled=[item.id for item in claimed.items])
    mail = _sorted(claimed)
    fired = claimed.fired
    await _read_reports(tending, mail, look_again=STRANGERS in fired)
    await _hear_of_breaks(tending, mail)
    await _renew(tending, mail, due=REFRESH in fired)
    await _end_or_wake(tending, mail)
    await note_extras(tending, list(mail.extras.values()))
    tending.unit.handled.extend(mail.extras)
    if SWEEP in fired:
        await sweep(tending)
    if RECONCILE in fired or REFRESH in fired:  # each link is looked at once an hour
        await know_again(tending)
    if POLL in fired:
        await poll(tending)
    if HARVEST in fired:
        await reap(tending)
    if OFFERS in fired:
        await note_offers(tending)
    tending.unit.handled.extend(mail.unreadable)
    return tending.settle()


async def _read_reports(tending: Tending, mail: Mail, *, look_again: bool) -> None:
    if mail.reports or look_again:
        await hear(tending, mail.reports)
    if mail.reports and tending.provider.is_polled:  # what else it pushes: look now
        tending.unit.timers[POLL] = timedelta(0)


async def _hear_of_breaks(tending: Tending, mail: Mail) -> None:
    for name, load in mail.breaks.items():
        await broken(tending, load.reason, load.missing_scopes)
        tending.unit.handled.append(name)


async def _renew(tending: Tending, mail: Mail, *, due: bool) -> None:
    """One refresh for everyone who asked; who asked because of an older token has its answer."""
    serial = tending.tokens.serial if tending.tokens else 0
    if due or any(load.serial >= serial for load in mail.refreshes.values()):
        await refresh_tokens(tending)
    tending.unit.handled.extend(mail.refreshes)


async def _end_or_wake(tending: Tending, mail: Mail) -> None:
    for name, load in mail.unlinks.items():
        await unlink(tending, load.actor)
        tending.unit.handled.append(name)
    if mail.changes:
        await relinked(tending)
        tending.unit.timers[SWEEP] = timedelta(0)
        begin_polling(tending)
        tending.unit.handled.extend(mail.changes)


def _sorted(claimed: Claimed) -> Mail:
    mail = Mail()
    for item in claimed.items:
        _put(mail, item, claimed)
    return mail


def _put(mail: Mail, item: Item, claimed: Claimed) -> None:
    try:
        load = read_load(item.body)
    except ValidationError:
        load = None
    match load:
        case Report():
            mail.reports[item.id] = load
        case RefreshAsked():
            mail.refreshes[item.id] = load
        case LinkBroken():
            mail.breaks[item.id] = load
        case UnlinkAsked():
            mail.unlinks[item.id] = load
        case LinkChanged():
            mail.changes[item.id] = load
        case Extra():
            mail.extras[item.id] = load
        case _:
            mail.unreadable.append(item.id)
            log.error("item.unreadable", lane=claimed.lane.name, item=item.id)
