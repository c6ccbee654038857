"""Which callbacks were not delivered, and why? Read a page at a time, oldest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final, Literal

from pydantic import Field

from infra.store import Store
from schemas.deliveries import Undelivered, Wanted, Why
from schemas.people import Scope
from schemas.records import Moment
from webhooks.api.operation import Answer, Call, Operation, Page, Row, Shape
from webhooks.api.problems import wrong_field

UNDELIVERED: Final = "undelivered"
AT_ONCE: Final = 500
LOOKED_AT: Final = 5_000
"""Rows that one request looks through; a page may be short, and still have a next one."""

Reason = Literal["exhausted", "aborted", "refused", "expired", "too_many_held"]
Place = tuple[float, str]


class WantedPage(Page):
    """Which of them, and which part of the list."""

    since: Moment | None = Field(default=None, description="Not given up before this moment.")
    until: Moment | None = Field(default=None, description="Given up before this moment.")
    endpoint: str | None = Field(default=None, max_length=64, description="Of this endpoint.")
    type: str | None = Field(default=None, max_length=64, description="Of this type.")
    reason: Reason | None = Field(default=None, description="For this reason.")


class UndeliveredView(Shape):
    """A callback that is not tried any more. It can be recovered for as long as callbacks are kept:
    seven days after it was announced, unless the operator chose otherwise."""

    callback: str
    endpoint: str
    subject: str
    type: str
    reason: Reason
    detail: str
    """In words, with what the endpoint answered last."""
    announced_at: Moment | None
    at: Moment
    """When it was given up."""


class UndeliveredList(Shape):
    """A page of them. It may be shorter than asked for, or empty, and still have a next one."""

    items: tuple[UndeliveredView, ...]
    next: str | None


async def list_undelivered(call: Call[None]) -> Answer:
    """What leaves the list meanwhile is seen or not; what stays is seen once."""
    page = call.asked(WantedPage)
    found: list[UndeliveredView] = []
    looked, place, more = 0, _place(page.after), False
    async for here, row in walk(call.front.store, call.tenant, wanted_of(page), place):
        looked, place = looked + 1, here
        found += [_shown(row)] if row is not None else []
        more = len(found) == page.limit or looked == LOOKED_AT
        if more:
            break
    return Answer(
        UndeliveredList(items=tuple(found), next=_spelt(place) if more and place else None)
    )


async def walk(
    store: Store, tenant: str, wanted: Wanted, start: Place | None = None
) -> AsyncIterator[tuple[Place, Undelivered | None]]:
    """All places of the list behind `start`, each with its row if it is wanted.

    Memory does not grow with the list.
    """
    place = start
    if place is None and wanted.since is not None:
        place = (wanted.since.timestamp(), "")
    while page := await store.rank.page(tenant, UNDELIVERED, place, AT_ONCE):
        rows = await store.index.get_many(tenant, UNDELIVERED, [member for member, _ in page])
        for (member, score), text in zip(page, rows, strict=True):
            if wanted.until is not None and score >= wanted.until.timestamp():
                return
            place = (score, member)
            row = Undelivered.model_validate_json(text) if text else None
            yield place, row if row is not None and wanted.fits(row) else None


def wanted_of(asked: WantedPage) -> Wanted:
    """What the query asks for."""
    return Wanted(
        since=asked.since,
        until=asked.until,
        endpoint=asked.endpoint,
        type=asked.type,
        reason=Why(asked.reason) if asked.reason else None,
    )


def _shown(row: Undelivered) -> UndeliveredView:
    return UndeliveredView(
        callback=row.callback,
        endpoint=row.endpoint,
        subject=row.subject or row.meeting,
        type=row.type,
        reason=row.why.value,
        detail=row.reason,
        announced_at=row.announced_at,
        at=row.at,
    )


def _spelt(place: Place) -> str:
    return f"{place[0]!r}/{place[1]}"


def _place(text: str) -> Place | None:
    if not text:
        return None
    score, _, member = text.partition("/")
    try:
        return float(score), member
    except ValueError:
        raise wrong_field("after", "Send `next` of the page before, as it is.") from None


_row = partial(Operation[Any], room="Callbacks sent", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="listUndelivered",
        method="GET",
        path="/v1/undelivered",
        says="Callbacks that are not tried any more, and why, oldest first.",
        handle=list_undelivered,
        gives=UndeliveredList,
        asks=WantedPage,
        paged=True,
    ),
)
