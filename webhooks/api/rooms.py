"""Which calendars are rooms, and what is on in a room: now and next, with the way in?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from pydantic import Field

from infra.lanes import IndexDrop, IndexSet
from schemas.connections import Calendar
from schemas.events import Sighting
from schemas.meetings import Meeting, join_link
from schemas.people import Scope
from schemas.policy import is_past
from schemas.problems import ProblemType
from schemas.providers import Role
from schemas.records import Moment
from schemas.recurrence import happenings
from webhooks.api.calendars import looking_again, watched
from webhooks.api.connections import usable
from webhooks.api.lists import page_of
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import not_found

ROOMS: Final = "rooms"
NEXT_SHOWN: Final = 20
A_PAGE: Final = 500
SERIES_SHOWN: Final = 50


class RoomBinding(Shape):
    """Where the conferences of a room's events come from."""

    connection: str = Field(max_length=64)
    """A connection of the role `conferencing`."""


class RoomView(Shape):
    """A room: a watched resource calendar whose events all get a conference."""

    id: str
    """The calendar's id."""
    name: str
    connection: str
    """Where its conferences come from."""


class Rooms(Shape):
    """A page of rooms."""

    items: tuple[RoomView, ...]
    next: str | None


class AgendaEntry(Shape):
    """One event of a room."""

    meeting: str
    title: str
    starts_at: Moment
    ends_at: Moment
    join_url: str | None
    """The way in; null while its conference is being made."""
    foreign: bool
    """Whether the link was in the event already: it is shown and left alone."""
    start: str | None
    """Where a fresh host link is to be had (scope `start`); null where the conference is not
    ours."""


class Agenda(Shape):
    """What is on in a room."""

    now: tuple[AgendaEntry, ...]
    next: tuple[AgendaEntry, ...]
    """What begins later, soonest first, 20 at most."""
    series: tuple[AgendaEntry, ...]
    """What recurs, with the times of its first occurrence; `now` and `next` hold the others."""


async def bind(call: Call[RoomBinding]) -> Answer:
    """The same again is harmless. Its events are looked at anew."""
    calendar = await watched(call)
    connection = await usable(call, call.body.connection, Role.CONFERENCING, "connection")
    if calendar.room != connection.id:
        calendar = calendar.model_copy(update={"room": connection.id})
        unit = looking_again(call, calendar)
        unit.index.append(IndexSet(ROOMS, calendar.id, ""))
        await call.front.store.lanes.submit(call.tenant, unit)
    return Answer(_shown(calendar))


async def free(call: Call[None]) -> Answer:
    """Its calendar goes on being watched, by the rules alone."""
    calendar = await _room(call)
    unit = looking_again(call, calendar.model_copy(update={"room": None}))
    unit.index.append(IndexDrop(ROOMS, calendar.id))
    await call.front.store.lanes.submit(call.tenant, unit)
    return Answer()


async def list_rooms(call: Call[None]) -> Answer:
    """In order of their ids."""
    found, more = await page_of(call, ROOMS, Calendar)
    rooms = tuple(_shown(one) for one in found if one.room and one.watched)
    return Answer(Rooms(items=rooms, next=more))


async def read_agenda(call: Call[None]) -> Answer:
    """From what was last seen in the calendar; nothing is asked of a provider."""
    room = await _room(call)
    seen = [one for one in await _sightings(call, room) if _is_shown(one, call.now)]
    entries = [(one, await _entry(call, one)) for one in sorted(seen, key=_when)]
    on = sorted((at for pair in entries for at in _to_come(*pair, call.now)), key=_begins)
    return Answer(
        Agenda(
            now=tuple(entry for entry in on if entry.starts_at <= call.now),
            next=tuple(entry for entry in on if entry.starts_at > call.now)[:NEXT_SHOWN],
            series=tuple(entry for one, entry in entries if one.event.slot.is_series)[
                :SERIES_SHOWN
            ],
        )
    )


def _to_come(sighting: Sighting, entry: AgendaEntry, now: Moment) -> Iterator[AgendaEntry]:
    """The entry at each time that it is still to be, as far as the agenda shows."""
    ahead = happenings(sighting.event.slot, sighting.exceptions, now)
    held = (one for one in ahead if one.what != "cancelled")
    for one in islice(held, NEXT_SHOWN + 1):
        yield entry.model_copy(update={"starts_at": one.starts_at, "ends_at": one.ends_at})


def _begins(entry: AgendaEntry) -> tuple[Moment, str]:
    return entry.starts_at, entry.meeting


async def _room(call: Call[Any]) -> Calendar:
    calendar = await watched(call)
    if calendar.room is None:
        raise not_found("room")
    return calendar


async def _sightings(call: Call[Any], room: Calendar) -> list[Sighting]:
    """All events that the calendar's last reading showed."""
    store, found, place = call.front.store, list[Sighting](), None
    while True:
        page = await store.rank.page(call.tenant, f"events:{room.id}", place, A_PAGE)
        names = [Sighting.key(room.id, event) for event, _ in page]
        found += await store.documents.get_all(call.tenant, Sighting, names)
        if len(page) < A_PAGE:
            return found
        place = (page[-1][1], page[-1][0])


def _is_shown(sighting: Sighting, now: Moment) -> bool:
    event = sighting.event
    off = sighting.gone or event.cancelled or event.declined or event.all_day
    return not off and not is_past(event.slot, now)


def _when(sighting: Sighting) -> tuple[Moment, str]:
    return sighting.event.slot.starts_at, sighting.event.id


async def _entry(call: Call[Any], sighting: Sighting) -> AgendaEntry:
    event = sighting.event
    meeting = await call.front.store.documents.get(call.tenant, Meeting, sighting.meeting)
    ours = join_link(meeting) if meeting is not None and not event.foreign_link else None
    made = meeting is not None and meeting.conference is not None and ours is not None
    return AgendaEntry(
        meeting=sighting.meeting,
        title=event.slot.title,
        starts_at=event.slot.starts_at,
        ends_at=event.slot.ends_at,
        join_url=ours or event.link or None,
        foreign=event.foreign_link,
        start=f"/v1/meetings/{sighting.meeting}/start" if made else None,
    )


def _shown(calendar: Calendar) -> RoomView:
    return RoomView(id=calendar.id, name=calendar.name, connection=calendar.room or "")


_row = partial(Operation[Any], room="Rooms", needs=Scope.MANAGE)
_PATH: Final = "/v1/rooms/{calendar}"

ROWS: tuple[Row, ...] = (
    _row(
        name="listRooms",
        method="GET",
        path="/v1/rooms",
        says="The rooms of the tenant.",
        handle=list_rooms,
        gives=Rooms,
        paged=True,
    ),
    _row(
        name="bindRoom",
        method="PUT",
        path=_PATH,
        says="Make a watched resource calendar a room: each of its events gets a conference from"
        " this connection, unless it carries a link already.",
        handle=bind,
        takes=RoomBinding,
        gives=RoomView,
        problems=(ProblemType.NOT_LINKED,),
    ),
    _row(
        name="freeRoom",
        method="DELETE",
        path=_PATH,
        says="Bind the calendar no longer; it stays watched.",
        handle=free,
        status=204,
    ),
    _row(
        name="readAgenda",
        method="GET",
        path=f"{_PATH}/agenda",
        says="What is on in the room now and next, with the links to join and to start.",
        handle=read_agenda,
        gives=Agenda,
    ),
)
