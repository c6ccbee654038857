"""How much of a vendor's limit is left, and when may the next call go?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from infra import keys
from infra.functions.calls import Calls, Word, fresh_id
from infra.lanes.committing import milliseconds


@dataclass(frozen=True, slots=True)
class Reserved:
    """One was taken; so many are left in the window."""

    left: int


@dataclass(frozen=True, slots=True)
class Refused:
    """None is left until the window ends."""

    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Drawn:
    """One was taken from a bucket; so many are left, and it is full again after so long."""

    left: int
    full_in: timedelta


@dataclass(frozen=True, slots=True)
class Dry:
    """None was left in the bucket; there is one again after so long."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many calls may be under way at once, and begin in a window."""

    at_once: int
    held: timedelta
    """As long as a place is held at most, should its holder die."""
    window: int
    until: datetime


class Entry(IntEnum):
    """Whether a place was to be had."""

    TAKEN = 1
    NONE_FREE = 0
    USED_UP = -1


class Quotas:
    """Quota books per tenant; each counts within a window and expires with it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def reserve(
        self, tenant: str, book: str, *, limit: int, until: datetime
    ) -> Reserved | Refused:
        """Take one of `limit` in the window that ends at `until`; name windows apart by the book.

        Raises StoreAway; what was taken then stays taken.
        """
        places = [*keys.calls(tenant), keys.book(tenant, f"{book}:{until:%Y%m%dT%H%M%S}")]
        words: list[Word] = [fresh_id(), 1, limit, round(until.timestamp() * 1000)]
        left = await self._calls.call("reserve", places, words)
        return Refused(until) if left < 0 else Reserved(left)

    async def pace(self, tenant: str, name: str, *, every: timedelta, burst: int = 1) -> timedelta:
        """How long to wait for one's place in a paced sequence: a time, never a refusal.

        After a rest `burst` places are free at once. A repeated call wastes a place, no more.
        """
        words: list[Word] = [milliseconds(every), burst]
        wait = await self._calls.call("pace", [keys.pace(tenant, name)], words)
        return timedelta(milliseconds=wait)

    async def enter(self, tenant: str, name: str, holder: str, rule: Crowd) -> Entry:
        """Take a place among the calls that may be under way, and one of its window's calls. The
        same holder takes one, however often it asks.

        Raises StoreAway.
        """
        window = keys.book(tenant, f"{name}:{rule.until:%Y%m%dT%H%M%S}")
        ends = round(rule.until.timestamp() * 1000)
        words: list[Word] = [holder, rule.at_once, milliseconds(rule.held), rule.window, ends]
        came = await self._calls.call("enter", [keys.places(tenant, name), window], words)
        return Entry(int(came))

    async def leave(self, tenant: str, name: str, holder: str) -> None:
        """Give the place back; who cannot loses it when it has been held as long as may be.

        Raises StoreAway.
        """
        await self._calls.call("leave", [keys.places(tenant, name)], [holder])

    async def draw(self, tenant: str, bucket: str, *, size: int, per_second: int) -> Drawn | Dry:
        """Take one of a bucket of this size, if one is there. A repeated call wastes one, no more.

        Raises StoreAway.
        """
        place = keys.bucket(tenant, bucket)
        left, ms = await self._calls.call("draw", [place], [size, per_second])
        span = timedelta(milliseconds=ms)
        return Dry(span) if left < 0 else Drawn(left, span)
