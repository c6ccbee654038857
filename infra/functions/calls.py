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
from redis.exceptions import ConnectionError as LineLost
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as LineSilent

from infra import functions
from infra.errors import StoreAway, StoreFull
from infra.functions.line import Line
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
UNKNOWN: Final = "Function not found"
# A store that answers, but cannot do it just now: as good as away.
UNABLE: Final = ("MISCONF", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", UNKNOWN)

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
        """To be said, or said once more."""
        self._under_way: deque[_Call] = deque()
        """Said and not answered, in the order of the answers."""
        self._line: Line | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._failed = 0
        """Failures since the last answer."""
        self._about_to_speak = False
        self._clock: asyncio.TimerHandle | None = None

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
        if self._clock is None:
            self._clock = loop.call_at(call.give_up_at, self._look_at_clock, None)
        if self._line is None:
            self._dial_soon(None)
        else:
            self._speak_soon()
        return call.answer

    def _speak_soon(self) -> None:
        """Say with one write what is asked in this turn of the loop, and what follows from it in
        the next one: they share a flush of the store."""
        if not self._about_to_speak:
            self._about_to_speak = True
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._speak)

    def _speak(self) -> None:
        self._about_to_speak = False
        if self._line is not None and self._queue and not self._line.full:
            words = b"".join([call.packed for call in self._queue])
            self._under_way.extend(self._queue)
            self._queue.clear()
            self._line.say(words)

    def _hear(self, answer: Answer) -> None:
        """Hand out the next answer, unless the store may take the same call a moment later."""
        if _may_pass(answer):
            self._lose(answer)
            return
        call = self._under_way.popleft()
        self._failed = 0
        if isinstance(answer, ResponseError):
            _fail(call, _renamed(answer))
        else:
            _give(call, answer)

    def _look_at_clock(self, late: _Call | None) -> None:
        """Nobody waits longer than was said, whatever the line is doing: a frozen store takes a
        connection, and greeting it there takes many seconds. One timer watches all calls; it looks
        twice, for after a stall of ours the answers may lie there unread."""
        loop, self._clock = asyncio.get_running_loop(), None
        waiting = [call for call in (*self._under_way, *self._queue) if not call.answer.done()]
        overdue = [call for call in waiting if call.give_up_at <= loop.time()]
        if late is not None and late in overdue:
            self._lose(LineSilent("nothing came in time"))
            waiting, overdue = waiting[len(overdue) :], []
        if overdue:
            self._clock = loop.call_later(SECOND_LOOK, self._look_at_clock, overdue[0])
        elif waiting:
            self._clock = loop.call_at(waiting[0].give_up_at, self._look_at_clock, None)

    def _lose(self, why: Exception) -> None:
        """Hang up. Who has waited long enough is told; the other calls are made over a new line."""
        self._hang_up()
        self._failed += 1
        left = _patient((*self._under_way, *self._queue), why)
        self._under_way.clear()
        self._queue = deque(left)
        if left:
            self._dial_soon(why)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.hang_up()
            self._line = None

    def _dial_soon(self, why: Exception | None) -> None:
        if self._dialling is None or self._dialling.done():
            self._dialling = asyncio.get_running_loop().create_task(self._dial(why))
            self._dialling.add_done_callback(self._dialled)

    async def _dial(self, why: Exception | None) -> None:
        """Until there is a line, or nobody waits for it."""
        while self._queue:
            try:
                await self._pause()
                if str(why).startswith(UNKNOWN):
                    await functions.load(self._client)
                self._line = await self._pick_up()
            except (*AWAY, ResponseError) as error:
                why = error
                self._failed += 1
                self._queue = deque(_patient(self._queue, error))
            else:
                self._speak()
                return

    async def _pick_up(self) -> Line:
        pool = self._client.connection_pool
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # untyped there
        await connection.connect()  # type: ignore[no-untyped-call]  # likewise
        return Line(connection, heard=self._hear, lost=self._lose, free=self._speak_soon)

    async def _pause(self) -> None:
        """Before the next try, but not beyond the moment when somebody has waited long enough."""
        if self._failed:
            left = self._queue[0].give_up_at - asyncio.get_running_loop().time()
            pause = PAUSES[min(self._failed, len(PAUSES)) - 1]
            await asyncio.sleep(min(pause, max(left, 0)))

    def _dialled(self, dialling: asyncio.Task[None]) -> None:
        """Nobody waits for ever: what was left behind shares the fate of who should have cared."""
        cancelled = dialling.cancelled()
        error = StoreAway("dialling was cancelled") if cancelled else dialling.exception()
        if error is not None:
            for call in self._queue:
                _fail(call, error)
            self._queue.clear()

    async def aclose(self) -> None:
        """Wait for the calls that were sent, and hang up."""
        for call in (*self._under_way, *self._queue):
            await asyncio.wait([call.answer])
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.wait([self._dialling])
        if self._clock is not None:
            self._clock.cancel()
        self._hang_up()


def _may_pass(answer: Answer) -> bool:
    """Whether it says that the store may take the same call a moment later."""
    if isinstance(answer, ResponseError):
        return isinstance(answer, ReadOnlyError) or str(answer).startswith(UNABLE)
    return isinstance(answer, LineLost)  # it still reads its files


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
