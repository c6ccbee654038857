"""Does a notification tell of a version that we hold? Then its calendar need not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
from pydantic import ValidationError

from infra.lanes import Claimed
from infra.seal import Unsealable
from schemas.connections import Addressee, Client, Connection
from schemas.events import Sighting
from schemas.items import ContentTold, read_load
from schemas.meetings import Meeting
from schemas.seals import Sealed
from workers.jobs.rounds import Round
from workers.ports import Shown
from workers.tokens import provider_at

log = structlog.get_logger("workers.calendars")

KNOWN: Final = "known"
NEWS: Final = "news"
NOBODY_OPENS: Final = "nobody_opens"
UNSEALABLE: Final = "unsealable"


def contents_in(claimed: Claimed) -> tuple[ContentTold, ...]:
    """What notifications carried, of everything that lies in a calendar's lane."""
    found = []
    for item in claimed.items:
        try:
            load = read_load(item.body)
        except ValidationError:  # of a newer release; it counts as a hint
            continue
        if isinstance(load, ContentTold):
            found.append(load)
    return tuple(found)


async def tells_nothing_new(turn: Round) -> bool:
    """Whether all that came are contents of versions that we hold.

    What cannot be opened or believed is a hint like any other, and so is what shows something else:
    the calendar is read, and what lies behind in the lane with it. Nothing is taken from a content
    but this. A second run opens and compares once more.
    """
    claimed, reading = turn.claimed, turn.reading
    alone = claimed.items and len(turn.contents) == len(claimed.items)
    if claimed.mark or claimed.fired or not alone or reading.cursor is None or reading.full:
        return False
    addressee = await _addressee(turn)
    for content in turn.contents:
        shown = await _opened(turn, content, addressee)
        outcomes = [await _outcome(turn, one) for one in shown]
        for outcome in outcomes:
            turn.runtime.content_told(turn.calendar.provider, outcome)
        if set(outcomes) != {KNOWN}:
            return False
    return True


async def _addressee(turn: Round) -> Addressee:
    documents = turn.runtime.store.documents
    connection = await documents.get(turn.tenant, Connection, turn.calendar.connection)
    client = None
    if connection is not None and connection.client is not None:
        client = await documents.get(turn.tenant, Client, connection.client)
    base_url = connection.base_url if connection else None
    provider = provider_at(turn.runtime, turn.calendar.provider, base_url)
    return Addressee(
        client=client.client_id if client else "",
        directory=connection.directory if connection else "",
        identity=provider.urls.identity,
    )


async def _opened(turn: Round, content: ContentTold, addressee: Addressee) -> Sequence[Shown | str]:
    port = turn.runtime.contents.get(turn.calendar.provider)
    if port is None:  # switched off meanwhile
        return [NOBODY_OPENS]
    context = Sealed.CONTENT.of(turn.tenant, turn.calendar.id)
    try:
        load = turn.runtime.vault.open(content.sealed, context=context)
    except Unsealable:
        return [UNSEALABLE]
    return await port.read(load, addressee)


async def _outcome(turn: Round, shown: Shown | str) -> str:
    if isinstance(shown, str):
        log.warning("content.dropped", calendar=turn.calendar.id, reason=str(shown))
        return shown
    return KNOWN if await _is_held(turn, shown) else NEWS


async def _is_held(turn: Round, shown: Shown) -> bool:
    """Whether we saw this version, or made it out of the one that we saw."""
    documents = turn.runtime.store.documents
    key = Sighting.key(turn.calendar.id, shown.event)
    sighting = await documents.get(turn.tenant, Sighting, key)
    if sighting is None:
        return False
    if sighting.event.etag == shown.version:
        return True
    meeting = await documents.get(turn.tenant, Meeting, sighting.meeting)
    ours = (sighting.event.etag, shown.version)
    return meeting is not None and any(
        one.event == shown.event and one.calendar == turn.calendar.id and one.etags == ours
        for one in meeting.written
    )
