"""Who is on duty? One term claims, one stands by, and none is left to wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from infra import embedded, keys, valkey
from infra.ending import end
from infra.errors import StoreAway
from infra.functions.calls import Calls
from infra.lanes import Claimed, Item, Lane, Lanes, Leases, Post, Unit
from infra.settings import Settings
from tests.store.late import late
from tests.store.slow import slowed
from workers.crew import Crew
from workers.hand import Hand
from workers.main import arq_pool
from workers.runtime import Runtime

LONG = timedelta(minutes=2)
SHORT = timedelta(seconds=1.1)
NO_GRACE = Leases(lease=timedelta(seconds=10), heartbeat=timedelta(0))


async def done(claimed: Claimed, runtime: Runtime) -> Unit:
    """Handle whatever it is."""
    return Unit(handled=[item.id for item in claimed.items])


@pytest.fixture
def hand(runtime: Runtime) -> Hand:
    return Hand("house", done, runtime)


@pytest.fixture
def called() -> list[str]:
    return []


def house(number: object) -> Lane:
    return Lane("acme", "house", str(number))


def serving(hand: Hand, called: list[str], term: timedelta) -> asyncio.Task[None]:
    async def relieve() -> None:
        called.append("a successor")

    return asyncio.create_task(hand.serve(term, relieve))


async def holds(what: Callable[[], bool]) -> None:
    """Wait until it does."""
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110  a hand tells nobody
            await asyncio.sleep(0)


async def on_duty(hand: Hand) -> None:
    await holds(lambda: hand.on_duty)


async def test_a_third_term_is_over_at_once(hand: Hand, called: list[str]) -> None:
    first = serving(hand, called, LONG)
    await on_duty(hand)
    second = serving(hand, called, LONG)
    await asyncio.sleep(0.05)

    third = serving(hand, called, LONG)
    await asyncio.wait_for(third, 20)

    assert (first.done(), second.done()) == (False, False)
    hand.stop()
    await asyncio.gather(first, second)


async def test_a_term_that_ended_while_it_stood_by_is_not_counted_on(
    hand: Hand, called: list[str]
) -> None:
    first = serving(hand, called, SHORT)
    await on_duty(hand)
    second = serving(hand, called, SHORT)
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.wait([second])

    await first

    assert second.cancelled()
    assert called == ["a successor"]


async def test_a_term_that_was_cut_off_frees_the_duty(hand: Hand, called: list[str]) -> None:
    first = serving(hand, called, LONG)
    await on_duty(hand)
    first.cancel()
    await asyncio.wait([first])

    second = serving(hand, called, LONG)
    await on_duty(hand)

    hand.stop()
    await second


async def test_a_lane_that_is_claimed_while_we_are_told_to_stop_is_finished(
    runtime: Runtime, called: list[str]
) -> None:
    """It was claimed in the moment of the stop: the process must not leave under it."""
    worked: list[str] = []

    async def slow(claimed: Claimed, runtime: Runtime) -> Unit:
        await asyncio.sleep(0.3)
        worked.append(claimed.lane.subject)
        return await done(claimed, runtime)

    hand = Hand("house", slow, runtime)
    await runtime.store.lanes.post(Post(Lane("acme", "house", "l"), Item("a")))
    term = serving(hand, called, LONG)
    await on_duty(hand)
    assert hand.held == []  # the claim is on its way
    hand.stop()

    await hand.wind_up()

    assert (hand.held, worked) == ([], ["l"])
    await term


async def test_a_lane_that_killed_two_workers_is_worked_while_nothing_else_is(
    runtime: Runtime, settings: Settings, called: list[str]
) -> None:
    """ENGINE 13. What is under way is finished first: a busy worker would never be empty."""
    at_work: set[str] = set()
    beside: dict[str, set[str]] = {}

    async def slow(claimed: Claimed, runtime: Runtime) -> Unit:
        at_work.add(claimed.lane.subject)
        for subject in at_work:
            beside.setdefault(subject, set()).update(at_work - {subject})
        await asyncio.sleep(0.05)
        at_work.remove(claimed.lane.subject)
        return await done(claimed, runtime)

    tenant = "poisoned"
    lanes = runtime.store.lanes
    await lanes.post(Post(Lane(tenant, "house", "poison"), Item("a")))
    async with valkey.connect(settings) as store:
        mortal = Lanes(Calls(store), store, leases=NO_GRACE)
        for _ in range(2):
            [_] = await mortal.claim("house", 1, empty=False)
            await store.zadd(keys.held(tenant, "house"), {"house:poison": 1})
            await store.zadd(keys.turn("house"), {tenant: 0})
        await mortal.aclose()
    others = [Post(Lane(tenant, "house", f"other{n}"), Item("a")) for n in range(40)]
    await lanes.post_many(tenant, others)

    hand = Hand("house", slow, runtime)
    term = serving(hand, called, LONG)
    await holds(lambda: len(beside) == 41)
    hand.stop()
    await term

    assert beside["poison"] == set()
    assert list(beside).index("poison") < 40, "it had its turn while others waited"
    assert any(beside.values())


async def test_the_next_lane_is_taken_while_the_store_writes_what_was_handled(
    runtime: Runtime, settings: Settings, called: list[str], tmp_path: Path
) -> None:
    """A process of one slot: the store tells of its first commit when it is asked for more."""
    worked: list[str] = []

    async def handle(claimed: Claimed, runtime: Runtime) -> Unit:
        worked.append(claimed.lane.subject)
        return await done(claimed, runtime)

    await runtime.store.lanes.post_many("acme", [Post(house(n), Item("a")) for n in "ab"])
    store, place = embedded.socket_of(settings.data_dir), tmp_path / "slow.sock"
    async with (
        slowed(store, place, first=b"tieline_1_commit", then=b"tieline_1_turns") as (slow, calls),
        valkey.connect(settings) as waiting,
    ):
        one_slot = replace(
            runtime,
            store=replace(runtime.store, lanes=Lanes(calls, waiting)),
            settings=settings.model_copy(update={"slots": settings.slots | {"house": 1}}),
        )
        hand = Hand("house", handle, one_slot)
        term = serving(hand, called, LONG)
        await holds(lambda: len(worked) == 2)
        hand.stop()
        await term

    assert sorted(worked) == ["a", "b"]
    assert len(slow.lines) == 1, "no answer was waited for in vain"


async def test_a_lane_is_given_back_as_soon_as_the_store_hears_of_it(
    runtime: Runtime, settings: Settings, called: list[str], tmp_path: Path
) -> None:
    """Its lease would last for an hour, and nobody would work it."""
    tries: list[str] = []

    async def handle(claimed: Claimed, runtime: Runtime) -> Unit:
        tries.append(claimed.lane.subject)
        if len(tries) == 1:
            raise StoreAway("in the middle of the work")
        return await done(claimed, runtime)

    await runtime.store.lanes.post(Post(house("l"), Item("a")))
    store, place = embedded.socket_of(settings.data_dir), tmp_path / "late.sock"
    async with late(store, place) as (line, client), valkey.connect(settings) as waiting:
        line.words = b"tieline_1_release"  # it never arrives
        calls = Calls(client, patience=timedelta(milliseconds=200))
        lanes = Lanes(calls, waiting, leases=Leases(lease=timedelta(hours=1)))
        hand = Hand("house", handle, replace(runtime, store=replace(runtime.store, lanes=lanes)))
        term = serving(hand, called, LONG)
        try:
            await holds(lambda: len(tries) == 2)
        finally:
            hand.stop()
            await term
            await lanes.aclose()

    assert line.sent.is_set()


@pytest.mark.parametrize("waits", [True, False])
async def test_no_more_lanes_are_handled_at_once_than_there_are_slots(
    runtime: Runtime, settings: Settings, called: list[str], waits: bool
) -> None:
    at_work, most, worked, held = 0, 0, 0, 0

    async def handle(claimed: Claimed, runtime: Runtime) -> Unit:
        nonlocal at_work, most, worked, held
        at_work += 1
        most, held = max(most, at_work), max(held, len(few.held))
        await asyncio.sleep(0.01 if waits else 0)
        at_work -= 1
        worked += 1
        return await done(claimed, runtime)

    await runtime.store.lanes.post_many("acme", [Post(house(n), Item("a")) for n in range(40)])
    few = Hand("house", handle, runtime)
    term = serving(few, called, LONG)
    await holds(lambda: worked == 40)
    few.stop()
    await term

    slots = settings.slots["house"]
    assert most <= slots
    assert held <= 2 * slots


async def test_a_queued_term_is_json_and_no_pickle(runtime: Runtime, settings: Settings) -> None:
    """Whoever can write to the store must not be able to run code in a worker."""
    crew = Crew(runtime, {"nobodys_term": ("house", done)})
    pool = arq_pool(settings)
    tending = asyncio.create_task(crew.tend(pool))
    try:
        async with asyncio.timeout(20):
            while not (queued := await pool.zrange("arq:nobodys_term", 0, 0)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        raw = await pool.get(b"arq:job:" + queued[0])
    finally:
        await end(tending)
        await pool.aclose(close_connection_pool=True)

    assert raw is not None
    assert orjson.loads(raw)["f"] == "nobodys_term"
