"""What changed on a calendar? Read the delta from our own cursor, page by page, cursor last."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from infra.errors import (
    NeedsReauth,
    NotPermitted,
    NotSent,
    Refused,
    TryLater,
    Unknown,
    Vanished,
)
from infra.lanes import Claimed, Item, Lane, Post, RankDrop, RankSet, Unit
from schemas.connections import Calendar, Reading
from schemas.events import Gone, Sighting
from schemas.items import LinkBroken, write_load
from schemas.policy import Policy, PolicyRules, is_past
from workers.access import with_access
from workers.jobs.calendar_trouble import FAILURES, note_failure, over, troubled
from workers.jobs.contents import contents_in, tells_nothing_new
from workers.jobs.rounds import Round
from workers.jobs.sightings import Sightings, drop_sighting, forget_sighting
from workers.jobs.subscriptions import RENEW, keep_subscribed, note_missed, stop_watching
from workers.ports import Access, Calendars, CursorExpired, Page
from workers.runtime import Runtime

log = structlog.get_logger("workers.calendars")

POLL: Final = (timedelta(minutes=15), timedelta(minutes=45))
"""A calendar is read at least this often, and that much later at most: a push that never came is
repaired (DESIGN §4), and a fleet's polls do not march in step."""
FULL: Final = (timedelta(hours=20), timedelta(hours=8))
SUBSCRIBE_AGAIN: Final = timedelta(minutes=5)
"""What failed to be subscribed three times in a row rests for so long, and is read as ever."""
LOOK_AGAIN: Final = timedelta(seconds=15)
"""Providers may list a change later than they push it (ENGINE 19)."""
REST: Final = timedelta(milliseconds=500)
"""Between two readings that hints led to: what comes meanwhile is one reading more, not many."""
LONG_REST: Final = timedelta(seconds=5)
MANY_HINTS: Final = 20
"""So many in one go are a burst (a provider's backlog, an import): it is let pass."""
PAST_KEPT: Final = timedelta(days=1)
"""A full read shows what ends after this long ago."""
ABSENT_A_COMMIT: Final = 20


async def read_calendar(claimed: Claimed, runtime: Runtime) -> Unit:
    """Read what changed since our cursor and post it to the meetings it concerns.

    A second run reads on from the last page that was committed and posts the same sightings again;
    meetings ignore what they know.
    """
    turn = await _begin(claimed, runtime)
    if turn is None:
        return _done(claimed)
    if not turn.calendar.watched:
        await stop_watching(turn)
        return _done(claimed)
    if await tells_nothing_new(turn):
        return _done(claimed)
    try:
        untold = await _subscribe(turn)
        await _read_to_the_end(turn)
    except TryLater as later:
        await note_failure(turn, later)
        raise
    except (NeedsReauth, Refused, Vanished) as error:
        return _in_trouble(turn, error)
    if untold is not None and claimed.failures + 1 < FAILURES:
        raise untold
    unit = _rested(turn)
    if untold is not None:
        unit.timers[RENEW] = SUBSCRIBE_AGAIN
    return unit


async def _subscribe(turn: Round) -> NotSent | Unknown | None:
    """What kept the provider from promising to tell us: no reason not to read what there is."""
    try:
        await keep_subscribed(turn, renew=RENEW in turn.claimed.fired)
    except (NotSent, Unknown) as later:
        log.warning("subscription.later", calendar=turn.calendar.id, reason=str(later))
        return later
    return None


async def _begin(claimed: Claimed, runtime: Runtime) -> Round | None:
    tenant, subject = claimed.lane.tenant, claimed.lane.subject
    documents = runtime.store.documents
    [calendar], reading = await documents.get_beside(
        tenant, Calendar, [subject], beside=(Reading, subject)
    )
    if calendar is None:
        return None
    reading = reading or Reading(id=subject)
    rules = await documents.get(tenant, PolicyRules, "policy") or PolicyRules(id="policy")
    query = f"{runtime.calendars[calendar.provider].query}&rules={rules.rev}"
    rooms = {calendar.id: calendar.room} if calendar.room else {}
    query += f"&room={calendar.room}" if calendar.room else ""
    contents = contents_in(claimed)
    turn = Round(
        claimed=claimed,
        runtime=runtime,
        calendar=calendar,
        reading=reading,
        policy=Policy(rules=rules.rules, default=rules.default, rooms=rooms),
        trace=runtime.new_id("tr"),
        hints=_news(claimed.mark, reading.marked) + len(contents),
        contents=contents,
    )
    if reading.cursor is None or reading.query != query or "full" in claimed.fired:
        turn.reading = _from_the_start(turn, query)
    return turn


def _news(mark: int, before: int) -> int:
    """The lane counts on while it has anything to say, and from 1 if it was forgotten."""
    return mark - before if mark >= before else mark


def _from_the_start(turn: Round, query: str) -> Reading:
    """A full reading, going on with its page if one with these parameters is under way."""
    reading = turn.reading
    if reading.full and reading.page is not None and reading.query == query:
        return reading
    return reading.model_copy(
        update={
            "cursor": None,
            "page": None,
            "full": True,
            "generation": reading.generation + 1,
            "query": query,
            "window_from": turn.runtime.now() - PAST_KEPT,
        }
    )


async def _read_to_the_end(turn: Round) -> None:
    """All pages; each is committed with its page token, the cursor with the last (ENGINE 30)."""
    more = True
    while more:
        try:
            page = await _page(turn)
        except CursorExpired:
            log.info("calendar.cursor_expired", calendar=turn.calendar.id, tenant=turn.tenant)
            turn.reading = _restart(turn)
            continue
        await _keep_page(turn, page)
        more = page.next_page is not None
    if turn.reading.full:
        await _settle_absences(turn)


def _restart(turn: Round) -> Reading:
    """The cursor is dead (410): what went on in the gap is found by a full reading (T10)."""
    turn.reading = turn.reading.model_copy(update={"page": None})
    return _from_the_start(turn, turn.reading.query)


async def _page(turn: Round) -> Page:
    reading = turn.reading
    since = reading.window_from or turn.runtime.now() - PAST_KEPT

    async def read(provider: str, access: Access) -> Page:
        port: Calendars = turn.runtime.calendars[provider]
        return await port.read_page(
            access,
            turn.calendar.provider_id,
            cursor=reading.cursor,
            page=reading.page,
            since=since,
        )

    return await with_access(turn.runtime, turn.tenant, turn.calendar.connection, read)


async def _keep_page(turn: Round, page: Page) -> None:
    """Commit a page in as many steps as its sightings need; the token goes with the last step."""
    turn.changes += len(page.changes)
    if page.changes:
        note_missed(turn)
    sightings = Sightings(turn.runtime, turn.tenant, turn.calendar.id, turn.policy, turn.strays)
    units = await sightings.units(
        page.changes,
        generation=turn.reading.generation,
        hints=turn.hints,
        trace=turn.trace,
        full=turn.reading.full,
    )
    for unit in units[:-1]:
        await turn.save(unit, turn.reading)
    done = page.next_page is None
    reading = turn.reading.model_copy(
        update={
            "page": page.next_page,
            "cursor": page.cursor if done else turn.reading.cursor,
            "read_at": turn.runtime.now() if done else turn.reading.read_at,
            "marked": turn.claimed.mark or turn.reading.marked,
            "trouble": "",
            "troubled_at": None,
        }
    )
    units[-1].logs += over(turn)
    await turn.save(units[-1], reading)


async def _settle_absences(turn: Round) -> None:
    """What the full reading did not show, though it lies inside its window, is confirmed gone one
    by one before anything is torn down (DESIGN §6: positive proof)."""
    rank = f"events:{turn.calendar.id}"
    below = turn.reading.generation - 1
    while absent := await turn.runtime.store.rank.up_to(turn.tenant, rank, below, ABSENT_A_COMMIT):
        unit = Unit()
        for event in absent:
            await _settle_absence(turn, unit, event)
        await turn.save(unit, turn.reading)
    await turn.save(Unit(), turn.reading.model_copy(update={"full": False}))


async def _settle_absence(turn: Round, unit: Unit, event: str) -> None:
    async def read(provider: str, access: Access) -> bool:
        port: Calendars = turn.runtime.calendars[provider]
        found = await port.read_event(access, turn.calendar.provider_id, event)
        return isinstance(found, Gone)

    key = Sighting.key(turn.calendar.id, event)
    sighting = await turn.runtime.store.documents.get(turn.tenant, Sighting, key)
    if sighting is None:
        unit.rank.append(RankDrop(f"events:{turn.calendar.id}", event))
    elif is_past(sighting.event.slot, turn.reading.window_from or turn.runtime.now()):
        forget_sighting(unit, sighting)  # outside the window: absence says nothing
    elif await with_access(turn.runtime, turn.tenant, turn.calendar.connection, read):
        drop_sighting(unit, turn.runtime, turn.tenant, sighting, trace=turn.trace)
    else:
        unit.rank.append(RankSet(f"events:{turn.calendar.id}", event, turn.reading.generation))


def _rested(turn: Round) -> Unit:
    """Let the lane go with its next appointments; a hint that showed nothing is looked at again."""
    unit = _done(turn.claimed)
    dice = turn.runtime.dice()
    unit.timers["poll"] = POLL[0] + POLL[1] * dice
    if "full" in turn.claimed.fired or turn.reading.generation <= 1:
        unit.timers["full"] = FULL[0] + FULL[1] * dice
    if turn.was_told:
        unit.not_before = LONG_REST if turn.hints >= MANY_HINTS else REST
        if not turn.changes and "look_again" not in turn.claimed.fired:
            unit.timers["look_again"] = LOOK_AGAIN
    return unit


def _in_trouble(turn: Round, error: NeedsReauth | Refused | Vanished) -> Unit:
    """The calendar cannot be read until a person acts: said on the reading, and tried again with
    the next poll. Only a link that is down is told to the connection; others read on."""
    unit, reason = _done(turn.claimed), str(error) or "the provider has this calendar no more"
    reading, unit.logs = troubled(turn, reason)
    unit.puts.append(reading)
    unit.timers["poll"] = POLL[1]
    if isinstance(error, NotPermitted):  # until somebody has it looked at again
        unit.timers |= dict.fromkeys(("poll", "full", RENEW, "look_again"))
    if isinstance(error, NeedsReauth):
        missing = tuple(sorted(error.missing))
        broken = write_load(LinkBroken(reason=reason, missing_scopes=missing))
        lane = Lane(turn.tenant, "connection", turn.calendar.connection)
        unit.posts.append(Post(lane, Item(turn.runtime.new_id("it"), broken)))
    return unit


def _done(claimed: Claimed) -> Unit:
    return Unit(handled=[item.id for item in claimed.items], mark=claimed.mark or None)
