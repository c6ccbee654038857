"""Can a calendar not be read? Said on the reading and in the calendar's timeline, once, and when it
is over (T12: a source that dies in silence is found weeks later)."""

from __future__ import annotations

from typing import Final

import structlog

from infra.errors import RateLimited, StoreAway, StoreFull, TryLater
from infra.lanes import Entry, Unit
from schemas.connections import Reading
from workers.jobs.meeting_timeline import note
from workers.jobs.rounds import Round

log = structlog.get_logger("workers.calendars")

FAILURES: Final = 3
"""Readings in a row that did not come through; fewer are a provider's hiccup."""
FAILING: Final = "calendar.failing"
READ_AGAIN: Final = "calendar.read_again"


async def note_failure(turn: Round, later: TryLater) -> None:
    """A reading did not come through, and is tried again. The third in a row is trouble; a limit
    and a store that is away say nothing about the calendar."""
    if isinstance(later, RateLimited | StoreAway | StoreFull) or turn.reading.trouble:
        return
    if turn.claimed.failures + 1 < FAILURES:
        return
    reason = f"{turn.claimed.failures + 1} readings in a row did not come through: {later}"
    reading, entries = troubled(turn, reason)
    await turn.save(Unit(logs=entries), reading)


def troubled(turn: Round, reason: str) -> tuple[Reading, list[Entry]]:
    """The reading with its trouble, and what the timeline says of it: the same one once only."""
    reading = turn.reading
    if reading.trouble == reason:
        return reading, []
    log.warning("calendar.troubled", calendar=turn.calendar.id, tenant=turn.tenant, reason=reason)
    since = reading.troubled_at or turn.runtime.now()
    after = reading.model_copy(update={"trouble": reason, "troubled_at": since})
    return after, [_entry(turn, FAILING, reason)]


def over(turn: Round) -> list[Entry]:
    """What the timeline says when a reading comes through: nothing, if it always did."""
    if not turn.reading.trouble:
        return []
    return [_entry(turn, READ_AGAIN, f"it was in trouble: {turn.reading.trouble}")]


def _entry(turn: Round, what: str, words: str) -> Entry:
    connection = turn.calendar.connection
    return note(
        turn.runtime, turn.calendar.id, what, words, trace=turn.trace, connection=connection
    )
