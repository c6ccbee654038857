"""What stands in a calendar, whoever put it there? Read afresh, each occurrence by itself."""

from __future__ import annotations

from itertools import islice
from typing import Final

from schemas.connections import Calendar
from schemas.desk import DeskAnswer, EventListed, ListEvents
from schemas.events import CalledOff, Change, Event, Happening, Occurrence, Sighting
from schemas.meetings import Meeting, join_link
from schemas.problems import ProblemType
from schemas.recurrence import happenings
from workers.domain.exceptions import called_off
from workers.jobs.desk import Declined, Desk
from workers.jobs.questions import through
from workers.ports import Access, Page

PAGES_AT_MOST: Final = 40
SHOWN_AT_MOST: Final = 1_000


async def list_events(desk: Desk, ask: ListEvents) -> DeskAnswer:
    """All that is in the calendar in the span; nothing of it is kept for longer than the answer."""
    calendar = await desk.runtime.store.documents.get(desk.tenant, Calendar, ask.calendar)
    if calendar is None:
        raise Declined(ProblemType.NOT_FOUND, f"Calendar {ask.calendar} is not watched.")
    changes = await _all(desk, calendar, ask)
    events = [one for one in changes if isinstance(one, Event)]
    exceptions = _exceptions(changes)
    meetings = await _meetings(desk, calendar.id, events)
    rows: list[EventListed] = []
    for event in events:
        ahead = happenings(event.slot, tuple(exceptions.get(event.id, {}).values()), ask.since)
        # One that was moved may stand before those that come before it, so the order is no end.
        soon = (one for one in islice(ahead, SHOWN_AT_MOST) if one.starts_at < ask.until)
        rows += [_listed(event, one, meetings.get(event.id)) for one in soon]
    rows.sort(key=lambda one: (one.starts_at, one.event))
    if len(rows) > SHOWN_AT_MOST:
        words = f"The calendar holds {len(rows)} events then. Ask for a shorter span."
        raise Declined(ProblemType.PROVIDER_REFUSED, words)
    return desk.done(connection=calendar.connection, events=tuple(rows))


async def _all(desk: Desk, calendar: Calendar, ask: ListEvents) -> list[Change]:
    """A reading of its own, which moves no cursor."""
    changes: list[Change] = []
    page: str | None = None
    for _ in range(PAGES_AT_MOST):

        async def call(provider: str, access: Access, page: str | None = page) -> Page:
            port = desk.runtime.calendars[provider]
            return await port.read_page(
                access, calendar.provider_id, cursor=None, page=page, since=ask.since
            )

        read = await through(desk, calendar.connection, call)
        changes += read.changes
        page = read.next_page
        if page is None:
            return changes
    words = "The calendar holds more than can be looked through. Ask for a later span."
    raise Declined(ProblemType.PROVIDER_REFUSED, words)


def _exceptions(changes: list[Change]) -> dict[str, dict[str, Occurrence]]:
    """What differs in each series, by when it was to be."""
    found: dict[str, dict[str, Occurrence]] = {}
    for change in changes:
        told = called_off(change, None) if isinstance(change, CalledOff) else [change]
        for one in told:
            if isinstance(one, Occurrence):
                found.setdefault(one.event, {})[one.original_start] = one
    return found


async def _meetings(desk: Desk, calendar: str, events: list[Event]) -> dict[str, Meeting]:
    """Our meetings that are about them, by event."""
    documents, keys = desk.runtime.store.documents, [Sighting.key(calendar, e.id) for e in events]
    sightings = await documents.get_all(desk.tenant, Sighting, keys)
    names = sorted({one.meeting for one in sightings})
    known = {one.id: one for one in await documents.get_all(desk.tenant, Meeting, names)}
    return {one.event.id: known[one.meeting] for one in sightings if one.meeting in known}


def _listed(event: Event, one: Happening, meeting: Meeting | None) -> EventListed:
    ours = join_link(meeting) if meeting is not None else None
    return EventListed(
        event=event.id,
        title=event.slot.title,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        all_day=event.all_day,
        kind="recurring" if event.slot.is_series else "single",
        origin="ours" if ours is not None else "calendar",
        what="cancelled" if event.cancelled else one.what,
        meeting=meeting.id if meeting is not None else None,
        join_url=ours or event.link,
    )
