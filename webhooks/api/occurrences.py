"""When does a meeting that recurs happen, wherever its occurrences were put?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from schemas.events import Happening
from schemas.people import Scope
from schemas.records import Moment, in_utc
from schemas.recurrence import happenings
from webhooks.api.meeting_views import Standing, find, slot_of
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import wrong_field


class Occurrences(Shape):
    """A page of what is to come, in its usual order; one entry for a meeting that does not recur.

    It ends two years ahead. What is cancelled is named as such.
    """

    items: tuple[Happening, ...]
    next: str | None


async def list_occurrences(call: Call[None]) -> Answer:
    """From what was last seen or asked; nothing is asked of a provider."""
    standing = await find(call)
    since = _place(call.page.after)
    to_come = (
        one
        for one in _happenings(standing, call.now)
        if since is None or one.original_start > since
    )
    chosen = tuple(islice(to_come, call.page.limit + 1))
    shown = chosen[: call.page.limit]
    more = shown[-1].original_start.isoformat() if len(chosen) > len(shown) else None
    return Answer(Occurrences(items=shown, next=more))


def _happenings(standing: Standing, now: Moment) -> Iterator[Happening]:
    slot = slot_of(standing)
    if slot is None:
        return iter(())
    copy = standing.meeting.authoritative if standing.meeting else None
    return happenings(slot, copy.exceptions if copy else None, now)


def _place(after: str) -> datetime | None:
    if not after:
        return None
    try:
        return in_utc(datetime.fromisoformat(after))
    except ValueError as error:
        raise wrong_field("after", "Send `next` of the page before, as it was.") from error


_row = partial(Operation[Any], room="Meetings", needs=Scope.MEETINGS)

ROWS: tuple[Row, ...] = (
    _row(
        name="listOccurrences",
        method="GET",
        path="/v1/meetings/{meeting}/occurrences",
        says="When a meeting that recurs is to happen, in the zone's own time: summer time, moved"
        " and cancelled occurrences are counted in. One conference serves them all.",
        handle=list_occurrences,
        gives=Occurrences,
        paged=True,
    ),
)
