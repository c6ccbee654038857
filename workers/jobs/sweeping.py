"""Did a lost try leave a conference behind? Deletes what is provably ours, reports the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from infra.errors import InSession, NeedsReauth, Refused, TokenExpired, TryLater
from infra.lanes import Item, Lane, Post
from schemas.connections import Tokens
from schemas.items import Extra, RefreshAsked, write_load
from schemas.meetings import Meeting, shown_slot
from schemas.tending import Suspect, Suspects
from workers.access import access_of
from workers.domain.references import reference
from workers.domain.sweeping import Candidate, Drift, Kept, Lost, fate, is_open
from workers.jobs.meeting_timeline import note
from workers.jobs.tending import Tending
from workers.ports import Found

log = structlog.get_logger("workers.connections")

TIMER: Final = "sweep"
AT_ONCE: Final = 10
"""References a run looks for; each is a list call, and reports must not wait behind them."""
SETTLED: Final = 2
"""Quarantines after which a try and its search are surely over."""
AFTER_TROUBLE: Final = timedelta(minutes=1)
SUSPECTS_AT_MOST: Final = 500


async def note_extras(tending: Tending, extras: Sequence[Extra]) -> None:
    """List references for the next sweep. A second run lists them once."""
    provider = tending.provider
    if provider.conference_is_derived or provider.reference_is_key or not extras:
        return
    stored = await _suspects(tending)
    listed = {(one.meeting, one.reference): one for one in stored.listed}
    for extra in extras:
        if suspect := await _suspect(tending, extra, listed.get((extra.meeting, extra.reference))):
            listed[extra.meeting, extra.reference] = suspect
    await _keep(tending, stored, list(listed.values()))


async def sweep(tending: Tending) -> None:
    """Look for the references that are due; while the link is down they wait for the re-link.

    A second run finds less, and deletes the same.
    """
    if not tending.connection.usable:
        return
    stored = await _suspects(tending)
    now = tending.runtime.now()
    due = [one for one in stored.listed if one.due <= now][:AT_ONCE]
    left = [one for one in stored.listed if one not in due]
    for suspect in due:
        try:
            done = await _examine(tending, suspect)
        except (TryLater, NeedsReauth, TokenExpired) as trouble:
            log.info("sweep.later", connection=tending.connection.id, reason=str(trouble))
            ask_for_refresh(tending, trouble)
            done = False
        if not done:
            later = now + max(AFTER_TROUBLE, tending.quarantine)
            left.append(suspect.model_copy(update={"due": later}))
    await _keep(tending, stored, left)


async def _suspects(tending: Tending) -> Suspects:
    documents, name = tending.runtime.store.documents, tending.connection.id
    return await documents.get(tending.tenant, Suspects, name) or Suspects(id=name)


async def _suspect(tending: Tending, extra: Extra, known: Suspect | None) -> Suspect | None:
    meeting = await tending.runtime.store.documents.get(tending.tenant, Meeting, extra.meeting)
    if meeting is None:
        return known
    intended = meeting.intent.slot if meeting.intent else None
    slot = shown_slot(meeting) or intended or (known.slot if known else None)
    if slot is None:
        return None
    before = known.tries if known else ()
    tries = {one.started_at: one for one in (*before, *meeting.tries)}
    return Suspect(
        meeting=extra.meeting,
        reference=extra.reference,
        slot=slot,
        tries=tuple(tries.values()),
        due=tending.runtime.now() + SETTLED * tending.quarantine,
    )


async def _examine(tending: Tending, suspect: Suspect) -> bool:
    """Whether the reference is settled: everything found is the meeting's, deleted or reported."""
    runtime, tenant = tending.runtime, tending.tenant
    meeting = await runtime.store.documents.get(tenant, Meeting, suspect.meeting)
    if meeting is None:
        return True
    current = reference(runtime.reference_key, meeting.id, meeting.generation)
    if is_open(meeting, suspect.reference, current):
        return False
    port = runtime.conferences[tending.connection.provider]
    granted = access_of(runtime, tenant, tending.connection, tending.tokens)
    since = min((one.started_at for one in suspect.tries), default=meeting.created_at)
    found = await port.find(granted, suspect.slot, suspect.reference, since=since)
    for one in found:
        await _settle(tending, suspect, meeting, one)
    return True


async def _settle(tending: Tending, suspect: Suspect, meeting: Meeting, found: Found) -> None:
    candidate = Candidate(found.conference.id, found.created_at, found.started)
    match fate(candidate, meeting, suspect.tries, tending.quarantine):
        case Kept():
            return
        case Drift(reason=reason):
            _note(tending, suspect, found, "conference.drift", words=reason)
        case Lost():
            await _delete(tending, suspect, found)


async def _delete(tending: Tending, suspect: Suspect, found: Found) -> None:
    granted = access_of(tending.runtime, tending.tenant, tending.connection, tending.tokens)
    port = tending.runtime.conferences[tending.connection.provider]
    try:
        await port.delete(granted, found.conference)
    except (InSession, Refused) as error:
        _note(tending, suspect, found, "conference.drift", words=str(error))
        return
    _note(tending, suspect, found, "conference.swept", words="a lost try of ours was deleted")


def _note(tending: Tending, suspect: Suspect, found: Found, what: str, *, words: str) -> None:
    fields: dict[str, str | int] = {
        "connection": tending.connection.id,
        "conference": found.conference.id,
    }
    entry = note(tending.runtime, suspect.meeting, what, words, trace=tending.trace, **fields)
    tending.unit.logs.append(entry)
    log.info(what, tenant=tending.tenant, meeting=suspect.meeting, reason=words, **fields)


def ask_for_refresh(tending: Tending, trouble: Exception) -> None:
    """This lane is the one that refreshes: it asks itself, and sweeps afterwards."""
    tokens: Tokens | None = tending.tokens
    if isinstance(trouble, TokenExpired) and tokens is not None:
        item = Item(tending.runtime.new_id("it"), write_load(RefreshAsked(serial=tokens.serial)))
        lane = Lane(tending.tenant, "connection", tending.connection.id)
        tending.unit.posts.append(Post(lane, item))


async def _keep(tending: Tending, stored: Suspects, listed: list[Suspect]) -> None:
    kept = tuple(listed[-SUSPECTS_AT_MOST:])
    if kept:
        first = min(one.due for one in kept)
        tending.unit.timers[TIMER] = max(first - tending.runtime.now(), timedelta(0))
    if kept != stored.listed:
        await tending.keep_beside(stored.model_copy(update={"listed": kept}), empty=not kept)
