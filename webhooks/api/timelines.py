"""What happened to a meeting, or to a calendar that is watched, in order?"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from schemas.people import Scope
from schemas.timeline import TimelineEntry
from webhooks.api.calendars import watched
from webhooks.api.meeting_views import find
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import wrong_field

_NUMBER: Final = re.compile(r"[0-9]{1,8}")


class Timeline(Shape):
    """A page of what happened, oldest first."""

    items: tuple[TimelineEntry, ...]
    next: str | None


async def read_timeline(call: Call[None]) -> Answer:
    """Entries only join at the end, so their number is a cursor that stays good."""
    return await _page(call, (await find(call)).id)


async def read_calendar_timeline(call: Call[None]) -> Answer:
    """When it could not be read, why, and when it could again."""
    return await _page(call, (await watched(call)).id)


async def _page(call: Call[None], subject: str) -> Answer:
    first = _first(call.page.after)
    since = call.now - call.front.settings.keep_timelines
    found = await call.front.store.logs.read(
        call.tenant, f"timeline/{subject}", since.date(), call.now.date()
    )
    chosen = found[first : first + call.page.limit]
    end = first + len(chosen)
    entries = tuple(TimelineEntry.model_validate_json(raw) for raw in chosen)
    return Answer(Timeline(items=entries, next=str(end) if end < len(found) else None))


def _first(after: str) -> int:
    if after and not _NUMBER.fullmatch(after):
        raise wrong_field("after", "Send `next` of the page before, as it was.")
    return int(after or 0)


_row = partial(Operation[Any], room="Meetings", needs=Scope.MEETINGS)

ROWS: tuple[Row, ...] = (
    _row(
        name="readTimeline",
        method="GET",
        path="/v1/meetings/{meeting}/timeline",
        says="Everything that happened to the meeting, oldest first.",
        handle=read_timeline,
        gives=Timeline,
        paged=True,
    ),
)

OF_CALENDARS: tuple[Row, ...] = (
    Operation[Any](
        name="readCalendarTimeline",
        room="Calendars",
        needs=Scope.MANAGE,
        method="GET",
        path="/v1/calendars/{calendar}/timeline",
        says="When the calendar could not be read, why, and when it could again, oldest first.",
        handle=read_calendar_timeline,
        gives=Timeline,
        paged=True,
    ),
)
