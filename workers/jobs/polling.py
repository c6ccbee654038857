"""What changed at a provider that pushes nothing? Asked for by a timer of the connection's lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from infra.errors import NeedsReauth, Refused, TokenExpired, TryLater
from infra.lanes import Lane
from schemas.account_asks import Whose
from schemas.accounts import AccountConference
from schemas.items import Doubted, Happened
from schemas.meetings import Meeting
from schemas.tending import Polled, Seen
from workers.access import access_of
from workers.domain.polling import differs, next_poll, shown_by
from workers.jobs.harvest import EVERY, harvest
from workers.jobs.sweeping import ask_for_refresh
from workers.jobs.tending import Tending
from workers.providers import account_conferences

log = structlog.get_logger("workers.connections")

POLL: Final = "poll"
HARVEST: Final = "harvest"
AFTER_TROUBLE: Final = timedelta(minutes=1)
AFTER_AN_END: Final = timedelta(minutes=2)
"""The provider may list a meeting that has just ended a little late."""
TURN: Final = Whose()


async def poll(tending: Tending) -> None:
    """Take changes, starts and ends of our conferences to their meetings, as reports would be.

    What it saw and what it posted are one commit, so a second run posts nothing twice.
    """
    port = account_conferences(tending.runtime.providers_wire).get(tending.connection.provider)
    if port is None or not tending.provider.is_polled or not tending.connection.usable:
        return
    access = access_of(tending.runtime, tending.tenant, tending.connection, tending.tokens)
    try:
        rows = await port.upcoming(access, TURN)
    except (TryLater, NeedsReauth, TokenExpired, Refused) as trouble:
        _later(tending, POLL, trouble)
        return
    await _compare(tending, rows)
    tending.unit.timers[POLL] = next_poll(rows, tending.runtime.now())


async def reap(tending: Tending) -> None:
    """Harvest what was held, every day and soon after an end."""
    if not tending.connection.usable:
        return
    try:
        await harvest(tending)
    except (TryLater, NeedsReauth, TokenExpired, Refused) as trouble:
        _later(tending, HARVEST, trouble)
        return
    tending.unit.timers[HARVEST] = EVERY


def begin_polling(tending: Tending) -> None:
    """Look at once, after a link or a re-link."""
    if tending.provider.is_polled:
        tending.unit.timers |= {POLL: timedelta(0), HARVEST: timedelta(0)}


async def _compare(tending: Tending, rows: Sequence[AccountConference]) -> None:
    documents, name = tending.runtime.store.documents, tending.connection.id
    stored = await documents.get(tending.tenant, Polled, name) or Polled(id=name)
    before = {one.conference: one for one in stored.seen}
    ours = await _ours(tending, rows)
    now = tending.runtime.now()
    seen: list[Seen] = []
    for row in rows:
        if tending.is_full:
            await tending.save()
        if row.id in ours:
            seen.append(_see(tending, row, ours[row.id], before.get(row.id)))
    gone = [one for one in before.values() if one.conference not in {row.id for row in rows}]
    for one in gone:
        _miss(tending, one, now)
    tending.unit.puts.append(stored.model_copy(update={"seen": tuple(seen)}))


async def _ours(tending: Tending, rows: Sequence[AccountConference]) -> Mapping[str, Meeting]:
    """The meetings whose conferences these are, by the conference's id."""
    ledger, index = f"ledger:{tending.connection.id}", tending.runtime.store.index
    named = {row.id: await index.get(tending.tenant, ledger, row.id) for row in rows}
    ids = {row: meeting for row, meeting in named.items() if meeting is not None}
    documents = tending.runtime.store.documents
    found = await documents.get_many(tending.tenant, Meeting, [*ids.values()])
    pairs = zip(ids, found, strict=True)
    return {row: meeting for row, meeting in pairs if meeting is not None}


def _see(tending: Tending, row: AccountConference, meeting: Meeting, before: Seen | None) -> Seen:
    now = tending.runtime.now()
    was_running = before.running if before else False
    running = row.running or False
    if running != was_running:
        _tell(tending, meeting.id, row.id, started=running, at=now)
    doubted = shown_by(row) if differs(row, meeting) else ""
    if doubted and (before is None or before.doubted_at != doubted):
        _doubt(tending, meeting.id, row.id)
    return Seen(
        conference=row.id,
        meeting=meeting.id,
        running=running,
        ends_at=row.ends_at,
        doubted_at=doubted,
    )


def _miss(tending: Tending, before: Seen, now: datetime) -> None:
    """It is listed no more: it has ended, is over, or was deleted there."""
    if before.running:
        _tell(tending, before.meeting, before.conference, started=False, at=now)
    elif before.ends_at is None or before.ends_at > now:
        _doubt(tending, before.meeting, before.conference)


def _tell(tending: Tending, meeting: str, conference: str, *, started: bool, at: datetime) -> None:
    told = Happened(
        conference=conference,
        what="started" if started else "ended",
        at=at,
        trace=tending.trace,
    )
    tending.post(Lane(tending.tenant, "meeting", meeting), tending.runtime.new_id("it"), told)
    if not started:
        tending.unit.timers[HARVEST] = AFTER_AN_END


def _doubt(tending: Tending, meeting: str, conference: str) -> None:
    lane = Lane(tending.tenant, "meeting", meeting)
    doubted = Doubted(conference=conference, trace=tending.trace)
    tending.post(lane, tending.runtime.new_id("it"), doubted)


def _later(tending: Tending, timer: str, trouble: Exception) -> None:
    log.info("poll.later", connection=tending.connection.id, timer=timer, reason=str(trouble))
    ask_for_refresh(tending, trouble)
    asked = getattr(trouble, "after", None) or AFTER_TROUBLE
    tending.unit.timers[timer] = max(asked, AFTER_TROUBLE)
