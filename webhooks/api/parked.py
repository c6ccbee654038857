"""What lies aside until a person acts? Work that failed to its end, or ended its worker thrice."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import Field

from infra.lanes import Lane, parked_cursor
from schemas.people import Scope
from schemas.records import Moment
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import not_found, wrong_field


class ParkedView(Shape):
    """One subject whose work is parked. What comes for it meanwhile is kept behind it."""

    lane: str
    """What to name for a retry: the kind of work and its subject."""
    kind: str
    subject: str
    since: Moment | None
    """Null in the answer to a retry."""
    reason: str
    waiting: int
    """How many items wait in it."""


class ParkedList(Shape):
    """Parked work, longest first."""

    items: tuple[ParkedView, ...]
    next: str | None


class Retrying(Shape):
    """Which parked work to try again."""

    lane: str = Field(max_length=300, examples=["meeting:mtg_a1b2c3"])


async def list_parked(call: Call[None]) -> Answer:
    """What is retried meanwhile is seen or not; what stays is seen once."""
    lanes, limit = call.front.store.lanes, call.page.limit
    found = await lanes.parked(call.tenant, _place(call.page.after), limit + 1)
    views = await asyncio.gather(*(_shown(call, lane, since) for lane, since in found[:limit]))
    more = parked_cursor(*found[limit - 1]) if len(found) > limit else None
    return Answer(ParkedList(items=tuple(view for view in views if view), next=more))


async def retry_parked(call: Call[Retrying]) -> Answer:
    """Its failures are forgotten and it is due at once; the answer is how it stood. A second time
    finds nothing parked."""
    lane = _lane(call)
    view = await _shown(call, lane)
    if view is None:
        raise not_found("parked work")
    await call.front.store.lanes.retry(lane)
    return Answer(view)


def _lane(call: Call[Retrying]) -> Lane:
    try:
        return Lane.parse(call.tenant, call.body.lane)
    except ValueError:
        raise wrong_field("lane", "Send `lane` of a row of GET /v1/parked, as it is.") from None


async def _shown(call: Call[Any], lane: Lane, since: datetime | None = None) -> ParkedView | None:
    """None for one that is not parked."""
    state = await call.front.store.lanes.state(lane)
    if state.parked is None:
        return None
    return ParkedView(
        lane=lane.name,
        kind=lane.kind,
        subject=lane.subject,
        since=since,
        reason=state.parked,
        waiting=state.depth,
    )


def _place(after: str) -> str:
    moment, _, name = after.partition("/")
    if after and not (moment.isdigit() and name):
        raise wrong_field("after", "Send `next` of the page before, as it is.")
    return after


_row = partial(Operation[Any], room="Parked work", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="listParked",
        method="GET",
        path="/v1/parked",
        says="Work that lies aside until a person acts, and why, longest first.",
        handle=list_parked,
        gives=ParkedList,
        paged=True,
    ),
    _row(
        name="retryParked",
        method="POST",
        path="/v1/parked/retry",
        says="Try parked work again, from its first item on.",
        handle=retry_parked,
        takes=Retrying,
        gives=ParkedView,
        harmless=True,
    ),
)
