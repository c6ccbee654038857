"""What does a person, a gate or the house do with lanes that nobody holds?"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from infra import keys
from infra.functions.calls import Calls, Word
from infra.lanes.claiming import Leases
from infra.lanes.committing import milliseconds
from infra.lanes.turns import BELL, Turns
from infra.lanes.words import KINDS, Kind, Lane

UNTIL_OPENED: Final = -1
DUTY: Final = timedelta(seconds=5)
LOOK_EVERY: Final = timedelta(milliseconds=1900)  # asked every second, done every second time
SLICE: Final = 256


@dataclass(frozen=True, slots=True)
class Load:
    """How much of a kind there is to do among the tenants that were looked at."""

    due: int
    held: int


class Upkeep:
    """Gates, parking, duty, and the repair of the index of turns."""

    def __init__(self, calls: Calls, turns: Turns, leases: Leases) -> None:
        self._calls = calls
        self._turns = turns
        self._leases = leases

    async def gate(
        self,
        tenant: str,
        group: str,
        *,
        closed_ms: int | None = None,
        limit: int | None = None,
        reason: str = "",
    ) -> None:
        """Change a group's gate: one write, however many lanes stand behind it (ENGINE 4)."""
        places = [keys.gates(tenant)]
        for kind in KINDS:
            places += [keys.waiting(tenant, kind), keys.shut(tenant, kind)]
        words: list[Word] = [
            keys.plain(group),
            "" if closed_ms is None else closed_ms,
            "" if limit is None else limit,
            reason,
        ]
        waking = await self._calls.call("gate", places, words)
        for kind, wakes in zip(KINDS, waking, strict=True):
            if wakes and closed_ms is not None and closed_ms != UNTIL_OPENED:
                self._turns.ring(kind, {tenant: closed_ms})
            elif wakes:
                self._turns.ring(kind, {tenant: 0})

    async def park(self, lane: Lane, reason: str) -> None:
        """Lay a lane aside until a person retries it; a holder's claim is lost."""
        tenant, kind = lane.tenant, lane.kind
        places = [
            keys.lane(tenant, lane.name),
            keys.waiting(tenant, kind),
            keys.held(tenant, kind),
            keys.apart(tenant, kind),
            keys.shut(tenant, kind),
            keys.busy(tenant),
            keys.parked(tenant),
        ]
        self._tell(lane, await self._calls.call("park", places, [lane.name, reason]))

    async def retry(self, lane: Lane) -> None:
        """Forget the lane's failures, waits and parking; a held lane is left alone."""
        tenant, kind = lane.tenant, lane.kind
        places = [
            keys.lane(tenant, lane.name),
            keys.items(tenant, lane.name),
            keys.waiting(tenant, kind),
            keys.held(tenant, kind),
            keys.apart(tenant, kind),
            keys.parked(tenant),
        ]
        self._tell(lane, await self._calls.call("retry", places, [lane.name]))

    def _tell(self, lane: Lane, due_in_ms: int) -> None:
        if due_in_ms >= 0:
            self._turns.ring(lane.kind, {lane.tenant: due_in_ms})

    async def duty(self, kind: Kind, process: str, lease: timedelta) -> int:
        """Serve a kind for `lease` from now, no longer if it is 0; how many processes do."""
        words: list[Word] = [process, milliseconds(lease)]
        answer: int = await self._calls.call("duty", [keys.duty(kind)], words)
        return answer

    async def bell(self, kind: Kind) -> bool:
        """Whether the doorbell may be rung now: once in 10 s."""
        words = ("SET", keys.bell(kind), "1", "NX", "PX", milliseconds(BELL))
        return await self._calls.read("bell", *words) is not None

    async def look_at_all(self) -> Mapping[Kind, Load]:
        """Look at all tenants of the register, unless another process just did."""
        words = ("SET", keys.LOOK, "1", "NX", "PX", milliseconds(LOOK_EVERY))
        if await self._calls.read("look", *words) is None:
            return {}
        names = await self._calls.read("look", "ZRANGE", keys.TENANTS, 0, -1)
        due: Counter[Kind] = Counter()
        held: Counter[Kind] = Counter()
        for start in range(0, len(names), SLICE):
            loads = await self.look([name.decode() for name in names[start : start + SLICE]])
            for kind, load in loads.items():
                due[kind] += load.due
                held[kind] += load.held
        return {kind: Load(due[kind], held[kind]) for kind in KINDS}

    async def look(self, tenants: Sequence[str]) -> Mapping[Kind, Load]:
        """Repair the index of turns for these tenants; what there is to do in them."""
        answers = await asyncio.gather(*(self._look_at(tenant) for tenant in tenants))
        rings: dict[Kind, dict[str, int]] = defaultdict(dict)
        due: Counter[Kind] = Counter()
        held: Counter[Kind] = Counter()
        for tenant, answer in zip(tenants, answers, strict=True):
            for kind, at, lanes, ours in zip(
                KINDS, answer[::3], answer[1::3], answer[2::3], strict=True
            ):
                due[kind] += lanes
                held[kind] += ours
                if at >= 0:
                    rings[kind][tenant] = at
        await self._ring(rings)
        return {kind: Load(due[kind], held[kind]) for kind in KINDS}

    async def _ring(self, rings: Mapping[Kind, Mapping[str, int]]) -> None:
        sent = [self._turns.ring(kind, tenants) for kind, tenants in rings.items()]
        if sent:
            await asyncio.gather(*sent)

    async def _look_at(self, tenant: str) -> list[int]:
        places = []
        for kind in KINDS:
            places += [
                keys.waiting(tenant, kind),
                keys.held(tenant, kind),
                keys.apart(tenant, kind),
            ]
        answer: list[int] = await self._calls.call(
            "look", places, [milliseconds(self._leases.heartbeat)]
        )
        return answer
