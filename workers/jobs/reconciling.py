"""What differs from our books on one connection, and how is it mended? Desk work (B-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from infra.errors import InSession, Refused
from infra.lanes import IndexDrop, Item, Lane, Post, Unit
from schemas.account_asks import Reconcile
from schemas.connections import Calendar, Connection
from schemas.desk import DeskAnswer
from schemas.drift import Drifted, Listed, Reconciled
from schemas.events import Event, Sighting, Slot
from schemas.items import DriftFound, Extra, write_load
from schemas.meetings import Conference, Meeting
from schemas.policy import is_past
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Role
from workers.domain.drift import NOBODYS, Books, at_provider, in_calendar, missing, unlisted
from workers.jobs.desk import Declined, Desk
from workers.jobs.questions import connection_of, through
from workers.ports import Access, Page

SHOWN: Final = 200
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ASKED_FOR: Final = 100
"""Conferences that no list shows and that are asked for one by one."""
DOCUMENTS_AT_ONCE: Final = 500
PAST_READ: Final = timedelta(days=1)
MENDED_A_COMMIT: Final = 25
NO_SLOT: Final = Slot(title="", starts_at=EPOCH, ends_at=EPOCH)
"""Of a conference of which nothing is known but its id; to delete it no more is needed."""


async def reconcile(desk: Desk, ask: Reconcile) -> DeskAnswer:
    """The report; with `apply`, the first `limit` things that the ledger holds are mended.

    A second run finds what is still amiss, and has the same meetings look again.
    """
    connection = await connection_of(desk, ask.connection)
    unread = 0
    if connection.role is Role.CALENDAR:
        found = await _of_calendars(desk, connection)
    else:
        found, unread = await _of_account(desk, connection)
    found.sort(key=lambda one: (not one.held, one.kind, one.id))
    if ask.apply:
        found = await _mended(desk, connection, found, ask.limit)
    report = Reconciled(
        counts=dict(Counter(one.kind for one in found)),
        items=tuple(found[:SHOWN]),
        left_out=max(0, len(found) - SHOWN),
        unread=unread,
    )
    return desk.done(connection=connection.id, drift=report)


async def _of_account(desk: Desk, connection: Connection) -> tuple[list[Drifted], int]:
    async def call(provider: str, access: Access) -> list[Listed] | None:
        return await desk.runtime.conferences[provider].listed(access)

    listed = await through(desk, connection.id, call)
    if listed is None:
        title = PROVIDERS[connection.provider].title
        words = f"{title} lists no conferences, so there is nothing to compare with."
        raise Declined(ProblemType.NOT_OFFERED, words)
    ledger = await desk.runtime.store.index.all(desk.tenant, f"ledger:{connection.id}")
    books = Books(ledger, await _meetings(desk, ledger.values()), desk.runtime.now())
    absent = unlisted(listed, books, connection.id)
    gone = [
        missing(one, one.conference.id)
        for one in absent[:ASKED_FOR]
        if one.conference is not None and not await _is_there(desk, one)
    ]
    return [*at_provider(listed, books), *gone], len(absent[ASKED_FOR:])


async def _is_there(desk: Desk, meeting: Meeting) -> bool:
    conference = meeting.conference
    if conference is None:
        return False

    async def call(provider: str, access: Access) -> bool:
        return await desk.runtime.conferences[provider].read(access, conference) is not None

    return await through(desk, conference.connection, call)


async def _of_calendars(desk: Desk, connection: Connection) -> list[Drifted]:
    """Each watched calendar, read in full and beside its own cursor."""
    store, found = desk.runtime.store, list[Drifted]()
    names = await store.index.all(desk.tenant, f"calendars-of:{connection.id}")
    for calendar in await store.documents.get_all(desk.tenant, Calendar, sorted(names)):
        if calendar.watched:
            events = await _events(desk, calendar)
            seen = await _seen(desk, calendar, events)
            marked = [one.mark.meeting for one in events if one.mark]
            meetings = await _meetings(desk, [*seen.values(), *marked])
            found += in_calendar(calendar.id, events, seen, meetings)
    return found


async def _events(desk: Desk, calendar: Calendar) -> list[Event]:
    latest: dict[str, Event] = {}
    page: str | None = None
    since = desk.runtime.now() - PAST_READ
    while True:
        at = page

        async def call(provider: str, access: Access, at: str | None = at) -> Page:
            port = desk.runtime.calendars[provider]
            return await port.read_page(
                access, calendar.provider_id, cursor=None, page=at, since=since
            )

        said = await through(desk, calendar.connection, call)
        latest |= {one.id: one for one in said.changes if isinstance(one, Event)}
        page = said.next_page
        if page is None:
            now = desk.runtime.now()
            return [one for one in latest.values() if not is_past(one.slot, now)]


async def _seen(desk: Desk, calendar: Calendar, events: Sequence[Event]) -> dict[str, str]:
    """The events that we know as a meeting's."""
    keys = [Sighting.key(calendar.id, one.id) for one in events]
    seen: dict[str, str] = {}
    for first in range(0, len(keys), DOCUMENTS_AT_ONCE):
        some = keys[first : first + DOCUMENTS_AT_ONCE]
        found = await desk.runtime.store.documents.get_all(desk.tenant, Sighting, some)
        seen |= {one.event.id: one.meeting for one in found}
    return seen


async def _meetings(desk: Desk, names: Iterable[str]) -> dict[str, Meeting]:
    ids = sorted({name for name in names if name})
    meetings: dict[str, Meeting] = {}
    for first in range(0, len(ids), DOCUMENTS_AT_ONCE):
        some = ids[first : first + DOCUMENTS_AT_ONCE]
        found = await desk.runtime.store.documents.get_all(desk.tenant, Meeting, some)
        meetings |= {one.id: one for one in found}
    return meetings


async def _mended(
    desk: Desk, connection: Connection, found: list[Drifted], limit: int
) -> list[Drifted]:
    """The first ones are mended by whoever owns them. What the ledger does not hold is left."""
    ours = [one for one in found if one.held][:limit]
    told: list[Drifted] = []
    for first in range(0, len(ours), MENDED_A_COMMIT):
        unit = Unit()
        for one in ours[first : first + MENDED_A_COMMIT]:
            mended = await _mend(desk, connection, one, unit)
            told.append(one.model_copy(update={"mended": mended}))
        desk.claimed = await desk.runtime.save(desk.claimed, unit)
    return [*told, *found[len(ours) :]]


async def _mend(desk: Desk, connection: Connection, one: Drifted, unit: Unit) -> bool:
    """Ask the meeting to look again, and its calendar to be read; what carries only a reference is
    the sweep's, which deletes what is provably a lost try (ENGINE 28)."""
    if one.words == NOBODYS:
        return await _delete(desk, connection, one, unit)
    if one.reference:
        extra = Extra(meeting=one.meeting, reference=one.reference)
        unit.posts.append(_post(desk, Lane(desk.tenant, "connection", connection.id), extra))
        return True
    if one.calendar:
        unit.posts.append(Post(Lane(desk.tenant, "calendar", one.calendar), mark=True))
    drift = DriftFound(actor=desk.request.actor, words=one.words, trace=desk.request.id)
    unit.posts.append(_post(desk, Lane(desk.tenant, "meeting", one.meeting), drift))
    return True


async def _delete(desk: Desk, connection: Connection, one: Drifted, unit: Unit) -> bool:
    """A conference that the ledger holds and no meeting has. Gone already is done; one in session,
    and one whose meeting may be about to adopt it, is left."""
    meeting = await desk.runtime.store.documents.get(desk.tenant, Meeting, one.meeting)
    if meeting is not None and meeting.conference is None and meeting.wish is not None:
        return False
    there = Conference(
        provider=connection.provider,
        connection=connection.id,
        id=one.id,
        host=connection.account.id,
        join_url="",
        reference="",
        shown="",
        slot=NO_SLOT,
        made_at=NO_SLOT.starts_at,
    )

    async def call(provider: str, access: Access) -> None:
        await desk.runtime.conferences[provider].delete(access, there)

    try:
        await through(desk, connection.id, call)
    except (InSession, Refused):
        return False
    unit.index.append(IndexDrop(f"ledger:{connection.id}", one.id))
    return True


def _post(desk: Desk, lane: Lane, load: Extra | DriftFound) -> Post:
    return Post(lane, Item(desk.runtime.new_id("it"), write_load(load)))
