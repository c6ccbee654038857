"""How do function calls reach the store? Gathered, repeated under the same id, renamed errors.

Calls that wait at the same time travel in one pipeline: with an append-only file that is flushed
before each answer, that is where the speed comes from. A call whose answer was lost is sent again;
its call id makes that harmless (ENGINE 8).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

from infra import functions
from infra.errors import StoreAway, StoreFull
from infra.points import point
from infra.valkey import AWAY

IDS_AT_ONCE: Final = 64
PATIENCE: Final = timedelta(seconds=2)
SECOND_LOOK: Final = 0.25  # seconds
PAUSES: Final = (0.01, 0.05, 0.1, 0.25, 0.5)  # seconds; the last one repeats
# Functions without a call id: what they do twice is done once.
NAMELESS: Final = frozenset(
    {
        *("open", "heartbeat", "release", "park", "retry", "gate", "duty", "look"),
        *("ring", "turns", "settle", "pace", "draw", "enter", "leave", "answer", "epoch"),
    }
)
# A store that answers, but cannot write just now: as good as away.
UNABLE: Final = ("MISCONF", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")

_drawn: Final[list[str]] = []

Word: TypeAlias = str | bytes | int
Answer: TypeAlias = Any  # each function answers in its own shape; who calls it reads it


def fresh_id() -> str:
    """An id that no other call or claim has: 64 random bits."""
    if not _drawn:  # many at once: asking the system costs more than the bits
        dice = secrets.token_hex(8 * IDS_AT_ONCE)
        _drawn.extend(dice[start : start + 16] for start in range(0, len(dice), 16))
    return _drawn.pop()


@dataclass(slots=True, eq=False)
class _Call:
    words: tuple[Word, ...]
    name: int | None
    """Where in them the call id stands."""
    answer: asyncio.Future[Answer]
    give_up_at: float
    packed: bytes

    def ask(self) -> None:
        """From now on it may have been made before: its id goes out as "?<id>"."""
        if self.name is not None:
            id_ = str(self.words[self.name]).removeprefix("?")
            self.words = (*self.words[: self.name], f"?{id_}", *self.words[self.name + 1 :])
            self.name, self.packed = None, _pack(self.words)


class Calls:
    """The function calls of one process."""

    def __init__(self, client: Redis, *, patience: timedelta = PATIENCE) -> None:
        self._client = client
        self._patience = patience.total_seconds()
        self._queue: deque[_Call] = deque()
        self._under_way: deque[_Call] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        self._clock: asyncio.TimerHandle | None = None
        self._line: AbstractConnection | None = None
        self._within: float | None = None

    async def call(
        self,
        function: str,
        keys: Sequence[str],
        args: Sequence[Word],
        *,
        then: Callable[[], object] | None = None,
    ) -> Answer:
        """Call a function of our library; repeated for 2 s when the store does not answer.

        What `then` sends travels right behind it. Raises StoreAway, StoreFull (above maxmemory),
        or redis' ResponseError for a mistake.
        """
        async with point(f"store.{function}", before=StoreAway, after=StoreAway):
            answer = self.send(function, keys, args)
            if then is not None:
                then()
            return await answer

    def send(
        self, function: str, keys: Sequence[str], args: Sequence[Word]
    ) -> asyncio.Future[Answer]:
        """Like `call`, without waiting: calls sent one after the other arrive in that order."""
        words = ("FCALL", f"{functions.LIBRARY}_{function}", len(keys), *keys, *args)
        return self._send(words, None if function in NAMELESS else len(keys) + 3)

    async def read(self, name: str, *words: Word) -> Answer:
        """A plain command that may be repeated freely; `name` is its point, store.<name>."""
        async with point(f"store.{name}", before=StoreAway, after=StoreAway):
            return await self._send(words, None)

    async def read_all(self, name: str, *commands: tuple[Word, ...]) -> list[Answer]:
        """Several of them at once: a third of what as many tasks that read would cost."""
        async with point(f"store.{name}", before=StoreAway, after=StoreAway):
            return await asyncio.gather(*(self._send(words, None) for words in commands))

    def _send(self, words: tuple[Word, ...], name: int | None) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        call = _Call(words, name, loop.create_future(), until, _pack(words))
        self._queue.append(call)
        self._asked.set()
        if self._clock is None:
            self._clock = loop.call_at(call.give_up_at, self._look_at_clock, None)
        if self._sender is None or self._sender.done():
            self._sender = loop.create_task(self._send_all())
            self._sender.add_done_callback(self._ended)
        return call.answer

    def _look_at_clock(self, late: _Call | None) -> None:
        """Nobody waits longer than was said, whatever the line is doing: a frozen store takes a
        connection, and greeting it there takes many seconds. One timer watches all calls; it looks
        twice, for after a stall of ours the answers may lie there unread."""
        loop, self._clock = asyncio.get_running_loop(), None
        waiting = [call for call in (*self._under_way, *self._queue) if not call.answer.done()]
        overdue = [call for call in waiting if call.give_up_at <= loop.time()]
        if late is not None and late in overdue:
            for call in overdue:
                _fail(call, StoreAway("the store does not answer: nothing came in time"))
            waiting, overdue = waiting[len(overdue) :], []
        if overdue:
            self._clock = loop.call_later(SECOND_LOOK, self._look_at_clock, overdue[0])
        elif waiting:
            self._clock = loop.call_at(waiting[0].give_up_at, self._look_at_clock, None)

    async def aclose(self) -> None:
        """Wait for the calls that were sent, and hang up."""
        if self._sender is not None:
            await self._sender
        if self._clock is not None:
            self._clock.cancel()
        await self._hang_up()

    async def _send_all(self) -> None:
        failed = 0
        while self._queue:
            try:
                await self._converse()
            except (*AWAY, ResponseError) as why:
                left = _patient((*self._under_way, *self._queue), why)
                self._under_way.clear()
                self._queue = deque(left)
                await self._pause(PAUSES[min(failed, len(PAUSES) - 1)])
                failed += 1

    async def _pause(self, seconds: float) -> None:
        """Before the next try, but not beyond the moment when somebody has waited long enough."""
        if self._queue:
            left = self._queue[0].give_up_at - asyncio.get_running_loop().time()
            await asyncio.sleep(min(seconds, max(left, 0)))

    async def _converse(self) -> None:
        """Over one line, until nothing waits. Nobody who asks waits for the answers of others, so
        that the store works while we pack and read. What is unanswered when it fails is under way.
        """
        line = self._line or await self._pick_up()
        speaker = asyncio.create_task(self._speak(line))
        try:
            while self._queue or self._under_way:
                async with asyncio.timeout(self._within):
                    for _ in range(len(self._under_way)):
                        await self._hear(line)
                if not self._under_way:
                    await asyncio.sleep(0)  # the speaker has a turn
        except BaseException:
            await self._hang_up()  # with the answers that nobody reads now
            raise
        finally:
            speaker.cancel()
            await asyncio.gather(speaker, return_exceptions=True)  # a lost line is heard, too

    async def _speak(self, line: AbstractConnection) -> None:
        """Say with one write what was asked in one turn of the loop, and what follows from it in
        the next one: they share a flush of the store."""
        while True:
            await asyncio.sleep(0)
            self._asked.clear()
            if self._queue:
                words = b"".join([call.packed for call in self._queue])
                self._under_way.extend(self._queue)
                self._queue.clear()
                await line.send_packed_command(words)
            await self._asked.wait()

    async def _pick_up(self) -> AbstractConnection:
        """A line that stays ours: the pool asks each one that it hands out whether it still lives,
        which costs as much as a call. One deadline for a batch stands for redis-py's, which are a
        timer for every answer and a task for every sending."""
        line: AbstractConnection = await self._client.connection_pool.get_connection()
        self._line, self._within, line.socket_timeout = line, line.socket_timeout, None
        return line

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.socket_timeout = self._within
            await line.disconnect(nowait=True)
            await self._client.connection_pool.release(line)

    async def _hear(self, connection: AbstractConnection) -> None:
        """Hand out the next answer. Raises what makes it worth while to ask again."""
        call = self._under_way[0]
        try:
            answer = await connection.read_response(disable_decoding=True)
        except ResponseError as error:
            if await self._may_pass(error):
                raise
            _fail(call, _renamed(error))
        else:
            _give(call, answer)
        self._under_way.popleft()

    async def _may_pass(self, error: ResponseError) -> bool:
        """Whether the store may take the same call a moment later."""
        if "Function not found" in str(error):
            await functions.load(self._client)
            return True
        return isinstance(error, ReadOnlyError) or str(error).startswith(UNABLE)

    def _ended(self, sender: asyncio.Task[None]) -> None:
        """Nobody waits for ever: what a sender left behind shares its fate."""
        error = StoreAway("sending was cancelled") if sender.cancelled() else sender.exception()
        if error is not None:
            for call in (*self._under_way, *self._queue):
                _fail(call, error)
            self._queue.clear()
            self._under_way.clear()


def _renamed(error: ResponseError) -> Exception:
    if isinstance(error, OutOfMemoryError) or str(error).startswith("OOM"):
        return StoreFull("the store is above its memory guard")
    return error


def _pack(words: tuple[Word, ...]) -> bytes:
    # By hiredis itself: redis-py's asyncio side does it word by word, in Python, which was half of
    # what a commit cost a worker.
    packed: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub: tuples of one word
    return packed


def _give(call: _Call, answer: Answer) -> None:
    if not call.answer.done():
        call.answer.set_result(answer)


def _fail(call: _Call, error: BaseException) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)


def _patient(batch: Iterable[_Call], why: Exception) -> list[_Call]:
    """The calls to send again; those that waited long enough fail."""
    now = asyncio.get_running_loop().time()
    again: list[_Call] = []
    for call in batch:
        if call.answer.done():
            continue
        if now < call.give_up_at:
            call.ask()
            again.append(call)
        else:
            away = StoreAway(f"the store does not answer: {why}")
            away.__cause__ = why if isinstance(why, RedisError) else None
            _fail(call, away)
    return again
