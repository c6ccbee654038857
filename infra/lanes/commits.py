"""How do commits reach the store? Those of one turn of the loop together, each with its answer.

Most of what a plain commit cost was what a call costs: its keys, its id, an answer and a line in
the file of the store. Nobody is waited for: what is committed now is sent in this very turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from infra import keys
from infra.functions.calls import Answer, Calls, Word, fresh_id
from infra.lanes.committing import MOST_BYTES, MOST_POSTS, Words, milliseconds
from infra.lanes.posting import due_in
from infra.lanes.turns import Turns
from infra.lanes.words import Claimed, Kind, Post, Unit

MOST_LANES: Final = 64


@dataclass(slots=True)
class _Batch:
    """Commits of lanes of one tenant and kind that travel together."""

    tenant: str
    kind: Kind
    words: Words = field(default_factory=Words)
    posts: list[Post] = field(default_factory=list)
    answers: list[asyncio.Future[Answer]] = field(default_factory=list)
    size: int = 0

    def takes(self, unit: Unit, size: int) -> bool:
        """Whether it would still be a call of a bounded length."""
        return (
            len(self.answers) < MOST_LANES
            and len(self.posts) + len(unit.posts) <= MOST_POSTS
            and self.size + size <= MOST_BYTES
        )

    def add(self, claimed: Claimed, unit: Unit, changes: Words, size: int) -> None:
        """As functions/commit.lua reads a lane."""
        tenant, name = self.tenant, claimed.lane.name
        self.words.keys += [keys.lane(tenant, name), keys.items(tenant, name), *changes.keys]
        self.words.say(claimed.claim, name, len(changes.keys), len(changes.args), *changes.args)
        self.posts += unit.posts
        self.size += size

    def call(self, lease: timedelta) -> tuple[list[str], list[Word]]:
        """Keys and words of the whole."""
        tenant, kind = self.tenant, self.kind
        deduped = any(post.once for post in self.posts)
        places = [keys.waiting(tenant, kind), keys.held(tenant, kind), keys.parked(tenant)]
        places += [keys.shut(tenant, kind), keys.busy(tenant), *keys.calls(tenant)]
        places += keys.seen(tenant) if deduped else []
        words: list[Word] = [fresh_id(), milliseconds(lease), "1" if deduped else ""]
        return places + self.words.keys, words + self.words.args


class Commits:
    """Commits of one process, gathered while a turn of its loop lasts."""

    def __init__(self, calls: Calls, turns: Turns, lease: timedelta) -> None:
        self._calls = calls
        self._turns = turns
        self._lease = lease
        self._growing: dict[tuple[str, Kind], _Batch] = {}

    def add(
        self, claimed: Claimed, unit: Unit, changes: Words, size: int
    ) -> asyncio.Future[Answer]:
        """Send a commit of so many bytes before the loop turns again. The answer is what
        functions/commit.lua says of this lane; it raises StoreAway."""
        loop, place = asyncio.get_running_loop(), (claimed.lane.tenant, claimed.lane.kind)
        batch = self._growing.get(place)
        if batch is None or not batch.takes(unit, size):
            if batch is not None:
                self._send(batch)
            elif not self._growing:
                loop.call_soon(self._send_all)
            batch = self._growing[place] = _Batch(*place)
        batch.add(claimed, unit, changes, size)
        answer = loop.create_future()
        batch.answers.append(answer)
        return answer

    def _send_all(self) -> None:
        for batch in self._growing.values():
            self._send(batch)
        self._growing.clear()

    def _send(self, batch: _Batch) -> None:
        """What they tell others travels right behind them."""
        sent = self._calls.send("commit", *batch.call(self._lease))
        sent.add_done_callback(lambda answer: _hand_out(batch.answers, answer))
        for kind, tenants in due_in(batch.posts).items():
            self._turns.ring(kind, tenants)


def _hand_out(waiting: Sequence[asyncio.Future[Answer]], sent: asyncio.Future[Answer]) -> None:
    error = sent.exception() if not sent.cancelled() else asyncio.CancelledError()
    for place, answer in enumerate(waiting):
        if answer.done():
            continue
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(sent.result()[place])
