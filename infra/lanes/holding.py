"""How does a holder keep its lanes, write what it did, and let them go?"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from redis.exceptions import ResponseError

from infra import keys
from infra.errors import ClaimLost, Conflict, StoreAway
from infra.functions.calls import Answer, Calls
from infra.lanes.claiming import Claiming, Leases, read_view
from infra.lanes.commits import Commits
from infra.lanes.committing import Words, check, milliseconds, say_changes
from infra.lanes.turns import FALLBACK, Turns
from infra.lanes.words import Claimed, Kind, Unit
from infra.points import point

KEEP_FEED: Final = timedelta(days=7)


class Holding:
    """What this process does with the lanes it holds."""

    def __init__(
        self,
        calls: Calls,
        turns: Turns,
        claiming: Claiming,
        leases: Leases,
        *,
        keep_feed: timedelta = KEEP_FEED,
    ) -> None:
        self._calls = calls
        self._turns = turns
        self._claiming = claiming
        self._leases = leases
        self._keep_feed = keep_feed
        self._commits = Commits(calls, turns, leases.lease)

    async def commit(self, claimed: Claimed, unit: Unit) -> Claimed:
        """Write all that the unit says, or nothing, in one function call.

        With `hold` the answer is the claim to go on with; otherwise the lane is let go and the
        answer is the old claim. Documents that were put are now as `records.saved` says.
        Raises ClaimLost, Conflict, StoreAway (it may have been written: the lane, if it is still
        ours, shows it), TooMuch.
        """
        words = Words()
        say_changes(claimed, unit, words, self._keep_feed)
        size = check(unit, words, claimed.lane.tenant)
        since = time.monotonic()
        async with point("store.commit", before=StoreAway, after=StoreAway):
            answer = await self._commits.add(claimed, unit, words, size)
        return self._committed(claimed, answer, since)

    def _committed(self, claimed: Claimed, answer: Answer, since: float) -> Claimed:
        lane = claimed.lane
        match answer:
            case int():
                self._let_go(claimed, answer)
                return claimed
            case [b"held", view, *items]:
                return read_view(lane, claimed.claim, view, items, since=since)
            case [b"conflict", key]:
                raise Conflict(f"{key.decode()} was written by another")
            case [b"wrong", why]:
                raise ResponseError(why.decode())
            case _:
                self._claiming.forget(claimed)
                raise ClaimLost(f"{lane.tenant} {lane.name} is no longer ours")

    def _let_go(self, claimed: Claimed, due_in_ms: int) -> None:
        """Ring for a lane that is due before its tenant is looked at anyway."""
        self._claiming.forget(claimed)
        if 0 <= due_in_ms < milliseconds(FALLBACK):
            self._turns.ring(claimed.lane.kind, {claimed.lane.tenant: due_in_ms})

    async def release(self, claimed: Claimed, *, not_before: timedelta | None = None) -> None:
        """Give a lane back untouched; nothing is counted. A claim that is lost is no matter."""
        lane = claimed.lane
        tenant, name = lane.tenant, lane.name
        places = [
            keys.lane(tenant, name),
            keys.items(tenant, name),
            keys.waiting(tenant, lane.kind),
            keys.held(tenant, lane.kind),
            keys.shut(tenant, lane.kind),
            keys.busy(tenant),
        ]
        wait = "" if not_before is None else milliseconds(not_before)
        answer = await self._calls.call("release", places, [claimed.claim, name, wait])
        self._let_go(claimed, answer)

    async def heartbeat(self, claims: Iterable[Claimed]) -> list[Claimed]:
        """Say that the tasks of these lanes live, one call per tenant and kind.

        Returns those that are lost. Raises StoreAway.
        """
        groups: dict[tuple[str, Kind], list[Claimed]] = defaultdict(list)
        for claimed in claims:
            groups[claimed.lane.tenant, claimed.lane.kind].append(claimed)
        lost = await asyncio.gather(*(self._keep(group) for group in groups.values()))
        return [claimed for group in lost for claimed in group]

    async def _keep(self, group: list[Claimed]) -> list[Claimed]:
        lane = group[0].lane
        leases = self._leases
        places = [keys.held(lane.tenant, lane.kind)]
        words: list[str | int] = [milliseconds(leases.lease), milliseconds(leases.heartbeat)]
        for claimed in group:
            places.append(keys.lane(lane.tenant, claimed.lane.name))
            words += [claimed.lane.name, claimed.claim]
        answers = await self._calls.call("heartbeat", places, words)
        lost = [each for each, ours in zip(group, answers, strict=True) if not ours]
        for claimed in lost:
            self._claiming.forget(claimed)
        return lost
