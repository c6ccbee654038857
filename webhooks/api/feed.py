"""What were partners told? The callbacks of a tenant in order, for those who would rather ask."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from pydantic import Field

from infra.store.feed import CursorReset
from schemas.callbacks import Envelope
from schemas.people import Scope
from schemas.problems import ProblemType
from webhooks.api import cursors
from webhooks.api.operation import Answer, Call, Operation, Page, Row, Shape
from webhooks.api.problems import Denied

NAME: Final = "readFeed"
LONGEST_WAIT: Final = 30
LOOK_EVERY: Final = timedelta(milliseconds=250)
AT_ONCE: Final = 100
LOOKED_THROUGH: Final = 10
"""How often as many of the tenant's callbacks one call looks through for what its caller hears."""


class FeedPage(Page):
    """Which part of the feed, and how patiently."""

    wait: int = Field(
        default=0,
        ge=0,
        le=LONGEST_WAIT,
        description="Seconds to wait for the next callback while there is none.",
    )


class FeedItem(Shape):
    """A callback as it was told."""

    cursor: str
    """Where the feed goes on behind it."""
    callback: Envelope
    """Byte for byte the body that endpoints get."""


class FeedShown(Shape):
    """A part of the feed, oldest first."""

    items: tuple[FeedItem, ...]
    next: str
    """Always there: send it as `after` to go on, also when there was nothing."""
    more: bool
    """Whether to ask again at once: there may be more already."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What the caller may hear of a stretch of the feed, and where that ends."""

    told: Sequence[tuple[str, bytes]]
    place: str
    more: bool


async def read_feed(call: Call[None]) -> Answer:
    """Nothing is consumed: a cursor gives the same callbacks for as long as they are kept."""
    page = call.page
    seconds = page.wait if isinstance(page, FeedPage) else 0
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    part = await _look(call, page.after)
    while not part.told and not part.more and loop.time() < until:
        await asyncio.sleep(LOOK_EVERY.total_seconds())
        part = await _look(call, part.place)
    return Answer(text=_written(part))


async def _look(call: Call[None], place: str) -> _Part:
    """Go through the feed until the page is full, it ends, or it was enough for one call."""
    heard: list[dict[str, str]] = []
    for _ in range(LOOKED_THROUGH):
        entries = await _entries(call, place)
        for each in entries:
            place = each["cursor"]
            if _heard(call, each):
                heard.append(each)
            if len(heard) == call.page.limit:
                return _Part(await _bodies(call, heard), place, more=True)
        if len(entries) < AT_ONCE:
            start = call.front.store.feed.start
            return _Part(await _bodies(call, heard), place or start, more=False)
    return _Part(await _bodies(call, heard), place, more=True)


def _heard(call: Call[None], entry: dict[str, str]) -> bool:
    """Whether it is about what the caller's application made, or was granted when it was told."""
    granted = entry.get("granted", "").split()
    return call.caller.sees(entry["application"] or None) or call.caller.application in granted


async def _entries(call: Call[None], place: str) -> list[dict[str, str]]:
    try:
        return await call.front.store.feed.read(call.tenant, place, AT_ONCE)
    except CursorReset:
        raise Denied(
            ProblemType.CURSOR_RESET,
            "The feed cannot go on behind this cursor: it is older than what is kept, or the store"
            " began a new life since. Read from the start, without `after`; you know what you have"
            " seen by its `id`.",
        ) from None


async def _bodies(call: Call[None], entries: Sequence[dict[str, str]]) -> list[tuple[str, bytes]]:
    blobs = call.front.store.blobs
    names = [f"callback/{each['callback']}" for each in entries]
    bodies = await asyncio.gather(*(blobs.get(call.tenant, name) for name in names))
    pairs = zip(entries, bodies, strict=True)
    return [(each["cursor"], body) for each, body in pairs if body is not None]  # else expired


def _written(part: _Part) -> bytes:
    """As FeedShown, with the bodies as they are: written anew they might not be the same bytes."""
    items = b",".join(
        b'{"cursor":"%s","callback":%s}' % (cursors.write(NAME, place).encode(), body)
        for place, body in part.told
    )
    next_ = cursors.write(NAME, part.place).encode()
    return b'{"items":[%s],"next":"%s","more":%s}' % (
        items,
        next_,
        b"true" if part.more else b"false",
    )


_row = partial(Operation[Any], room="Feed", needs=Scope.MEETINGS)

ROWS: tuple[Row, ...] = (
    _row(
        name=NAME,
        method="GET",
        path="/v1/feed",
        says="The callbacks that your application may hear, oldest first, whether it has endpoints"
        " or not; by a grant, those that were told while it was in force. Ask with `wait`"
        " behind a firewall; keep `next` when you have dealt with a page.",
        handle=read_feed,
        gives=FeedShown,
        problems=(ProblemType.CURSOR_RESET,),
        paged=True,
        asks=FeedPage,
    ),
)
