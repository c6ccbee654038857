"""After a life of the data ended: is all that exists at an account known again? (ENGINE 29)"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from infra.errors import NeedsReauth, Refused, TokenExpired, TryLater
from schemas.items import Extra
from schemas.providers import Role
from workers.access import access_of
from workers.jobs.sweeping import ask_for_refresh, note_extras
from workers.jobs.tending import Tending

log = structlog.get_logger("workers.connections")

TIMER: Final = "reconcile"
LOOK_AGAIN: Final = timedelta(hours=1)
AFTER_TROUBLE: Final = timedelta(minutes=1)


async def know_again(tending: Tending) -> None:
    """End the epoch's searching: note that the account holds nothing of ours that nobody knows.

    What a lost intent asked for may take effect for a quarantine longer. While something is there
    that nobody knows, its meeting may still come to look for it, so every create finds first. A
    second run reads the list once more.
    """
    if not _is_behind(tending):
        return
    epoch = tending.runtime.store.epoch
    current, left = epoch.current, tending.quarantine - epoch.known_for()
    if left > timedelta(0):
        tending.unit.timers[TIMER] = left
        return
    try:
        strangers = await _strangers(tending)
    except (TryLater, NeedsReauth, TokenExpired, Refused) as trouble:
        log.info("reconcile.later", connection=tending.connection.id, reason=str(trouble))
        ask_for_refresh(tending, trouble)
        tending.unit.timers[TIMER] = AFTER_TROUBLE
        return
    if strangers is None:  # it cannot be listed: each create asks for its own
        return
    if not strangers:
        tending.becomes(reconciled_epoch=current)
        log.info("reconcile.done", connection=tending.connection.id, epoch=current)
        return
    log.warning("reconcile.strangers", connection=tending.connection.id, conferences=strangers)
    tending.unit.timers[TIMER] = LOOK_AGAIN


def _is_behind(tending: Tending) -> bool:
    connection = tending.connection
    return (
        connection.role is Role.CONFERENCING
        and connection.usable
        and not tending.provider.conference_is_derived
        and connection.reconciled_epoch != tending.runtime.store.epoch.current
    )


async def _strangers(tending: Tending) -> list[str] | None:
    """What carries a reference of ours that the ledger does not hold. What it holds has a meeting,
    which has it, is about to, or leaves it to the sweep. None: the account cannot be listed."""
    runtime, connection = tending.runtime, tending.connection
    port = runtime.conferences[connection.provider]
    granted = access_of(runtime, tending.tenant, connection, tending.tokens)
    listed = await port.listed(granted)
    if listed is None:
        return None
    ledger = await runtime.store.index.all(tending.tenant, f"ledger:{connection.id}")
    extras: list[Extra] = []
    strangers: list[str] = []
    for row in listed:
        if not row.reference or row.id in ledger:
            continue
        name = next((name for name in ledger if name.startswith(row.reference)), None)
        if name is None:
            strangers.append(row.id)
        else:
            extras.append(Extra(meeting=ledger[name], reference=name))
    await note_extras(tending, extras)
    return strangers
