"""How does the API ask a worker to do something at a provider, and wait for the answer?

The request is a document and an item of its own desk lane, written in one call (ENGINE 32). A ring
on this process's answer stream says that the answer stands in the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from infra.errors import Conflict
from infra.lanes import Item, Lane, Post, Unit
from infra.seal import KeyRing, Unsealable
from infra.store import Store
from schemas.desk import DeskAnswer, DeskAsk, DeskRequest
from schemas.items import DeskAsked, write_load
from schemas.people import Actor
from schemas.problems import ProblemType
from schemas.seals import Sealed
from webhooks.api.problems import Denied

PATIENCE: Final = timedelta(seconds=10)
"""How long a caller is kept waiting before it gets 202."""
LOOK_EVERY: Final = timedelta(seconds=1)
READ_WITHIN: Final = timedelta(seconds=60)
"""What only reads is not worth doing later."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked, by whom, and behind which gate."""

    tenant: str
    actor: Actor
    ask: DeskAsk
    group: str | None = None
    """None where no connection exists yet."""
    id: str | None = None
    """Given where the same must not be asked twice; else a new one."""
    reads_only: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer, or None while the work goes on."""

    request: str
    answer: DeskAnswer | None


@dataclass(slots=True)
class Desk:
    """One web process's side of the desk. `listen` must run while `ask` is used."""

    store: Store
    process: str
    ring: KeyRing
    """Born with the process: only it can open the host links that it asked for."""
    now: Callable[[], datetime]
    new_id: Callable[[str], str]
    patience: timedelta = PATIENCE
    _waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    async def ask(self, asking: Asking) -> Heard:
        """Ask, and wait a while. Asking again under the same id waits for the first answer.

        Raises Denied when no worker serves the desk, or when the answer is a refusal.
        """
        await self._must_be_served()
        id_ = asking.id or self.new_id("dr")
        with self._listening(id_) as rung:
            with contextlib.suppress(Conflict):  # asked before: its answer is ours too
                await self.store.lanes.submit(asking.tenant, self._unit(id_, asking))
            answer = await self._await(asking.tenant, id_, rung)
        if answer is not None:
            check(answer)
        return Heard(id_, answer)

    async def listen(self) -> None:
        """Wake those whose answer is there; until cancelled."""
        async for request in self.store.answers.follow(self.process):
            if rung := self._waiting.get(request):
                rung.set()

    def open(self, tenant: str, answer: DeskAnswer) -> str:
        """The secret of an answer. Raises Denied if it was sealed for another process."""
        try:
            opened = self.ring.open(answer.sealed, context=Sealed.HOST_LINK.of(tenant, answer.id))
        except Unsealable:
            raise Denied(
                ProblemType.NOT_FOUND,
                "This link can no longer be opened. Ask for a new one; it is made afresh.",
            ) from None
        return opened.decode()

    async def _must_be_served(self) -> None:
        if not await self.store.lanes.on_duty("desk"):
            raise Denied(
                ProblemType.UNAVAILABLE,
                "No worker is there to talk to the provider. Start one (`python -m workers`),"
                " then repeat.",
                headers={"Retry-After": "10"},
            )

    def _unit(self, id_: str, asking: Asking) -> Unit:
        now = self.now()
        request = DeskRequest(
            id=id_,
            ask=asking.ask,
            actor=asking.actor,
            reply_to=self.process,
            asked_at=now,
            not_after=now + READ_WITHIN if asking.reads_only else None,
        )
        post = Post(
            lane=Lane(asking.tenant, "desk", id_),
            item=Item(id_, write_load(DeskAsked(request=id_))),
            group=asking.group,
        )
        return Unit(puts=[request], posts=[post])

    @contextlib.contextmanager
    def _listening(self, id_: str) -> Iterator[asyncio.Event]:
        rung = self._waiting.setdefault(id_, asyncio.Event())
        try:
            yield rung
        finally:
            self._waiting.pop(id_, None)  # another asker of the same looks every second anyway

    async def _await(self, tenant: str, id_: str, rung: asyncio.Event) -> DeskAnswer | None:
        """Look when rung, and every second besides: the ring may be another process's, or lost."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience.total_seconds()
        while True:
            answer = await self.store.documents.get(tenant, DeskAnswer, id_)
            left = until - loop.time()
            if answer is not None or left <= 0:
                return answer
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_EVERY.total_seconds())):
                    await rung.wait()
            rung.clear()


def check(answer: DeskAnswer) -> None:
    """Turn a refusal into a problem. Raises Denied."""
    if answer.state == "done":
        return
    known = answer.problem in set(ProblemType)
    raise Denied(
        ProblemType(answer.problem) if known else ProblemType.PROVIDER_REFUSED,
        answer.detail or "The provider refused, and said no more. Test the connection.",
    )
