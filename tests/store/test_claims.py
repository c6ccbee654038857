"""ENGINE 7, 11 to 13, 16: who holds a lane, for how long, and what happens when a holder dies."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from infra import functions, keys
from infra.errors import ClaimLost
from infra.lanes import Lanes, Unit
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


async def test_a_lane_whose_holder_died_goes_on(bold: Lanes, client: Redis, tenant: str) -> None:
    """L5: after the lease and a look of at most a second."""
    await post(bold, lane_of(tenant), "a")
    dead = await claim_one(bold)

    await lease_ends(client, dead)
    again = await claim_one(bold)
    await finish(bold, again)

    assert again.claim != dead.claim
    with pytest.raises(ClaimLost):
        await finish(bold, dead)


async def test_a_tenant_with_held_lanes_is_looked_at_within_a_second(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    await post(bold, lane_of(tenant), "a")
    await claim_one(bold)

    seconds, micros = await client.time()
    due = await client.zscore(keys.turn(KIND), tenant)

    assert due is not None
    assert due - (seconds * 1e6 + micros) <= 1_001_000


async def test_a_heartbeat_keeps_a_lane_and_revives_an_expired_lease(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    await post(bold, lane_of(tenant), "a")
    claimed = await claim_one(bold)

    await lease_ends(client, claimed)
    lost = await bold.heartbeat([claimed])
    await turn_comes(client, tenant)

    assert lost == []
    assert await claim(bold) == []
    await finish(bold, claimed)


async def test_a_heartbeat_names_the_lanes_that_are_lost(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    await post(bold, lane_of(tenant), "a")
    await post(bold, lane_of(tenant, "other"), "b")
    first, second = await claim(bold)
    await lease_ends(client, first)
    await claim_one(bold)

    assert await bold.heartbeat([first, second]) == [first]


async def test_a_store_that_was_away_takes_no_lane_from_its_live_holder(
    settings_lanes: Lanes, client: Redis, tenant: str
) -> None:
    """ENGINE 12: after a lag longer than a heartbeat, expired leases stay for one more."""
    patient = settings_lanes
    await post(patient, lane_of(tenant), "a")
    holder = await claim_one(patient)
    await patient.heartbeat([holder])

    await asyncio.sleep(0.35)  # longer than lease and heartbeat: as if the store had been frozen
    await turn_comes(client, tenant)
    during = await claim(patient)
    await patient.heartbeat([holder])  # the holder lives, and says so within its heartbeat
    await turn_comes(client, tenant)
    after = await claim(patient)

    assert during == after == []
    await finish(patient, holder)


async def test_without_the_grace_the_live_holder_loses_its_lane(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    """The negative control of the rule above."""
    await post(bold, lane_of(tenant), "a")
    holder = await claim_one(bold)

    await lease_ends(client, holder)
    taken = await claim(bold)

    assert len(taken) == 1
    assert await bold.heartbeat([holder]) == [holder]


async def test_a_restarted_store_begins_with_grace(
    bold: Lanes, settings_lanes: Lanes, client: Redis, tenant: str
) -> None:
    """The server's memory of signs of life ends with it; loading the library does the same."""
    await post(bold, lane_of(tenant), "a")
    holder = await claim_one(bold)
    await functions.command(client, "FUNCTION LOAD", "REPLACE", functions.source())

    await lease_ends(client, holder)
    early = await claim(settings_lanes)
    async with asyncio.timeout(5):
        while not (late := await claim(settings_lanes)):  # each look is a sign of life
            await asyncio.sleep(0.01)
            await turn_comes(client, tenant)

    assert early == []
    assert len(late) == 1


@pytest.fixture
def settings_lanes(lanes: Lanes) -> Lanes:
    """Short leases (0.3 s) and heartbeats (0.09 s), with the grace that goes with them."""
    return lanes


async def test_leases_beyond_two_leases_are_clamped(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    """ENGINE 16: they were written by a clock that has been set back since."""
    await post(bold, lane_of(tenant), "a")
    claimed = await claim_one(bold)
    seconds, _ = await client.time()
    place = keys.held(tenant, KIND)
    await client.zadd(place, {claimed.lane.name: (seconds + 86_400) * 1000})

    await turn_comes(client, tenant)
    await claim(bold)

    end = await client.zscore(place, claimed.lane.name)
    assert end is not None
    assert end <= (seconds + 20) * 1000


async def test_a_failing_lane_backs_off_alone_and_is_parked_visible_and_retriable(
    bold: Lanes, client: Redis, tenant: str
) -> None:
    """L6."""
    await post(bold, lane_of(tenant, "bad"), "a")
    await post(bold, lane_of(tenant, "good"), "b")
    first, second = sorted(await claim(bold), key=lambda claimed: claimed.lane.subject)

    await bold.commit(first, Unit(failed=True, not_before=timedelta(0)))
    await finish(bold, second)
    again = await claim_one(bold)
    await bold.commit(again, Unit(failed=True, parked="Zoom says no"))
    await post(bold, lane_of(tenant, "bad"), "c")
    await turn_comes(client, tenant)
    parked = await bold.parked(tenant, "", 10)
    silent = await claim(bold)
    await bold.retry(lane_of(tenant, "bad"))
    retried = await claim_one(bold)

    assert again.failures == 1
    assert [lane.subject for lane, _ in parked] == ["bad"]
    assert silent == []
    assert [item.id for item in retried.items] == ["a", "c"]
    assert retried.failures == 0
