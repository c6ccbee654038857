"""ENGINE 1, 5, 17: whose turn it is, who is told, and how a lost hint is repaired."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from datetime import timedelta

from redis.asyncio import Redis

from infra import keys
from infra.functions.calls import Calls
from infra.lanes import Claimed, Item, Kind, Lane, Lanes, Post, parked_cursor
from infra.store.register import Register
from tests.store.claims import KIND, claim, finish, lane_of, post, turn_comes


async def fill(lanes: Lanes, tenant: str, count: int) -> None:
    posts = [Post(lane_of(tenant, f"{number:05}"), Item("a")) for number in range(count)]
    await lanes.post_many(tenant, posts)


async def test_one_tenants_many_lanes_do_not_make_another_wait(lanes: Lanes, tenant: str) -> None:
    """L7. Score order alone made a tenant wait 1,562 claims behind another's 100,000 lanes."""
    await fill(lanes, f"{tenant}-big", 3_000)
    await fill(lanes, f"{tenant}-small", 8)

    first = await claim(lanes, 16)

    shares = Counter(claimed.lane.tenant for claimed in first)
    assert shares == {f"{tenant}-big": 8, f"{tenant}-small": 8}


async def test_a_tenant_has_half_the_slots_while_others_wait(lanes: Lanes, tenant: str) -> None:
    """In the claim in which it is seen that another waits, that one has its turn all the same."""
    await fill(lanes, f"{tenant}-first", 100)
    alone = await claim(lanes, 30)
    for claimed in alone[:18]:
        await finish(lanes, claimed)

    await fill(lanes, f"{tenant}-second", 100)
    seen = Counter(claimed.lane.tenant for claimed in await claim(lanes, 10))
    shared = Counter(claimed.lane.tenant for claimed in await claim(lanes, 9))

    assert {claimed.lane.tenant for claimed in alone} == {f"{tenant}-first"}
    assert seen == {f"{tenant}-first": 2, f"{tenant}-second": 8}
    assert shared == {f"{tenant}-first": 1, f"{tenant}-second": 7}


async def test_a_lone_tenant_may_have_every_slot(lanes: Lanes, tenant: str) -> None:
    await fill(lanes, tenant, 100)
    held: list[Claimed] = []

    while len(held) < 100:
        some = await claim(lanes, 100 - len(held))
        assert some
        held += some

    assert {claimed.lane.tenant for claimed in held} == {tenant}


async def test_a_claim_says_whether_it_brought_all_that_was_due(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    """A worker that has all waits for a ring; asked again at once, the store is asked in vain."""
    await fill(lanes, f"{tenant}-first", 3)
    await fill(lanes, f"{tenant}-second", 2)

    one_tenant = await claim(lanes, 8), lanes.exhausted(KIND)
    too_few_slots = await claim(lanes, 1), lanes.exhausted(KIND)
    await turn_comes(client, f"{tenant}-second")
    the_rest = await claim(lanes, 64), lanes.exhausted(KIND)

    told = [(len(found), all_) for found, all_ in (one_tenant, too_few_slots, the_rest)]
    assert told == [(3, False), (1, False), (1, True)]


async def test_a_claim_whose_lanes_may_not_be_worked_is_not_the_last(
    lanes: Lanes, tenant: str
) -> None:
    await lanes.close_gate(tenant, "g", None, "a person paused it")
    await post(lanes, lane_of(tenant), "a", group="g")

    found = await claim(lanes)

    assert (found, lanes.exhausted(KIND)) == ([], False)


async def test_tenants_come_in_turn_until_all_is_done(lanes: Lanes, tenant: str) -> None:
    tenants = [f"{tenant}-{number}" for number in range(5)]
    for name in tenants:
        await fill(lanes, name, 20)

    order = []
    while found := await claim(lanes, 8):
        order += [each.lane.tenant for each in found]
        for each in found:
            await finish(lanes, each)

    assert Counter(order) == dict.fromkeys(tenants, 20)
    assert set(order[:40]) == set(tenants)  # 8 lanes each, before any has its second turn


async def test_a_lost_hint_is_repaired_from_the_register(
    lanes: Lanes, client: Redis, calls: Calls, tenant: str
) -> None:
    await Register(calls).add(tenant)
    await post(lanes, lane_of(tenant), "a")
    await client.delete(keys.turn(KIND))

    lost = await claim(lanes)
    loads = await lanes.look()

    assert lost == []
    assert loads[KIND].due == 1
    assert len(await claim(lanes)) == 1


async def test_one_process_looks_for_all(lanes: Lanes, calls: Calls, tenant: str) -> None:
    await Register(calls).add(tenant)

    first = await lanes.look()
    second = await lanes.look()

    assert set(first) >= {"calendar", "house"}
    assert second == {}


async def test_a_ring_during_a_visit_is_not_forgotten(
    lanes: Lanes, calls: Calls, tenant: str
) -> None:
    """The visit ends by comparing: a ring that came meanwhile stands."""
    await fill(lanes, tenant, 1)
    _, _, name, visit = await calls.call("turns", [keys.turn(KIND)], [1, 1000])

    await fill(lanes, tenant, 2)
    await calls.call("settle", [keys.turn(KIND)], [name, visit, -1])

    assert len(await claim(lanes)) == 2


async def test_a_visit_that_nobody_disturbed_ends(
    lanes: Lanes, client: Redis, calls: Calls, tenant: str
) -> None:
    await fill(lanes, tenant, 1)
    _, _, name, visit = await calls.call("turns", [keys.turn(KIND)], [1, 1000])

    await calls.call("settle", [keys.turn(KIND)], [name, visit, -1])

    assert await client.zscore(keys.turn(KIND), tenant) is None


async def test_a_worker_that_dies_on_its_visit_delays_a_tenant_by_a_second(
    lanes: Lanes, client: Redis, calls: Calls, tenant: str
) -> None:
    await fill(lanes, tenant, 1)
    before = await client.time()
    await calls.call("turns", [keys.turn(KIND)], [8, 1000])  # and then it dies

    due = await client.zscore(keys.turn(KIND), tenant)

    assert due is not None
    assert 0 < due - (before[0] * 1e6 + before[1]) <= 1_100_000


async def test_a_post_wakes_a_worker_that_waits(lanes: Lanes, tenant: str) -> None:
    await claim(lanes)  # nothing: it will wait for a second
    waiting = asyncio.create_task(lanes.wait(KIND, timedelta(seconds=1)))
    await asyncio.sleep(0.05)

    loop = asyncio.get_running_loop()
    began = loop.time()
    await post(lanes, lane_of(tenant), "a")
    await waiting

    assert loop.time() - began < 0.5
    assert len(await claim(lanes)) == 1


async def test_waiting_ends_within_a_second_though_nothing_comes(lanes: Lanes) -> None:
    """ENGINE 17: a read that blocks longer than its socket waits would raise."""
    await claim(lanes)

    async with asyncio.timeout(3):
        await lanes.wait(KIND, timedelta(minutes=1))


async def test_the_ring_is_bounded(lanes: Lanes, client: Redis, tenant: str) -> None:
    for number in range(40):
        await post(lanes, lane_of(f"{tenant}-{number}"), "a")

    assert await client.llen(keys.ring(KIND)) <= 16  # type: ignore[misc]  # redis-py types it for both clients


async def test_who_leaves_has_rung_for_all_that_was_posted(
    client: Redis, calls: Calls, tenant: str
) -> None:
    tenants = [f"{tenant}-{number}" for number in range(3)]
    async with aclosing(Lanes(calls, client)) as leaving:
        for each in tenants:
            await leaving.post_soon(Post(lane_of(each), Item("a")))

    assert set(await client.zrange(keys.turn(KIND), 0, -1)) >= {each.encode() for each in tenants}


async def test_what_came_behind_a_ring_is_rung_for_a_moment_later(
    lanes: Lanes, tenant: str
) -> None:
    for number in range(3):
        await lanes.post_soon(Post(lane_of(f"{tenant}-{number}"), Item("a")))

    found = await claim(lanes)
    async with asyncio.timeout(10):
        while len(found) < 3:
            await lanes.wait(KIND, timedelta(seconds=1))
            found += await claim(lanes)


async def test_duty_ends_with_its_lease(lanes: Lanes) -> None:
    await lanes.duty("desk", "one", timedelta(milliseconds=30))
    await lanes.duty("house", "one", timedelta(minutes=1))
    on_duty = await lanes.on_duty("desk")
    await asyncio.sleep(0.05)
    off_duty = await lanes.on_duty("desk")
    await lanes.duty("house", "one", timedelta(0))

    assert (on_duty, off_duty) == (True, False)
    assert set(await lanes.unserved()) >= {"desk", "house"}


async def test_the_doorbell_rings_when_nobody_is_on_duty_and_not_again(
    client: Redis, calls: Calls, lanes: Lanes, tenant: str
) -> None:
    rung: list[Kind] = []

    async def ring(kind: Kind) -> None:
        rung.append(kind)

    with_bell = Lanes(calls, client, doorbell=ring)
    await with_bell.duty("desk", "a worker", timedelta(minutes=1))
    for kind in ("meeting", "desk", "meeting"):
        await with_bell.post(Post(Lane(f"{tenant}-{len(rung)}", kind, "m"), Item("a")))
    await with_bell.aclose()

    assert rung == ["meeting"]
    assert not await lanes.bell("meeting")
    assert await lanes.bell("house")


async def test_depth_says_how_far_behind_a_kind_is(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    empty = await lanes.depth(KIND)
    await fill(lanes, tenant, 3)
    await turn_comes(client, tenant)
    behind = await lanes.depth(KIND)

    assert (empty.tenants_due, empty.late) == (0, timedelta(0))
    assert behind.tenants_due == 1
    assert behind.late > timedelta(days=1)


async def test_parked_lanes_are_paged(lanes: Lanes, tenant: str) -> None:
    for number in range(7):
        await post(lanes, lane_of(tenant, str(number)), "a")
        await lanes.park(lane_of(tenant, str(number)), "a person")

    seen, cursor = [], ""
    while page := await lanes.parked(tenant, cursor, 3):
        seen += [lane.subject for lane, _ in page]
        cursor = parked_cursor(*page[-1])

    assert sorted(seen) == [str(number) for number in range(7)]


async def test_whose_ring_it_was_is_taken_without_asking_for_turns(
    lanes: Lanes, client: Redis, calls: Calls, tenant: str
) -> None:
    await client.delete(keys.ring(KIND), keys.turn(KIND))  # of tenants before
    await claim(lanes)
    waiting = asyncio.create_task(lanes.wait(KIND, timedelta(seconds=1)))
    await fill(lanes, tenant, 1)
    await waiting
    await calls.call("turns", [keys.turn(KIND)], [8, 60_000])  # as if it were another's turn

    assert [each.lane.tenant for each in await claim(lanes)] == [tenant]
