"""What happened to a meeting, in order?"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from schemas.people import Scope
from schemas.timeline import TimelineEntry
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
    standing = await find(call)
    first = _first(call.page.after)
    since = call.now - call.front.settings.keep_timelines
    found = await call.front.store.logs.read(
        call.tenant, f"timeline/{standing.id}", since.date(), call.now.date()
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
