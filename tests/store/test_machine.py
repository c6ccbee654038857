"""L1 to L4 and L6 against an oracle: whatever is done to lanes, the store agrees with a dict.

Time does not pass by waiting: a lease ends by moving its end into the past, a tenant's turn comes
by moving it to now. Every call may be sent twice, as after a lost answer (ENGINE 8).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Final

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from infra import functions, keys, valkey
from infra.errors import ClaimLost, Conflict
from infra.functions.calls import NAMELESS, Answer, Calls, Word
from infra.lanes import Claimed, Item, Lane, Lanes, Leases, Post, Posted, Unit
from infra.records import saved
from infra.settings import Settings
from schemas.records import Record

KIND: Final = "meeting"
SUBJECTS: Final = ("a", "b", "c")
GROUPS: Final = ("g", "h")
FAR: Final = timedelta(hours=1)
NOW: Final = timedelta(0)
ALONE_AFTER: Final = 2  # leases that expired in a row
PARKED_AFTER: Final = 5
_tenants = itertools.count()


class Doc(Record):
    kind: ClassVar[str] = "doc"
    number: int = 0


class Doubling(Calls):
    """Sends changing calls twice, as a client does whose first answer was lost."""

    twice = False

    @override
    def send(
        self, function: str, keys: Sequence[str], args: Sequence[Word]
    ) -> asyncio.Future[Answer]:
        first = super().send(function, keys, args)
        if not self.twice or function in ("turns", "settle", "release"):
            return first
        first.add_done_callback(lambda answer: answer.exception())
        again = args if function in NAMELESS else [f"?{args[0]!s}", *args[1:]]
        return super().send(function, keys, again)


@dataclass
class Expected:
    """What a lane should hold."""

    items: list[str] = field(default_factory=list)
    marks: int = 0
    handled_marks: int = 0
    timers: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Name to whether it is due, and which setting of it this is."""
    fired: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Those that its holder was shown."""
    group: str | None = None
    waits: bool = False
    """not_before lies ahead."""
    failures: int = 0
    expired: int = 0
    parked: bool = False
    claim: Claimed | None = None
    lease_ended: bool = False
    apart: bool = False

    @property
    def has_work(self) -> bool:
        return bool(self.items) or self.marks != self.handled_marks or bool(self.due_timers())

    def due_timers(self) -> dict[str, tuple[bool, int]]:
        return {name: timer for name, timer in self.timers.items() if timer[0]}

    @property
    def is_empty(self) -> bool:
        return not self.items and self.marks == self.handled_marks and not self.timers


class LanesMachine(RuleBasedStateMachine):
    home: ClassVar[Settings]

    def __init__(self) -> None:
        super().__init__()
        self.tenant = f"machine{next(_tenants)}"
        self.closed: set[str] = set()
        self.lanes_expected = {subject: Expected() for subject in SUBJECTS}
        self.docs: dict[str, Doc | None] = dict.fromkeys(SUBJECTS)
        self.stale: list[Claimed] = []
        self.ids = itertools.count()
        self.runner = asyncio.Runner()
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.client = valkey.connect(self.home)
        self.waiting = valkey.connect(self.home)
        await functions.load(self.client)
        await self.client.delete(keys.turn(KIND))
        self.calls = Doubling(self.client)
        leases = Leases(lease=timedelta(minutes=1), heartbeat=NOW)  # no grace: see ENGINE 12's test
        self.lanes = Lanes(self.calls, self.waiting, leases=leases)

    @override
    def teardown(self) -> None:
        self.runner.run(self._drain())
        self.runner.close()

    def lane(self, subject: str) -> Lane:
        return Lane(self.tenant, KIND, subject)

    # What is done.

    @rule(twice=st.booleans())
    def answers_get_lost(self, twice: bool) -> None:
        self.calls.twice = twice

    @rule(
        subject=st.sampled_from(SUBJECTS),
        item=st.booleans(),
        mark=st.booleans(),
        timer=st.sampled_from((None, NOW, FAR)),
        group=st.sampled_from((None, *GROUPS)),
    )
    def post(
        self, subject: str, item: bool, mark: bool, timer: timedelta | None, group: str | None
    ) -> None:
        if not item and not mark and timer is None:
            return
        answer = self.runner.run(
            self.lanes.post(self._post(subject, item=item, mark=mark, timer=timer, group=group))
        )
        assert answer is Posted.NEW

    def _post(
        self,
        subject: str,
        *,
        item: bool = True,
        mark: bool = False,
        timer: timedelta | None = None,
        group: str | None = None,
    ) -> Post:
        """A post, and what it should do."""
        expected = self.lanes_expected[subject]
        new = Item(f"i{next(self.ids)}", b"body") if item else None
        if new is not None:
            expected.items.append(new.id)
        expected.marks += mark
        if timer is not None:
            expected.timers["t"] = (timer == NOW, next(self.ids))
        expected.group = group or expected.group
        timers = {} if timer is None else {"t": timer}
        return Post(self.lane(subject), new, mark=mark, timers=timers, group=group)

    @rule(empty=st.booleans(), slots=st.sampled_from((1, 10)))
    def claim(self, empty: bool, slots: int) -> None:
        """Until nothing comes any more: then it is exactly what should have come. Of one slot, what
        waits behind a lane that is laid aside is glanced at."""
        apart = [s for s, lane in self.lanes_expected.items() if self._comes(lane) == "apart"]
        got = self.runner.run(self._claim_all(empty=empty, slots=slots))
        for expected in self.lanes_expected.values():
            how = self._comes(expected)
            if expected.lease_ended and how in ("apart", "parks", "lost"):
                self._lose(expected)
                expected.expired += how == "lost"
            if how == "parks":
                expected.parked, expected.expired = True, PARKED_AFTER
            elif how == "apart" and not expected.apart:
                expected.apart = True
                expected.expired += 1
        normal = {s for s, lane in self.lanes_expected.items() if self._comes(lane) == "comes"}
        came_apart = {claimed.lane.subject for claimed in got if claimed.apart}
        others = {claimed.lane.subject for claimed in got} - came_apart
        assert others == (set() if came_apart else normal)
        assert came_apart <= (set(apart) | self._apart()) if empty else not came_apart
        for claimed in got:
            self._take(claimed)

    def _apart(self) -> set[str]:
        return {s for s, lane in self.lanes_expected.items() if lane.apart}

    def _comes(self, expected: Expected) -> str:
        """How a lane should answer a claim: "comes", "apart", "parks", "stays",
        or "lost": its lease ended, but it may not be worked now."""
        if expected.parked or (expected.claim is not None and not expected.lease_ended):
            return "stays"
        expired = expected.expired + (expected.claim is not None)
        if expected.claim is not None and expired >= PARKED_AFTER:
            return "parks"
        if expected.apart:
            return "apart"
        if expected.claim is not None and expired >= ALONE_AFTER:
            return "apart"
        free = expected.group not in self.closed and not expected.waits
        if expected.has_work and free:
            return "comes"
        return "stays" if expected.claim is None else "lost"

    def _lose(self, expected: Expected) -> None:
        assert expected.claim is not None
        self.stale.append(expected.claim)
        expected.claim, expected.lease_ended = None, False

    def _take(self, claimed: Claimed) -> None:
        expected = self.lanes_expected[claimed.lane.subject]
        if expected.claim is not None:
            self._lose(expected)
            expected.expired += 1
        expected.claim, expected.apart = claimed, False
        self._agrees(claimed, expected)

    def _agrees(self, claimed: Claimed, expected: Expected) -> None:
        clean = expected.marks == expected.handled_marks
        assert [item.id for item in claimed.items] == expected.items
        assert claimed.mark == (0 if clean else expected.marks)
        expected.fired = expected.due_timers()
        assert claimed.fired.keys() == expected.fired.keys()
        assert claimed.failures == expected.failures

    async def _claim_all(self, *, empty: bool, slots: int = 10) -> list[Claimed]:
        got: list[Claimed] = []
        for _ in range(6 if slots > 1 else 12):
            await self.client.zadd(keys.turn(KIND), {self.tenant: 0})
            more = await self.lanes.claim(KIND, slots, empty=empty and not got)
            got += more
            if any(claimed.apart for claimed in more):
                assert len(more) == 1
                break
        return got

    def _held(self) -> list[str]:
        return [s for s, lane in self.lanes_expected.items() if lane.claim is not None]

    @precondition(lambda self: bool(self._held()))
    @rule(
        data=st.data(),
        mark=st.booleans(),
        to=st.sampled_from((None, *SUBJECTS)),
        timer=st.sampled_from(("keep", None, NOW, FAR)),
        end=st.sampled_from(("go", "go", "hold", "fail", "wait", "park")),
    )
    def commit(
        self,
        data: st.DataObject,
        mark: bool,
        to: str | None,
        timer: timedelta | str | None,
        end: str,
    ) -> None:
        subject = data.draw(st.sampled_from(self._held()))
        expected = self.lanes_expected[subject]
        claimed = expected.claim
        assert claimed is not None
        chosen = (
            data.draw(st.lists(st.sampled_from(claimed.items), unique=True))
            if claimed.items
            else []
        )
        unit = Unit(handled=[item.id for item in chosen], hold=end == "hold")
        unit.mark = claimed.mark if mark and claimed.mark else None
        unit.failed = end == "fail"
        unit.parked = "a person" if end == "park" else None
        unit.not_before = FAR if end == "wait" else None
        document = self.docs[subject] or Doc(id=subject)
        unit.puts = [document]
        if timer != "keep":
            unit.timers = {"t": timer if isinstance(timer, timedelta) else None}
        self._expect(expected, unit)
        if to is not None:
            unit.posts = [self._post(to)]
        after = self.runner.run(self.lanes.commit(claimed, unit))
        self.docs[subject] = saved(document)
        if unit.hold:
            self._agrees(after, expected)
            expected.claim, expected.lease_ended = after, False

    def _expect(self, expected: Expected, unit: Unit) -> None:
        still = set(unit.handled)
        expected.items = [id_ for id_ in expected.items if id_ not in still]
        if unit.mark == expected.marks:
            expected.handled_marks = unit.mark
        if unit.handled or not (unit.hold or unit.failed):
            expected.failures = 0
        expected.failures += unit.failed
        expected.expired = 0 if unit.handled else expected.expired
        for name, timer in expected.fired.items():
            if not unit.hold and not unit.failed and expected.timers.get(name) == timer:
                del expected.timers[name]
        for name, delay in unit.timers.items():
            expected.timers.pop(name, None)
            if delay is not None:
                expected.timers[name] = (delay == NOW, next(self.ids))
        if not unit.hold:
            expected.claim, expected.lease_ended, expected.expired = None, False, 0
            expected.parked = unit.parked is not None
            expected.waits = unit.not_before is not None

    @precondition(lambda self: bool(self._held()))
    @rule(data=st.data())
    def commit_over_a_newer_document(self, data: st.DataObject) -> None:
        subject = data.draw(st.sampled_from(self._held()))
        claimed = self.lanes_expected[subject].claim
        assert claimed is not None
        wrong = Doc(id=subject, rev=77)
        unit = Unit(handled=[item.id for item in claimed.items], puts=[wrong], mark=claimed.mark)
        unit.posts = [Post(self.lane("a"), Item("never"))]
        with pytest.raises(Conflict):
            self.runner.run(self.lanes.commit(claimed, unit))

    @precondition(lambda self: bool(self.stale))
    @rule(data=st.data())
    def commit_a_lost_claim(self, data: st.DataObject) -> None:
        claimed = data.draw(st.sampled_from(self.stale))
        unit = Unit(handled=[item.id for item in claimed.items], mark=claimed.mark, parked="no")
        unit.posts = [Post(self.lane("a"), Item("never"))]
        with pytest.raises(ClaimLost):
            self.runner.run(self.lanes.commit(claimed, unit))

    @precondition(lambda self: bool(self._held()))
    @rule(data=st.data())
    def lease_ends(self, data: st.DataObject) -> None:
        subject = data.draw(st.sampled_from(self._held()))
        place = keys.held(self.tenant, KIND)
        self.runner.run(self.client.zadd(place, {self.lane(subject).name: 1}))  # type: ignore[arg-type]  # redis-py types it for both clients
        self.lanes_expected[subject].lease_ended = True

    @rule()
    def heartbeat(self) -> None:
        live = [lane.claim for lane in self.lanes_expected.values() if lane.claim is not None]
        lost = self.runner.run(self.lanes.heartbeat([*live, *self.stale]))
        assert lost == self.stale or {each.claim for each in lost} == {c.claim for c in self.stale}
        for expected in self.lanes_expected.values():
            expected.lease_ended = False

    @precondition(lambda self: bool(self._held()))
    @rule(data=st.data(), wait=st.booleans())
    def release(self, data: st.DataObject, wait: bool) -> None:
        subject = data.draw(st.sampled_from(self._held()))
        expected = self.lanes_expected[subject]
        assert expected.claim is not None
        self.runner.run(self.lanes.release(expected.claim, not_before=FAR if wait else None))
        self.stale.append(expected.claim)
        expected.claim, expected.lease_ended = None, False
        expected.waits = expected.waits or wait
        suspect = expected.expired >= ALONE_AFTER
        expected.apart = suspect and expected.has_work and not expected.waits

    @rule(subject=st.sampled_from(SUBJECTS))
    def park(self, subject: str) -> None:
        expected = self.lanes_expected[subject]
        if expected.is_empty:
            return
        self.runner.run(self.lanes.park(self.lane(subject), "a person"))
        if expected.claim is not None:
            self._lose(expected)
        expected.parked, expected.apart = True, False

    @rule(subject=st.sampled_from(SUBJECTS))
    def retry(self, subject: str) -> None:
        self.runner.run(self.lanes.retry(self.lane(subject)))
        expected = self.lanes_expected[subject]
        if expected.claim is None:
            expected.parked = expected.waits = expected.apart = False
            expected.failures = expected.expired = 0

    @rule(group=st.sampled_from(GROUPS), closed=st.booleans())
    def gate(self, group: str, closed: bool) -> None:
        if closed:
            self.runner.run(self.lanes.close_gate(self.tenant, group, None, "a test"))
            self.closed.add(group)
        else:
            self.runner.run(self.lanes.open_gate(self.tenant, group))
            self.closed.discard(group)

    # What must be so.

    @invariant()
    def store_and_oracle_agree(self) -> None:
        self.runner.run(self._compare())

    async def _compare(self) -> None:
        for subject, expected in self.lanes_expected.items():
            if expected.claim is None and not expected.parked and expected.is_empty:
                self._forget(expected)
            lane = self.lane(subject)
            state = await self.lanes.state(lane)
            elements = await self.client.lrange(keys.items(self.tenant, lane.name), 0, -1)  # type: ignore[misc]  # as above
            assert [each.split(b"\n")[0].decode() for each in elements] == expected.items
            assert (state.parked is not None) == expected.parked
            assert (state.held_until is not None) == (expected.claim is not None)
            assert state.mark == (0 if expected.marks == expected.handled_marks else expected.marks)
            assert state.timers.keys() == expected.timers.keys()
            found = await self.client.get(keys.document(self.tenant, "doc", subject))
            known = self.docs[subject]
            assert (int(found.split(b"\n")[0]) if found else 0) == (known.rev if known else 0)

    @staticmethod
    def _forget(expected: Expected) -> None:
        """An empty lane leaves nothing (ENGINE 6), not even its group and its failures, unless it
        still has to wait."""
        if not expected.waits:
            expected.marks = expected.handled_marks = 0
            expected.failures = expected.expired = 0
            expected.group, expected.apart = None, False

    async def _drain(self) -> None:
        """In the end every item that was accepted can be handled, and nothing is left."""
        self.calls.twice = False
        for group in GROUPS:
            await self.lanes.open_gate(self.tenant, group)
        for subject, expected in self.lanes_expected.items():
            if expected.claim is not None:
                with contextlib.suppress(ClaimLost):
                    await self.lanes.release(expected.claim)
            await self.lanes.retry(self.lane(subject))
        for _ in range(3):
            for claimed in await self._claim_all(empty=False):
                unit = Unit(handled=[item.id for item in claimed.items], mark=claimed.mark or None)
                unit.timers = dict.fromkeys(await self._timers(claimed.lane))
                await self.lanes.commit(claimed, unit)
        await self._clear_waiting_timers()
        left = {name.decode() async for name in self.client.scan_iter(match=f"{{{self.tenant}}}:*")}
        assert {name for name in left if ":calls:" not in name and ":doc:" not in name} == set()
        await self.lanes.aclose()
        await self.client.aclose()
        await self.waiting.aclose()

    async def _timers(self, lane: Lane) -> list[str]:
        return list((await self.lanes.state(lane)).timers)

    async def _clear_waiting_timers(self) -> None:
        for subject in SUBJECTS:
            if await self._timers(self.lane(subject)):
                await self.lanes.post(Post(self.lane(subject), mark=True))
        for claimed in await self._claim_all(empty=False):
            timers = dict.fromkeys(await self._timers(claimed.lane))
            await self.lanes.commit(claimed, Unit(mark=claimed.mark, timers=timers))


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        LanesMachine,
        settings=how(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_store_agrees_with_an_oracle(settings: Settings) -> None:
    LanesMachine.home = settings
    run(examples=60, steps=30)


@pytest.mark.full
@pytest.mark.timeout(1_800)
def test_the_store_agrees_with_an_oracle_at_length(settings: Settings) -> None:
    """RELIABILITY F6."""
    LanesMachine.home = settings
    run(examples=2_000, steps=50)
    print("\n[F6] 2000 examples of 50 steps, 0 differences")
