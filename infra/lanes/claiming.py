"""How does a worker come by lanes? Tenants in turn, a few lanes of each, in three round trips."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Final, Literal, TypeAlias

from infra import keys
from infra.errors import StoreAway
from infra.functions.calls import Calls, Word, fresh_id
from infra.lanes.committing import milliseconds
from infra.lanes.turns import Turn, Turns
from infra.lanes.words import Claimed, Item, Kind, Lane

PER_TURN: Final = 8  # lanes of a tenant in its turn while others wait (ENGINE 5)
MOST_OF_ONE: Final = 32
"""Lanes of a tenant when nobody else waits: a third of the slots, so that one claim is worked while
the next one is opened and one more is taken."""
MANY: Final = 64  # lanes that lost two holders, at once; as in functions/lane.lua
APART_AFTER: Final = 2  # expired leases in a row; functions/lane.lua says so
Apart: TypeAlias = Literal["", "many", "few"]
REVISIT_MS: Final = 1000  # tenants with held lanes: their leases expire without a ring


@dataclass(frozen=True, slots=True)
class Leases:
    """How long a claim lasts without a sign of life, and how often one is given (ENGINE 11)."""

    lease: timedelta = timedelta(seconds=10)
    heartbeat: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Taken:
    """Lanes of a tenant that are ours and not yet seen, and some behind them to be glanced at."""

    kind: Kind
    tenant: str
    since: float
    """time.monotonic() before they were asked for: the lease counts from there."""
    due_in: int
    apart: int
    until: bytes
    lanes: Sequence[tuple[str, str]]
    """Name and how it came (see functions/take.lua)."""
    claims: Sequence[str]
    """Of each lane: opened again under the same claim it shows the same."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """One call of `take`, which can be made again."""

    kind: Kind
    tenant: str
    since: float
    places: Sequence[str]
    words: Sequence[Word]

    def again(self) -> _Asking:
        """The same call as one that may have been made before (ENGINE 8)."""
        call = str(self.words[0]).removeprefix("?")
        return replace(self, words=[f"?{call}", *self.words[1:]])


class Claiming:
    """The claims of one process.

    A store that was frozen carries out what was sent to it when it wakes, long after we gave up.
    Lanes that are taken or opened like that would wait for their lease to end, held by nobody who
    knows of it. So what brought no answer is asked again, as the same call, before any other.
    """

    def __init__(self, calls: Calls, turns: Turns, leases: Leases) -> None:
        self._calls = calls
        self._turns = turns
        self._leases = leases
        self._mine: dict[Kind, dict[str, str]] = defaultdict(dict)
        self._apart: dict[Kind, set[str]] = defaultdict(set)
        self._unanswered: dict[Kind, list[_Asking]] = defaultdict(list)
        self._found: dict[Kind, list[Taken]] = defaultdict(list)
        """Taken, and to be handed out to whoever opens them."""
        self._exhausted: dict[Kind, bool] = {}
        self._alone: dict[Kind, str] = {}
        """The tenant that had all the work when it was last visited, and more of it."""

    def apart_wait(self, kind: Kind) -> bool:
        """Whether a lane waits that only an empty worker may claim: finish, then claim."""
        return bool(self._apart[kind])

    def exhausted(self, kind: Kind) -> bool:
        """Whether the last claim brought all that was due, so that asking again brings nothing
        until somebody rings or the next moment comes."""
        return self._exhausted.get(kind, False)

    def forget(self, claimed: Claimed) -> None:
        """The claim has ended."""
        self._mine[claimed.lane.kind].pop(claimed.claim, None)

    async def take(self, kind: Kind, slots: int, *, empty: bool) -> list[Taken]:
        """Up to `slots` due lanes, or a few that must be worked apart if this worker is `empty`.
        `open` shows what lies in them; the next ones may be taken meanwhile.

        Not to be cancelled: lanes that were taken meanwhile would wait for their lease to end.
        Raises StoreAway.
        """
        self._exhausted[kind] = False
        if asked := self._unanswered.pop(kind, []):
            await asyncio.gather(*(self._ask(each.again()) for each in asked))
        elif not self._found[kind]:
            await self._take_more(kind, slots, empty=empty)
        return self._found.pop(kind, [])

    async def open(self, taken: Sequence[Taken]) -> list[Claimed]:
        """The lanes of these that may be worked now. Not to be cancelled, like `take`.
        Raises StoreAway."""
        try:
            opened = await asyncio.gather(*(self._open(each) for each in taken))
        except StoreAway:  # opened again under the same claims, they show the same
            for each in taken:
                self._found[each.kind].append(each)
            raise
        return [lane for lanes in opened for lane in lanes]

    async def _take_more(self, kind: Kind, slots: int, *, empty: bool) -> None:
        if empty and await self._take_apart(kind, slots):
            return
        if not await self._take_in_turn(kind, slots) and empty:
            await self._take_apart(kind, slots)

    async def _take_in_turn(self, kind: Kind, slots: int) -> bool:
        """The tenant whose ring woke us is not asked for whose turn it is: one flush less. Nor is
        one that was alone with its work a moment ago and had some left; whoever came since finds
        the slots of a turn in the same claim."""
        asked = self._turns.take(kind, -(-slots // PER_TURN))
        expected = self._expected(kind, slots)
        if expected is None:
            return await self._visit(kind, await asked, slots)
        turn, taken = await asyncio.gather(asked, self._take(kind, *expected))
        return await self._visit(kind, turn, slots - len(taken.lanes), taken)

    def _expected(self, kind: Kind, slots: int) -> tuple[str, int] | None:
        """A tenant that has work before the index tells, and how many of its lanes to take."""
        alone, rung = self._alone.pop(kind, None), self._turns.rung(kind)
        if alone is not None and slots > PER_TURN:
            return alone, min(slots - PER_TURN, MOST_OF_ONE)
        return None if rung is None else (rung, self._shares(kind, [rung], slots)[rung])

    async def _visit(self, kind: Kind, turn: Turn, slots: int, *before: Taken) -> bool:
        visited = {each.tenant for each in before}
        others = [tenant for tenant in turn.visits if tenant not in visited]
        if turn.due <= 1:
            shares = dict.fromkeys(others, min(slots, MOST_OF_ONE))
        else:
            shares = self._shares(kind, others, slots)
        takes = (self._take(kind, tenant, most) for tenant, most in shares.items())
        taken = [*before, *await asyncio.gather(*takes)]
        due = {each.tenant: each.due_in for each in taken if each.tenant in turn.visits}
        found = any(each.lanes for each in taken)
        if due:
            settled = self._turns.settle(kind, turn.visits, due)
            if not found:
                await asyncio.wait([settled])
        left = turn.due > len(turn.visits) or any(each.due_in == 0 for each in taken)
        self._exhausted[kind] = not left
        if turn.due == 1 and list(due.values()) == [0] and found:
            self._alone[kind] = next(iter(due))
        return found

    def _shares(self, kind: Kind, tenants: Sequence[str], slots: int) -> dict[str, int]:
        """How many lanes of each tenant: 8 in a turn, half the slots while others wait."""
        mine = list(self._mine[kind].values())
        half = max(1, (len(mine) + slots) // 2)
        shares: dict[str, int] = {}
        for tenant in tenants:
            share = max(0, min(PER_TURN, slots, half - mine.count(tenant)))
            shares[tenant] = share
            slots -= share
        return shares

    async def _take_apart(self, kind: Kind, slots: int) -> bool:
        """Many of all tenants that lost two holders; if there are none, a few of one tenant that
        lost more."""
        tenants, many = tuple(self._apart[kind]), min(slots, MANY)
        left = many
        for tenant in tenants:
            left -= len((await self._take(kind, tenant, left, apart="many")).lanes)
            if not left:
                return True
        if left < many:
            return True
        for tenant in tenants:
            if (await self._take(kind, tenant, slots, apart="few")).lanes:
                return True
        return False

    async def _take(self, kind: Kind, tenant: str, most: int, *, apart: Apart = "") -> Taken:
        leases = self._leases
        places = [
            keys.waiting(tenant, kind),
            keys.held(tenant, kind),
            keys.apart(tenant, kind),
            keys.shut(tenant, kind),
            *keys.calls(tenant),
        ]
        words: list[Word] = [
            fresh_id(),
            most,
            milliseconds(leases.lease),
            milliseconds(leases.heartbeat),
            apart,
        ]
        return await self._ask(_Asking(kind, tenant, time.monotonic(), places, words))

    async def _ask(self, asking: _Asking) -> Taken:
        try:
            answer = await self._calls.call("take", asking.places, asking.words)
        except StoreAway:
            self._unanswered[asking.kind].append(asking)
            raise
        taken = _read_taken(asking, answer)
        if taken.apart:
            self._apart[taken.kind].add(taken.tenant)
        else:
            self._apart[taken.kind].discard(taken.tenant)
        if taken.lanes:
            self._found[taken.kind].append(taken)
        return taken

    async def _open(self, taken: Taken) -> list[Claimed]:
        tenant, kind = taken.tenant, taken.kind
        places = [
            keys.waiting(tenant, kind),
            keys.held(tenant, kind),
            keys.apart(tenant, kind),
            keys.shut(tenant, kind),
            keys.parked(tenant),
            keys.gates(tenant),
            keys.busy(tenant),
        ]
        words: list[Word] = [taken.until]
        for (name, came), claim in zip(taken.lanes, taken.claims, strict=True):
            places += [keys.lane(tenant, name), keys.items(tenant, name)]
            words += [name, claim, came]
        shown = iter(await self._calls.call("open", places, words))
        claimed: list[Claimed] = []
        for (name, came), claim in zip(taken.lanes, taken.claims, strict=True):
            view = next(shown)
            if view == b"apart":
                self._apart[kind].add(tenant)
                self._exhausted[kind] = False
            elif view:
                items = islice(shown, next(shown))
                lane = Lane.parse(tenant, name)
                claimed.append(read_view(lane, claim, view, items, since=taken.since))
                self._mine[kind][claim] = tenant
            elif came != "g":  # it waits for a moment that its tenant may not be known for
                self._exhausted[kind] = False
        return claimed


def _read_taken(asking: _Asking, answer: bytes) -> Taken:
    now, due, held, apart, until, *lines = answer.split(b"\n")
    due_in = int(float(due)) - int(now) if float(due) >= 0 else -1
    due_in = max(0, due_in) if float(due) >= 0 else -1
    if int(held) or int(apart):
        due_in = min(due_in, REVISIT_MS) if due_in >= 0 else REVISIT_MS
    names = [part.decode() for part in lines]
    lanes = tuple(zip(names[::2], names[1::2], strict=True))
    claims = [fresh_id() for _ in lanes]
    told = due_in, int(apart), until, lanes, claims
    return Taken(asking.kind, asking.tenant, asking.since, *told)


def read_view(
    lane: Lane, claim: str, view: bytes, items: Iterable[bytes], *, since: float
) -> Claimed:
    """A claim from what `open` or a commit that held on shows (see functions/lane.lua)."""
    mark, failures, expired, *fired = view.split(b"\n")
    return Claimed(
        lane=lane,
        claim=claim,
        items=tuple(map(_read_item, items)),
        mark=int(mark),
        fired={name.decode(): int(at) for name, at in zip(fired[::2], fired[1::2], strict=True)},
        failures=int(failures),
        apart=int(expired) >= APART_AFTER,
        held_since=since,
    )


def _read_item(element: bytes) -> Item:
    id_, _, body = element.partition(b"\n")
    return Item(id_.decode(), body)
