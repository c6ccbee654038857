"""What were partners told, in order? Read with a cursor that says which life of the data it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from infra import keys
from infra.functions.calls import Answer, Calls
from infra.store.epoch import Epoch

FIRST: Final = "0-0"


class CursorReset(Exception):
    """The cursor is of an earlier life of the data (ENGINE 29), or what follows it is no longer
    kept: read again from the start."""


class Feed:
    """The ordered record of callbacks of each tenant."""

    def __init__(
        self,
        calls: Calls,
        epoch: Epoch,
        *,
        keep: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self.epoch = epoch
        self._keep = keep
        self._clock = clock

    @property
    def start(self) -> str:
        """The cursor before everything."""
        return f"{self.epoch.current}.{FIRST}"

    async def read(self, tenant: str, after: str = "", limit: int = 100) -> list[dict[str, str]]:
        """Entries behind a cursor, oldest first, each with its own under "cursor".

        Raises CursorReset for a cursor of another epoch, one older than what is kept, or none.
        """
        words = (keys.feed(tenant), self._start(after), "+", "COUNT", limit)
        found = await self._calls.read("feed", "XRANGE", *words)
        return [self._entry(id_, flat) for id_, flat in found]

    def _start(self, after: str) -> str:
        if not after:
            return "-"
        epoch, _, id_ = after.partition(".")
        ms, _, number = id_.partition("-")
        if epoch != self.epoch.current or not (ms.isdecimal() and number.isdecimal()):
            raise CursorReset(f"the feed does not know the cursor {after!r}")
        oldest = (self._clock() - self._keep.total_seconds()) * 1000
        if id_ != FIRST and int(ms) < oldest:
            raise CursorReset(f"what follows the cursor {after!r} may be gone")
        return f"({id_}"

    def _entry(self, id_: bytes, flat: Answer) -> dict[str, str]:
        parts = [part.decode() for part in flat]
        cursor = f"{self.epoch.current}.{id_.decode()}"
        return {**dict(zip(parts[::2], parts[1::2], strict=True)), "cursor": cursor}
