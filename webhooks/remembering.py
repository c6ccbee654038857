"""What did the store say a moment ago? Answers that are good for two seconds, and bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K")
V = TypeVar("V")

GOOD_FOR: Final = timedelta(seconds=2)
AT_MOST: Final = 20_000


class _Held(NamedTuple, Generic[V]):
    answer: asyncio.Future[V]
    until: float
    renewed: bool = False
    """Whether it is being asked anew."""


class Remembered(Generic[K, V]):
    """Asks once for all who want to know the same, and remembers also that there was nothing."""

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        *,
        good_for: timedelta = GOOD_FOR,
        at_most: int = AT_MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._good_for = good_for.total_seconds()
        self._at_most = at_most
        self._clock = clock
        self._held: dict[K, _Held[V]] = {}
        self._renewing: set[asyncio.Future[V]] = set()

    async def get(self, key: K) -> V:
        """The answer, at most two seconds old. Raises what asking raised, and forgets that."""
        held = self._held.get(key)
        if held is None or held.until <= self._clock():
            held = self._inquire(key)
        if held.answer.done():
            return held.answer.result()
        # One who goes away must not take the answer from the others.
        return await asyncio.shield(held.answer)

    def known(self, key: K) -> V | None:
        """The answer, if it is at hand and good. One that is asked for when it is no longer young
        is asked anew meanwhile, so that nobody waits for what is often asked."""
        held = self._held.get(key)
        if held is None or not held.answer.done():
            return None
        left = held.until - self._clock()
        if left <= 0 or held.answer.cancelled() or held.answer.exception() is not None:
            return None
        if left < self._old_from(key) and not held.renewed:
            self._renew(key, held)
        return held.answer.result()

    def _old_from(self, key: K) -> float:
        """Seconds before its end; another for each key, or all that came together would be asked
        anew together, too."""
        return self._good_for * (0.25 + hash(key) % 64 / 128)

    def _renew(self, key: K, held: _Held[V]) -> None:
        until = self._clock() + self._good_for
        answer = asyncio.ensure_future(self._ask(key))
        self._held[key] = held._replace(renewed=True)
        self._renewing.add(answer)
        answer.add_done_callback(lambda done: self._replace(key, done, until))

    def _replace(self, key: K, answer: asyncio.Future[V], until: float) -> None:
        """A failure leaves what was known, for as long as it is good."""
        self._renewing.discard(answer)
        if not answer.cancelled() and answer.exception() is None and key in self._held:
            del self._held[key]  # so that the oldest stand first
            self._held[key] = _Held(answer, until)

    def _inquire(self, key: K) -> _Held[V]:
        self._held.pop(key, None)  # so that the oldest stand first
        while len(self._held) >= self._at_most:
            del self._held[next(iter(self._held))]
        answer = asyncio.ensure_future(self._ask(key))
        held = self._held[key] = _Held(answer, self._clock() + self._good_for)
        answer.add_done_callback(lambda done: self._forget_failure(key, done))
        return held

    def _forget_failure(self, key: K, done: asyncio.Future[V]) -> None:
        failed = done.cancelled() or done.exception() is not None
        held = self._held.get(key)
        if failed and held is not None and held.answer is done:
            del self._held[key]
