"""Which calendars could a connection watch? Asked once a day, so that gaps show in the figures too.

A service that watched 7 of 1,866 calendars did not know it (T15).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from infra.errors import NeedsReauth, Refused, TokenExpired, TryLater, Vanished
from infra.seal import Unsealable
from schemas.coverage import OFFERED_AT_MOST, Offer, Offered
from schemas.desk import CalendarListed
from workers.access import access_of
from workers.jobs.sweeping import ask_for_refresh
from workers.jobs.tending import Tending

log = structlog.get_logger("workers.connections")

OFFERS: Final = "offers"
"""Timer: ask again."""
AGAIN: Final = timedelta(hours=20)
SPREAD: Final = timedelta(hours=8)
NOT_NOW: Final = timedelta(hours=1)


async def note_offers(tending: Tending) -> None:
    """Keep what the account can see.

    A second run asks and writes the same; an account that does not answer is asked in an hour, and
    nothing else of the connection waits for it.
    """
    if not tending.connection.usable:
        return  # whoever links it again sets the timer
    tending.unit.timers[OFFERS] = NOT_NOW
    await tending.save()  # what this run has done already must not wait for the provider
    try:
        found = await _listed(tending)
    except (TryLater, NeedsReauth, Refused, TokenExpired, Vanished, Unsealable) as trouble:
        log.info("offers.unknown", connection=tending.connection.id, reason=str(trouble))
        ask_for_refresh(tending, trouble)
        return
    documents = tending.runtime.store.documents
    known = await documents.get(tending.tenant, Offered, tending.connection.id)
    tending.unit.puts.append(_offered(tending, known, found))
    tending.unit.timers[OFFERS] = AGAIN + SPREAD * tending.runtime.dice()


async def _listed(tending: Tending) -> Sequence[CalendarListed]:
    port = tending.runtime.calendars[tending.connection.provider]
    granted = access_of(tending.runtime, tending.tenant, tending.connection, tending.tokens)
    return await port.list_calendars(granted)


def _offered(tending: Tending, known: Offered | None, found: Sequence[CalendarListed]) -> Offered:
    kept = found[:OFFERED_AT_MOST]
    return Offered(
        id=tending.connection.id,
        rev=known.rev if known else 0,
        calendars=tuple(Offer(provider_id=one.provider_id, writable=one.writable) for one in kept),
        unlisted=len(found) - len(kept),
        asked_at=tending.runtime.now(),
    )
