"""Which calendars are watched?"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from pydantic import Field, field_validator

from infra.lanes import IndexDrop, IndexSet, Item, Lane, Post, Unit
from schemas.connections import Calendar, Connection, Reading
from schemas.coverage import CalendarState, calendar_state, heard_at, in_the_way, pushed_until
from schemas.desk import ExplainEvent
from schemas.items import WatchChanged, write_load
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.providers import Role
from schemas.records import Moment
from webhooks.api.connections import usable
from webhooks.api.lists import page_of, the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape, version
from webhooks.api.problems import not_found
from webhooks.api.requests import WAITING, still_waiting
from webhooks.api.zones import known_zone

CALENDARS: Final = "calendars"


class NewCalendar(Shape):
    """A calendar to watch, as GET /v1/connections/{id}/calendars lists it."""

    connection: str = Field(max_length=64)
    provider_id: str = Field(min_length=1, max_length=1000, examples=["primary"])
    name: str = Field(default="", max_length=300)
    timezone: str = "UTC"

    _zone = field_validator("timezone")(known_zone)


class CalendarView(Shape):
    """A watched calendar, and how it fares."""

    id: str
    connection: str
    provider: str
    provider_id: str
    name: str
    timezone: str
    watched: bool
    state: CalendarState
    """`watched`: read, and its provider tells us of changes; `polled`: read on schedule only;
    `unread`: not read yet; `failing`: cannot be read; `unlinked`: its connection is down."""
    reason: str
    """What is in the way, in words. Where an organisation does not permit us to read it, nothing is
    tried again until you ask to watch the calendar once more."""
    read_at: Moment | None
    """When it was last read to the end."""
    failing_since: Moment | None
    pushed_until: Moment | None
    """Until when its provider has promised to tell us of changes; renewed before."""
    heard_at: Moment | None
    """When its provider last did."""
    created_at: Moment


class Calendars(Shape):
    """A page of calendars."""

    items: tuple[CalendarView, ...]
    next: str | None


class Explanation(Shape):
    """What the rules would do, and why, in sentences."""

    sentences: tuple[str, ...]


async def watch(call: Call[NewCalendar]) -> Answer:
    """The id follows from the calendar, so watching it again finds the same one."""
    body = call.body
    connection = await usable(call, body.connection, Role.CALENDAR, "connection")
    id_ = calendar_id(connection.id, body.provider_id)
    known = await call.front.store.documents.get(call.tenant, Calendar, id_)
    if known is not None and known.watched:
        view = await _shown(call, known)
        if view.state == "failing":
            await call.front.store.lanes.submit(call.tenant, looking_again(call, known))
        return Answer(view, status=200)
    calendar = Calendar(
        id=id_,
        rev=known.rev if known else 0,
        connection=connection.id,
        provider=connection.provider,
        provider_id=body.provider_id,
        name=body.name,
        timezone=body.timezone,
        created_at=call.now,
    )
    unit = looking_again(call, calendar)
    unit.index += [
        IndexSet(CALENDARS, id_, ""),
        IndexSet(f"calendars-of:{connection.id}", id_, ""),
    ]
    return await call.submit(unit, Answer(await _shown(call, calendar)))


async def list_calendars(call: Call[None]) -> Answer:
    """In order of their ids."""
    found, more = await page_of(call, CALENDARS, Calendar)
    return Answer(Calendars(items=await _views(call, found), next=more))


async def read_calendar(call: Call[None]) -> Answer:
    """A calendar that is no longer watched is not there."""
    calendar = await watched(call)
    return Answer(await _shown(call, calendar), headers=version(calendar))


async def unwatch(call: Call[None]) -> Answer:
    """Its lane closes the subscription. The document stays: links that stand in its events may have
    to be taken out later."""
    calendar = await watched(call)
    call.must_match(calendar.rev, "calendar")
    unit = looking_again(call, calendar.model_copy(update={"watched": False}))
    unit.index += [
        IndexDrop(CALENDARS, calendar.id),
        IndexDrop(f"calendars-of:{calendar.connection}", calendar.id),
    ]
    await call.front.store.lanes.submit(call.tenant, unit)
    return Answer()


async def explain_event(call: Call[None]) -> Answer:
    """The event is read afresh; nothing is changed."""
    calendar = await watched(call)
    ask = ExplainEvent(calendar=calendar.id, event=call.path["event"])
    group = f"connection:{calendar.connection}"
    heard = await call.ask(ask, group=group, reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(Explanation(sentences=heard.answer.sentences))


def calendar_id(connection: str, provider_id: str) -> str:
    """One calendar of a connection has one id, so that two calls that race make one."""
    digest = hashlib.sha256(f"{connection}\x1f{provider_id}".encode()).digest()
    return "cal_" + b32encode(digest).decode().lower()[:20]


async def watched(call: Call[Any]) -> Calendar:
    """The calendar that the path names. Raises Denied when it is not watched."""
    calendar = await the(call, Calendar, call.path["calendar"], "calendar")
    if not calendar.watched:
        raise not_found("calendar")
    return calendar


def looking_again(call: Call[Any], calendar: Calendar) -> Unit:
    """What stores the calendar and has it read anew."""
    item = Item(call.trace, write_load(WatchChanged(trace=call.trace)))
    return Unit(
        puts=[calendar], posts=[Post(lane=Lane(call.tenant, "calendar", calendar.id), item=item)]
    )


async def _shown(call: Call[Any], calendar: Calendar) -> CalendarView:
    [view] = await _views(call, [calendar])
    return view


async def _views(call: Call[Any], found: Sequence[Calendar]) -> tuple[CalendarView, ...]:
    documents, tenant = call.front.store.documents, call.tenant
    names = sorted({one.connection for one in found})
    links = {one.id: one for one in await documents.get_all(tenant, Connection, names)}
    readings = await documents.get_many(tenant, Reading, [one.id for one in found])
    return tuple(
        _view(calendar, reading, links.get(calendar.connection), call.now)
        for calendar, reading in zip(found, readings, strict=True)
    )


def _view(
    calendar: Calendar, reading: Reading | None, connection: Connection | None, now: datetime
) -> CalendarView:
    state = calendar_state(reading, connection, now)
    same = CalendarView.model_fields.keys() & Calendar.model_fields.keys()
    return CalendarView(
        **{name: getattr(calendar, name) for name in same},
        state=state,
        reason=in_the_way(state, reading, connection),
        read_at=reading.read_at if reading else None,
        failing_since=reading.troubled_at if reading else None,
        pushed_until=pushed_until(reading, now) if reading else None,
        heard_at=heard_at(reading) if reading else None,
    )


_row = partial(Operation[Any], room="Calendars", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="watchCalendar",
        method="POST",
        path="/v1/calendars",
        says="Watch a calendar. Repeating the call is harmless.",
        handle=watch,
        takes=NewCalendar,
        gives=CalendarView,
        status=201,
        harmless=True,
        also={200: "It is watched already."},
        problems=(ProblemType.NOT_LINKED, ProblemType.NOT_FOUND),
    ),
    _row(
        name="listCalendars",
        method="GET",
        path="/v1/calendars",
        says="The calendars that are watched, and what is in the way of those that are not.",
        handle=list_calendars,
        gives=Calendars,
        paged=True,
    ),
    _row(
        name="readCalendar",
        method="GET",
        path="/v1/calendars/{calendar}",
        says="A watched calendar.",
        handle=read_calendar,
        gives=CalendarView,
        versioned=True,
    ),
    _row(
        name="unwatchCalendar",
        method="DELETE",
        path="/v1/calendars/{calendar}",
        says="Watch it no longer. Conferences of its events are torn down as if the events had"
        " gone, unless another watched calendar shows them.",
        handle=unwatch,
        status=204,
        headers=("If-Match",),
    ),
    _row(
        name="explainEvent",
        method="GET",
        path="/v1/calendars/{calendar}/events/{event}/explain",
        says="Read the event at the provider now, and say what the rules do with it and why.",
        handle=explain_event,
        gives=Explanation,
        also=WAITING,
        problems=(ProblemType.NOT_LINKED, ProblemType.PROVIDER_REFUSED),
    ),
)
