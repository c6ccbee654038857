"""What happened, in order? Day by day, so that a day's entries expire whole (ENGINE 6)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

from infra import keys
from infra.functions.calls import Calls, Word, fresh_id
from infra.lanes.committing import DAY, milliseconds
from infra.lanes.words import Entry


class Logs:
    """Entries of `timeline/<meeting>`, `attempts/<callback>` and the like."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def append(self, tenant: str, entry: Entry, day: date) -> None:
        """Add an entry outside a commit. Raises StoreFull, StoreAway."""
        places = [*keys.calls(tenant), keys.log(tenant, entry.name, day)]
        words: list[Word] = [fresh_id(), milliseconds(entry.keep + DAY), entry.body]
        await self._calls.call("log", places, words)

    async def read(self, tenant: str, name: str, since: date, until: date) -> list[bytes]:
        """All entries from one day (UTC) to another, both included, oldest first."""
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        lists = await asyncio.gather(
            *(self._calls.read("log", "LRANGE", keys.log(tenant, name, day), 0, -1) for day in days)
        )
        return [entry for entries in lists for entry in entries]
