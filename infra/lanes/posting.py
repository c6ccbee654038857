"""How is work put into lanes? Many at once, each with its own answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from infra import keys
from infra.errors import StoreAway
from infra.functions.calls import Answer, Calls, fresh_id
from infra.lanes.committing import MOST_BYTES, MOST_POSTS, TooMuch, Words, milliseconds, say_post
from infra.lanes.turns import Turns
from infra.lanes.words import Kind, Post, Posted
from infra.points import armed, point

MOST_WAITING: Final = 2048
AT_ONCE: Final = 3
"""Sendings under way: the store works at one while the next is read and gathered."""
WORTH_A_CALL: Final = 24
"""Posts for which another sending goes while one is under way. Calls that carry less cost the store
more than they save in waiting; with 64, a receiver with 128 connections stood still for a fifth of
the time."""
BETWEEN_RINGS: Final = timedelta(milliseconds=5)
"""A receiver with much to do rings once for all that it keeps of a kind meanwhile: every second of
its calls was a ring."""
LONGEST_WAIT: Final = timedelta(seconds=1)  # then the sender hears 503 and comes back (ENGINE 21)


@dataclass(slots=True)
class _Waiting:
    post: Post
    call: str
    words: Words
    size: int
    answer: asyncio.Future[Posted]
    may_ring_later: bool = False


class Posting:
    """Posts of one process, gathered while the store is busy with those before."""

    def __init__(self, calls: Calls, turns: Turns) -> None:
        self._calls = calls
        self._turns = turns
        self._waiting: list[_Waiting] = []
        self._inside = 0
        self._some_left = asyncio.Event()
        self._about_to_send = False
        self._under_way: set[asyncio.Future[Answer]] = set()  # the last call of each sending
        self._to_ring: dict[Kind, dict[str, int]] = {}
        """Kinds that were rung for a moment ago, and what was posted to each since."""

    async def aclose(self) -> None:
        """Wait for the posts that were accepted for sending."""
        while self._waiting or self._under_way:
            if self._under_way:
                await asyncio.wait(self._under_way)
            else:
                await asyncio.sleep(0)  # they are about to be sent
        for kind in tuple(self._to_ring):
            self._ring_on(kind)

    async def post(self, post: Post, *, call: str | None = None) -> Posted:
        """Keep a post. Raises StoreFull, StoreAway, or TooMuch for more than 256 KiB."""
        return await self._keep(_waiting(post, call or ""))

    def post_soon(self, post: Post) -> asyncio.Future[Posted]:
        """Like `post`, without a task for it unless it must wait, or a fault is to be suffered.
        Whoever waits for work hears of it within 5 ms."""
        waiting = _waiting(post, "")
        if self._inside >= MOST_WAITING or armed():
            return asyncio.ensure_future(self._keep(waiting))
        waiting.may_ring_later = True
        return self._add(waiting)

    async def _keep(self, waiting: _Waiting) -> Posted:
        if self._inside >= MOST_WAITING:
            await self._enter()
        async with point("store.post", before=StoreAway, after=StoreAway):
            return await self._add(waiting)

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(LONGEST_WAIT.total_seconds()):
                while self._inside >= MOST_WAITING:
                    self._some_left.clear()
                    await self._some_left.wait()
        except TimeoutError as error:
            raise StoreAway(f"{MOST_WAITING} posts wait for the store") from error

    def _add(self, waiting: _Waiting) -> asyncio.Future[Posted]:
        self._inside += 1
        self._waiting.append(waiting)
        self._send_soon()
        return waiting.answer

    def _send_soon(self) -> None:
        """At the end of this turn of the loop, for what is posted in one goes together."""
        most = AT_ONCE if len(self._waiting) >= WORTH_A_CALL else 1
        if self._waiting and not self._about_to_send and len(self._under_way) < most:
            self._about_to_send = True
            asyncio.get_running_loop().call_soon(self._send_all)

    def _send_all(self) -> None:
        self._about_to_send = False
        waiting, self._waiting = self._waiting, []
        sent = [self._send(batch) for batch in _batches(waiting)]
        self._tell(waiting)
        self._under_way.add(sent[-1])  # answers come in the order of the calls
        sent[-1].add_done_callback(self._make_way)

    def _make_way(self, last: asyncio.Future[Answer]) -> None:
        self._under_way.discard(last)
        self._send_soon()

    def _send(self, batch: Sequence[_Waiting]) -> asyncio.Future[Answer]:
        tenant = batch[0].post.lane.tenant
        places = [*keys.calls(tenant), *keys.seen(tenant)]
        words: list[str | bytes | int] = [
            f"?{batch[0].call}" if batch[0].call else fresh_id(),
            len(batch),
        ]
        for each in batch:
            places += each.words.keys
            words += each.words.args
        sent = self._calls.send("post", places, words)
        sent.add_done_callback(lambda answer: self._answered(batch, answer))
        return sent

    def _answered(self, batch: Sequence[_Waiting], answer: asyncio.Future[Answer]) -> None:
        self._inside -= len(batch)
        self._some_left.set()
        _hand_out(batch, answer)

    def _tell(self, waiting: Sequence[_Waiting]) -> None:
        may_wait = all(each.may_ring_later for each in waiting)
        for kind, tenants in due_in(each.post for each in waiting).items():
            if may_wait and (others := self._to_ring.get(kind)) is not None:
                others |= {who: min(ms, others.get(who, ms)) for who, ms in tenants.items()}
            else:
                self._turns.ring(kind, tenants)
                self._ring_later(kind)

    def _ring_later(self, kind: Kind) -> None:
        if kind not in self._to_ring:
            self._to_ring[kind] = {}
            loop = asyncio.get_running_loop()
            loop.call_later(BETWEEN_RINGS.total_seconds(), self._ring_on, kind)

    def _ring_on(self, kind: Kind) -> None:
        if tenants := self._to_ring.pop(kind, None):
            self._turns.ring(kind, tenants)
            self._ring_later(kind)


def due_in(posts: Iterable[Post]) -> dict[Kind, dict[str, int]]:
    """For each kind the tenants that posts concern, with ms until the earliest is due."""
    due: dict[Kind, dict[str, int]] = defaultdict(dict)
    for post in posts:
        tenants, tenant = due[post.lane.kind], post.lane.tenant
        # A lane that changes its group may leave a closed gate behind, and be due by that.
        at_once = not post.timers or post.item is not None or post.mark or post.group is not None
        delay = 0 if at_once else milliseconds(min(post.timers.values()))
        tenants[tenant] = min(delay, tenants.get(tenant, delay))
    return due


def _waiting(post: Post, call: str) -> _Waiting:
    words = Words()
    say_post(words, post)
    size = words.measure()
    if size > MOST_BYTES:
        raise TooMuch(f"a post of {size} bytes; at most {MOST_BYTES}")
    return _Waiting(post, call, words, size, asyncio.get_running_loop().create_future())


def _batches(waiting: Iterable[_Waiting]) -> list[list[_Waiting]]:
    """Calls of one tenant each, of 64 posts and 256 KiB at most; a given call id travels alone."""
    batches: list[list[_Waiting]] = []
    growing: dict[str, tuple[list[_Waiting], int]] = {}
    for each in waiting:
        tenant, size = each.post.lane.tenant, each.size
        batch, filled = growing.get(tenant, ([], 0))
        if each.call or not batch or len(batch) == MOST_POSTS or filled + size > MOST_BYTES:
            batch, filled = [], 0
            batches.append(batch)
        batch.append(each)
        if not each.call:
            growing[tenant] = (batch, filled + size)
    return batches


def _hand_out(batch: Sequence[_Waiting], answer: asyncio.Future[Answer]) -> None:
    error = answer.exception() if not answer.cancelled() else asyncio.CancelledError()
    for place, each in enumerate(batch):
        if each.answer.done():
            continue
        if error is not None:
            each.answer.set_exception(error)
        else:
            each.answer.set_result(Posted(chr(answer.result()[place])))
