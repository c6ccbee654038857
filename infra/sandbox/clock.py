"""What time is it in the sandbox, and what falls due when?"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Runs with real time and can be pushed ahead; never back."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        """Return the sandbox's present, in UTC."""
        return datetime.now(UTC) + self._ahead

    def wall(self) -> datetime:
        """Return the machine's present, which is what receivers compare timestamps with."""
        return datetime.now(UTC)

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Do something when the sandbox's time reaches `when`."""
        heapq.heappush(self._due, (when, next(self._order), act))
        self._changed.set()

    def after(self, span: timedelta, act: Callable[[], None]) -> None:
        """Do something after a span of the sandbox's time."""
        self.at(self.now() + span, act)

    def advance(self, span: timedelta) -> datetime:
        """Push time ahead and do, in order, everything that falls due on the way."""
        target = self.now() + span
        while self._due and self._due[0][0] <= target:
            when, _, act = heapq.heappop(self._due)
            self._ahead += max(when - self.now(), timedelta())
            act()
        self._ahead += max(target - self.now(), timedelta())
        self._changed.set()
        return self.now()

    def forget(self) -> None:
        """Go back to the machine's time with nothing due."""
        self._ahead = timedelta()
        self._due.clear()
        self._changed.set()

    async def run(self) -> None:
        """Do what falls due as real time passes; runs until cancelled."""
        while True:
            self.advance(timedelta())
            self._changed.clear()
            wait = (self._due[0][0] - self.now()).total_seconds() if self._due else 3600
            try:
                await asyncio.wait_for(self._changed.wait(), timeout=max(wait, 0))
            except TimeoutError:
                continue
