"""What can a process do with lanes? One object, over one client of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from redis.asyncio import Redis

from infra.errors import StoreFull
from infra.functions.calls import Calls
from infra.lanes.claiming import Claiming, Leases, Taken
from infra.lanes.committing import milliseconds
from infra.lanes.holding import KEEP_FEED, Holding
from infra.lanes.posting import Posting
from infra.lanes.states import Backlog, Gate, States
from infra.lanes.submitting import Submitting
from infra.lanes.turns import Doorbell, Turns
from infra.lanes.upkeep import DUTY, UNTIL_OPENED, Load, Upkeep
from infra.lanes.words import KINDS, Claimed, Kind, Lane, LaneState, Post, Posted, Unit


class Lanes:
    """The engine as a process sees it (ENGINE.md, DESIGN §5).

    `waiting` is a client of its own for blocking reads of 1 s (ENGINE 17). `doorbell` is called,
    at most every 10 s for a kind, when a post finds no process on duty.
    """

    def __init__(
        self,
        calls: Calls,
        waiting: Redis,
        *,
        leases: Leases | None = None,
        keep_feed: timedelta = KEEP_FEED,
        doorbell: Doorbell | None = None,
    ) -> None:
        leases = leases or Leases()
        self._calls = calls
        self._turns = Turns(calls, waiting, doorbell)
        self._posting = Posting(self._calls, self._turns)
        self._claiming = Claiming(self._calls, self._turns, leases)
        self._upkeep = Upkeep(self._calls, self._turns, leases)
        self._states = States(self._calls)
        self._holding = Holding(
            self._calls, self._turns, self._claiming, leases, keep_feed=keep_feed
        )
        self._submitting = Submitting(self._calls, self._turns, keep_feed=keep_feed)

    async def aclose(self) -> None:
        """Send what waits."""
        await self._posting.aclose()
        await self._calls.aclose()
        await self._turns.aclose()

    async def post(self, post: Post, *, call: str | None = None) -> Posted:
        """Keep a post and mark its lane due; when this returns, it is durable.

        A caller's own `call` id makes its repetition harmless for 10 s. Raises StoreFull above
        maxmemory, StoreAway (it may have been kept), TooMuch beyond 256 KiB.
        """
        return await self._posting.post(post, call=call)

    def post_soon(self, post: Post) -> asyncio.Future[Posted]:
        """Like `post`, for whoever has no task that could wait. Raises TooMuch at once."""
        return self._posting.post_soon(post)

    async def post_many(self, tenant: str, posts: Sequence[Post]) -> list[Posted | StoreFull]:
        """Keep a tenant's posts, each with its own answer; the order within a lane is theirs.

        Raises StoreAway if the fate of any is unknown.
        """
        if any(post.lane.tenant != tenant for post in posts):
            raise ValueError(f"not all of these are posts of {tenant}")
        answers = await asyncio.gather(
            *(self._posting.post(post) for post in posts), return_exceptions=True
        )
        kept: list[Posted | StoreFull] = []
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, StoreFull):
                raise answer
            kept.append(answer)
        return kept

    async def submit(self, tenant: str, unit: Unit) -> None:
        """Write what no lane owns, and the posts that tell of it; see `Submitting.submit`."""
        await self._submitting.submit(tenant, unit)

    async def claim(self, kind: Kind, slots: int, *, empty: bool) -> list[Claimed]:
        """Take lanes and open them; see `Claiming.take`. Do not cancel it."""
        return await self.open(await self.take(kind, slots, empty=empty))

    async def take(self, kind: Kind, slots: int, *, empty: bool = False) -> list[Taken]:
        """Up to `slots` due lanes, tenants in turn; see `Claiming.take`. Do not cancel it."""
        return await self._claiming.take(kind, slots, empty=empty)

    async def open(self, taken: Sequence[Taken]) -> list[Claimed]:
        """What lies in taken lanes, of those that may be worked. Do not cancel it."""
        return await self._claiming.open(taken)

    def apart_wait(self, kind: Kind) -> bool:
        """Whether a lane waits that only an empty worker may claim: finish, then claim."""
        return self._claiming.apart_wait(kind)

    def exhausted(self, kind: Kind) -> bool:
        """Whether the last claim brought all that was due: wait before you claim again."""
        return self._claiming.exhausted(kind)

    async def wait(self, kind: Kind, at_most: timedelta) -> None:
        """Return when a lane of this kind may be due, after 1 s at the latest."""
        await self._turns.wait(kind, at_most)

    async def commit(self, claimed: Claimed, unit: Unit) -> Claimed:
        """Write all that the unit says, or nothing; see `Holding.commit`."""
        return await self._holding.commit(claimed, unit)

    async def release(self, claimed: Claimed, *, not_before: timedelta | None = None) -> None:
        """Give a lane back untouched; nothing is counted."""
        await self._holding.release(claimed, not_before=not_before)

    async def heartbeat(self, claims: Sequence[Claimed]) -> list[Claimed]:
        """Say that the tasks of these lanes live. Returns those whose claim is lost."""
        return await self._holding.heartbeat(claims)

    async def close_gate(
        self, tenant: str, group: str, until: timedelta | None, reason: str
    ) -> None:
        """Claim no lane of the group for a while, or until the gate is opened (None).

        One write, however many lanes stand behind it; held lanes go on.
        """
        closed = UNTIL_OPENED if until is None else milliseconds(until)
        await self._upkeep.gate(tenant, group, closed_ms=closed, reason=reason)

    async def open_gate(self, tenant: str, group: str) -> None:
        """Let the group's lanes through again."""
        await self._upkeep.gate(tenant, group, closed_ms=0)

    async def limit_gate(self, tenant: str, group: str, concurrency: int | None) -> None:
        """Let at most so many lanes of the group be held at once, any number with None.

        Lanes that are held when a first limit is set are not counted.
        """
        await self._upkeep.gate(tenant, group, limit=concurrency or 0)

    async def park(self, lane: Lane, reason: str) -> None:
        """Lay a lane aside until a person retries it; a holder's claim is lost."""
        await self._upkeep.park(lane, reason)

    async def retry(self, lane: Lane) -> None:
        """A person's retry: forget failures, waits and parking. A held lane is left alone."""
        await self._upkeep.retry(lane)

    async def duty(self, kind: Kind, process: str, lease: timedelta = DUTY) -> None:
        """Say that this process serves a kind for `lease` from now; zero ends it."""
        await self._upkeep.duty(kind, process, lease)

    async def on_duty(self, kind: Kind) -> bool:
        """Whether any live process serves the kind."""
        return await self._upkeep.duty(kind, "", timedelta(0)) > 0

    async def unserved(self) -> list[Kind]:
        """The kinds that no live process serves (ENGINE 17)."""
        served = await asyncio.gather(*(self.on_duty(kind) for kind in KINDS))
        return [kind for kind, any_ in zip(KINDS, served, strict=True) if not any_]

    async def bell(self, kind: Kind) -> bool:
        """Whether the caller may ring the doorbell now: once in 10 s for a kind."""
        return await self._upkeep.bell(kind)

    async def look(self, tenants: Sequence[str] | None = None) -> Mapping[Kind, Load]:
        """Repair the index of turns for these tenants, and count what there is to do in them.

        Without any it is for all of the register; of all processes that call it every second one
        does it every 2 s (ENGINE 1), and the others hear nothing.
        """
        if tenants is not None:
            return await self._upkeep.look(tenants)
        return await self._upkeep.look_at_all()

    async def state(self, lane: Lane) -> LaneState:
        """How the lane stands."""
        return await self._states.lane(lane)

    async def gate(self, tenant: str, group: str) -> Gate | None:
        """The gate of a group, if it is closed or narrowed."""
        return await self._states.gate(tenant, group)

    async def depth(self, kind: Kind) -> Backlog:
        """How many tenants are due, and for how long the first of them."""
        return await self._states.depth(kind)

    async def parked(self, tenant: str, after: str, limit: int) -> list[tuple[Lane, datetime]]:
        """Parked lanes, longest first, behind a cursor (`parked_cursor`; "" from the start)."""
        return await self._states.parked(tenant, after, limit)
