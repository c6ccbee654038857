"""What belongs to what, and in which order? Indexes and ranks of a tenant, never scanned whole.

Both change by commutative operations only: in a unit (`Unit.index`, `Unit.rank`), or here by who
owns no lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from infra import keys
from infra.functions.calls import Answer, Calls, Word

AT_ONCE: Final = 1000
"""Fields that one question brings."""


class Index:
    """Fields with values: `ledger:<connection>`, `endpoints`, `calendars-of:<connection>`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, tenant: str, name: str, field: str) -> str | None:
        """What a field says, or None."""
        value = await self._calls.read("index.get", "HGET", keys.index(tenant, name), field)
        return None if value is None else str(value, "utf-8")

    async def get_many(self, tenant: str, name: str, fields: Sequence[str]) -> list[str | None]:
        """What fields say, in the order asked for."""
        if not fields:
            return []
        place = keys.index(tenant, name)
        found = await self._calls.read("index.get_many", "HMGET", place, *fields)
        return [None if value is None else str(value, "utf-8") for value in found]

    async def all(self, tenant: str, name: str, at_most: int | None = None) -> dict[str, str]:
        """Fields and values in no order: all of them, or at least `at_most` when there are more."""
        place, cursor = keys.index(tenant, name), b"0"
        found: dict[str, str] = {}
        while True:
            words = ("HSCAN", place, cursor, "COUNT", at_most or AT_ONCE)
            cursor, flat = await self._calls.read("index.all", *words)
            found.update(_pairs(flat))
            if cursor == b"0" or (at_most is not None and len(found) >= at_most):
                return found

    async def size(self, tenant: str, name: str) -> int:
        """How many fields there are."""
        size: int = await self._calls.read("index.size", "HLEN", keys.index(tenant, name))
        return size

    async def set(self, tenant: str, name: str, field: str, value: str) -> None:
        """Let a field say a value."""
        await self._calls.read("index.set", "HSET", keys.index(tenant, name), field, value)

    async def drop(self, tenant: str, name: str, field: str) -> None:
        """Take a field out."""
        await self._calls.read("index.drop", "HDEL", keys.index(tenant, name), field)


class Rank:
    """Members by a number: `events:<calendar>` by generation, `undelivered` by moment."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def up_to(self, tenant: str, name: str, score: float, limit: int) -> dict[str, float]:
        """The lowest members whose number is at most `score`, lowest first."""
        found = await self._range(tenant, name, ("-inf", repr(score)), (0, limit))
        return dict(found)

    async def score(self, tenant: str, name: str, member: str) -> float | None:
        """Where a member stands, or None."""
        score = await self._calls.read("rank.score", "ZSCORE", keys.rank(tenant, name), member)
        return None if score is None else float(score)

    async def size(self, tenant: str, name: str) -> int:
        """How many members there are."""
        size: int = await self._calls.read("rank.size", "ZCARD", keys.rank(tenant, name))
        return size

    async def page(
        self, tenant: str, name: str, after: tuple[float, str] | None, limit: int
    ) -> list[tuple[str, float]]:
        """Members behind the last one seen (its number and itself), lowest first.

        What joins or leaves meanwhile is seen or not; what stays is seen exactly once.
        """
        lowest = "-inf" if after is None else repr(after[0])
        found: list[tuple[str, float]] = []
        offset = 0
        while len(found) < limit:
            page = await self._range(tenant, name, (lowest, "+inf"), (offset, limit))
            found += [
                (member, score)
                for member, score in page
                if after is None or (score, member) > after
            ]
            offset += limit
            if len(page) < limit:
                break
        return found[:limit]

    async def _range(
        self, tenant: str, name: str, scores: tuple[str, str], limit: tuple[int, int]
    ) -> list[tuple[str, float]]:
        words: tuple[Word, ...] = (keys.rank(tenant, name), *scores, "WITHSCORES", "LIMIT", *limit)
        flat = await self._calls.read("rank", "ZRANGEBYSCORE", *words)
        return [(member, float(score)) for member, score in _pairs(flat).items()]


def _pairs(flat: Answer) -> dict[str, str]:
    names = [str(part, "utf-8") for part in flat]
    return dict(zip(names[::2], names[1::2], strict=True))
