"""What stands in a watched calendar, ours or not?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from schemas.desk import EventListed, ListEvents
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.records import Moment
from webhooks.api.calendars import watched
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import wrong_field
from webhooks.api.requests import WAITING, still_waiting

LONGEST: Final = timedelta(days=92)


class Window(Shape):
    """From when to when."""

    since: Moment = Field(description="From when on; required.")
    until: Moment = Field(description="Until when; required. 92 days at most.")


class EventsListed(Shape):
    """What stands in the calendar then, soonest first; of a series each occurrence by itself."""

    items: tuple[EventListed, ...]


async def list_events(call: Call[None]) -> Answer:
    """Read afresh; nothing is changed, and of what is not ours nothing is kept."""
    calendar = await watched(call)
    span = call.query
    if not isinstance(span, Window):
        raise TypeError("the row asks for a window")
    if not timedelta(0) < span.until - span.since <= LONGEST:
        raise wrong_field("until", f"Name a moment after `since`, by {LONGEST.days} days at most.")
    ask = ListEvents(calendar=calendar.id, since=span.since, until=span.until)
    heard = await call.ask(ask, group=f"connection:{calendar.connection}", reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(EventsListed(items=heard.answer.events))


ROWS: tuple[Row, ...] = (
    Operation[Any](
        name="listEvents",
        method="GET",
        path="/v1/calendars/{calendar}/events",
        room="Calendars",
        needs=Scope.MANAGE,
        says="All events of a watched calendar in a span, read at the provider now: whether each is"
        " ours (`origin`) and recurs (`kind`), and the way in.",
        handle=list_events,
        asks=Window,
        gives=EventsListed,
        also=WAITING,
        problems=(ProblemType.NOT_LINKED, ProblemType.PROVIDER_REFUSED),
    ),
)
