"""How do notifications travel: at once, twice, late, out of order, again, or never?"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import aiohttp

from infra.sandbox.clock import Clock
from infra.sandbox.documents import Doc

IN_FLIGHT = 128
_WELL = range(200, 300)


@dataclass(slots=True)
class Manners:
    """How one provider's notifications travel; rates are chances from 0 to 1, spans seconds."""

    paused: bool = False
    drop: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    late_s: float = 2.0
    reorder: float = 0.0
    reorder_s: float = 0.3
    timeout_s: float = 10.0
    stamp: str = "wall"


@dataclass(slots=True)
class Parcel:
    """One notification on its way.

    `again` is asked after a failed try with the status (None: no answer) and how many tries there
    were, and says how long to wait before the next. Parcels of one stream keep their order.
    """

    provider: str
    stream: str
    label: str
    url: str
    body: bytes
    headers: Callable[[datetime], dict[str, str]]
    again: Callable[[int | None, int], timedelta | None]
    heard: Callable[[int | None, bytes], None] | None = None
    tries: int = 0
    due: datetime | None = None
    first: datetime | None = None


@dataclass(slots=True)
class Journal:
    """What became of notifications."""

    counts: Counter[str] = field(default_factory=Counter)
    latest: deque[Doc] = field(default_factory=lambda: deque(maxlen=5_000))

    def note(self, parcel: Parcel, fate: str, status: int | None, at: datetime) -> None:
        """Write down one try or one fate."""
        self.counts[f"{parcel.provider}.{fate}"] += 1
        self.latest.append(
            {
                "at": at.isoformat(),
                "provider": parcel.provider,
                "label": parcel.label,
                "url": parcel.url,
                "fate": fate,
                "status": status,
                "tries": parcel.tries,
                "body": parcel.body.decode(),
            }
        )


class Courier:
    """Carries notifications to the addresses they are meant for."""

    def __init__(self, clock: Clock, dice: random.Random) -> None:
        self._clock = clock
        self._dice = dice
        self._session: aiohttp.ClientSession | None = None
        self._streams: dict[str, deque[Parcel]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._held: list[Parcel] = []
        self._sent: deque[Parcel] = deque(maxlen=500)
        self.manners: dict[str, Manners] = {}
        self.journal = Journal()

    def send(self, parcel: Parcel) -> None:
        """Hand over a new notification; manners decide what becomes of it."""
        manners = self.manners_of(parcel.provider)
        self._sent.append(replace(parcel))
        if self._strikes(manners.drop):
            self.journal.note(parcel, "dropped", None, self._clock.now())
            return
        copies = [parcel]
        if self._strikes(manners.duplicate):
            copies.append(replace(parcel))
        for copy in copies:
            self._depart(copy, manners)

    async def ask(self, parcel: Parcel) -> tuple[int | None, bytes]:
        """Post at once, whatever the manners, and wait for the answer; None is none."""
        parcel.tries = 1
        status, body = await self._post(parcel)
        fate = "delivered" if status in _WELL else "failed"
        self.journal.note(parcel, fate, status, self._clock.now())
        return status, body

    def repeat(self, provider: str, count: int) -> int:
        """Send a provider's latest notifications once more, oldest first; returns how many."""
        latest = [parcel for parcel in self._sent if parcel.provider == provider][-count:]
        for parcel in latest:
            self._queue(replace(parcel))
        return len(latest)

    def manners_of(self, provider: str) -> Manners:
        """Return how a provider's notifications travel."""
        return self.manners.setdefault(provider, Manners())

    def resume(self, provider: str) -> None:
        """Let go what was held while paused."""
        going = [parcel for parcel in self._held if parcel.provider == provider]
        self._held = [parcel for parcel in self._held if parcel.provider != provider]
        for parcel in going:
            self._queue(parcel)

    async def settled(self, at_most: float) -> bool:
        """Wait until nothing is under way that is not held or put off; False if it takes longer."""
        try:
            async with asyncio.timeout(at_most):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
        except TimeoutError:
            return False
        return True

    def forget(self) -> None:
        """Lose everything under way and go back to good manners."""
        for task in self._tasks:
            task.cancel()
        self._streams.clear()
        self._held.clear()
        self.manners.clear()
        self.journal = Journal()

    async def close(self) -> None:
        """Stop carrying."""
        self.forget()
        if self._session is not None:
            await self._session.close()

    def _strikes(self, rate: float) -> bool:
        return rate > 0 and self._dice.random() < rate

    def _depart(self, parcel: Parcel, manners: Manners) -> None:
        if self._strikes(manners.late):
            self._clock.after(timedelta(seconds=manners.late_s), lambda: self._queue(parcel))
        elif self._strikes(manners.reorder):
            delay = self._dice.uniform(0, manners.reorder_s)
            self._clock.after(timedelta(seconds=delay), lambda: self._queue(parcel))
        else:
            self._queue(parcel)

    def _queue(self, parcel: Parcel) -> None:
        if self.manners_of(parcel.provider).paused:
            self._held.append(parcel)
            return
        waiting = self._streams.get(parcel.stream)
        if waiting is not None:
            waiting.append(parcel)
            return
        self._streams[parcel.stream] = deque([parcel])
        task = asyncio.get_running_loop().create_task(self._drain(parcel.stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, stream: str) -> None:
        waiting = self._streams[stream]
        while waiting:
            async with self._gate:
                await self._try(waiting.popleft())
        if self._streams.get(stream) is waiting:
            del self._streams[stream]

    async def _try(self, parcel: Parcel) -> None:
        parcel.tries += 1
        parcel.first = parcel.first or self._stamp(parcel)
        status, body = await self._post(parcel)
        well = status is not None and status in _WELL
        fate = "delivered" if well else "failed"
        self.journal.note(parcel, fate, status, self._clock.now())
        if parcel.heard is not None:
            parcel.heard(status, body)
        if not well:
            self._try_again(parcel, status)

    def _try_again(self, parcel: Parcel, status: int | None) -> None:
        wait = parcel.again(status, parcel.tries)
        if wait is None:
            self.journal.note(parcel, "lost", status, self._clock.now())
            return
        # Counted from when this try was due, so that one long jump of the clock plays all tries.
        parcel.due = (parcel.due or self._clock.now()) + wait
        self._clock.at(parcel.due, lambda: self._queue(parcel))

    def _stamp(self, parcel: Parcel) -> datetime:
        manners = self.manners_of(parcel.provider)
        if manners.stamp == "first" and parcel.first is not None:
            return parcel.first
        return self._clock.now() if manners.stamp == "sandbox" else self._clock.wall()

    async def _post(self, parcel: Parcel) -> tuple[int | None, bytes]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=IN_FLIGHT, ssl=False)
            self._session = aiohttp.ClientSession(connector=connector)
        limit = aiohttp.ClientTimeout(total=self.manners_of(parcel.provider).timeout_s)
        try:
            async with self._session.post(
                parcel.url,
                data=parcel.body,
                headers=parcel.headers(self._stamp(parcel)),
                timeout=limit,
                allow_redirects=False,
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None, b""
