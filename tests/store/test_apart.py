"""ENGINE 13: what becomes of a lane that loses one holder after the other."""

from __future__ import annotations

from datetime import timedelta

from redis.asyncio import Redis

from infra.lanes import Claimed, Lanes, Post, Unit
from tests.store.claims import (
    KIND,
    claim,
    claim_one,
    finish,
    lane_of,
    lease_ends,
    post,
    turn_comes,
)


async def die(lanes: Lanes, client: Redis, *, empty: bool = False) -> list[Claimed]:
    claimed = await claim(lanes, empty=empty)
    await lease_ends(client, *claimed)
    return claimed


async def test_poison_is_claimed_alone_and_then_parked(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    """ENGINE 13: once more normally, then three times alone by an empty worker, then not at all."""
    await post(bold, lane_of(tenant, "poison"), "a")
    await die(bold, client)
    await die(bold, client)
    await post(bold, lane_of(tenant, "good"), "b")

    busy = await claim(bold)
    apart = []
    for _ in range(3):
        apart += await die(bold, client, empty=True)
        beside = await claim(bold)
        assert beside == [], "nor is it worked beside others in between"
    after = await claim(bold, empty=True)
    state = await bold.state(lane_of(tenant, "poison"))

    assert [claimed.lane.subject for claimed in busy] == ["good"]
    assert [(each.lane.subject, each.apart) for each in apart] == [("poison", True)] * 3
    assert after == []
    assert (state.parked, state.depth) == ("poison", 1)


async def test_lanes_that_lost_two_holders_are_worked_apart_in_ever_smaller_company(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    """Most of them only met kills of others: one at a time, they would keep a worker for long."""
    for number in range(20):
        await post(bold, lane_of(tenant, f"suspect{number}"), "a")
    for _ in range(2):
        await lease_ends(client, *await claim(bold, 100))
    await claim(bold, 100)

    sizes = []
    for _ in range(4):
        apart = await claim(bold, 100, empty=True)
        assert all(each.apart for each in apart)
        sizes.append(len(apart))
        await lease_ends(client, *apart)
        assert await claim(bold, 100) == []

    assert sizes == [20, 8, 8, 4]
    assert len(await claim(bold, 100, empty=True)) == 1


async def test_lanes_of_many_tenants_that_lost_two_holders_are_worked_together(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    tenants = [f"{tenant}-{number}" for number in range(5)]
    for name in tenants:
        for number in range(3):
            await post(bold, lane_of(name, f"suspect{number}"), "a")
    for _ in range(2):
        await turn_comes(client, *tenants)
        await lease_ends(client, *await claim(bold, 100))
    await turn_comes(client, *tenants)
    await claim(bold, 100)

    apart = await claim(bold, 100, empty=True)
    await lease_ends(client, *apart)
    await turn_comes(client, *tenants)
    await claim(bold, 100)
    few = await claim(bold, 100, empty=True)

    assert (len(apart), len(few)) == (15, 3)
    assert len({each.lane.tenant for each in few}) == 1, "what lost more meets fewer"
    assert all(each.apart for each in (*apart, *few))


async def test_an_item_that_was_handled_ends_a_row_of_lost_holders(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    """Kills that merely meet a long run, which gets on from one to the next, are no poison."""
    await post(bold, lane_of(tenant), "a", "b")
    await die(bold, client)
    await die(bold, client)
    assert await claim(bold) == []

    alone = await claim_one(bold, empty=True)
    await bold.commit(alone, Unit(handled=["a"], hold=True))
    await lease_ends(client, alone)
    after = await claim_one(bold)

    assert (alone.apart, after.apart) == (True, False)
    assert [item.id for item in after.items] == ["b"]


async def test_one_kill_of_a_worker_does_not_serialise_the_takeover(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    for number in range(20):
        await post(bold, lane_of(tenant, str(number)), "a")
    held = await claim(bold, 20)
    await lease_ends(client, *held)

    assert len(await claim(bold, 20)) == 20


async def test_claim_tells_that_a_lane_waits_for_an_empty_worker(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    await post(bold, lane_of(tenant), "a")
    await die(bold, client)
    await die(bold, client)

    before = bold.apart_wait(KIND)
    await claim(bold)
    during = bold.apart_wait(KIND)
    await finish(bold, await claim_one(bold, empty=True))
    await turn_comes(client, tenant)
    await claim(bold)

    assert (before, during, bold.apart_wait(KIND)) == (False, True, False)


async def test_a_run_that_ends_well_forgets_the_deaths_before(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    await bold.post(Post(lane_of(tenant), timers={"poll": timedelta(hours=1)}))
    for _ in range(3):
        await post(bold, lane_of(tenant), "a")
        await die(bold, client)
        await finish(bold, await claim_one(bold))

    assert (await bold.state(lane_of(tenant))).parked is None


async def test_releases_do_not_count(bold: Lanes, client: Redis, tenant: str) -> None:
    await post(bold, lane_of(tenant), "a")
    for _ in range(5):
        await bold.release(await claim_one(bold))

    claimed = await claim_one(bold)

    assert (claimed.apart, claimed.failures) == (False, 0)


async def test_a_holders_own_saves_do_not_forget_the_deaths_before(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    await post(bold, lane_of(tenant), "a")
    for _ in range(2):
        claimed = await claim_one(bold)
        await bold.commit(claimed, Unit(hold=True))
        await lease_ends(client, claimed)

    assert await claim(bold) == []
    assert (await claim_one(bold, empty=True)).apart
