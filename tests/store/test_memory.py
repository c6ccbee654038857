"""ENGINE 14 and L8: above maxmemory nothing new is kept, and what is there can be worked off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from infra.errors import StoreFull
from infra.lanes import Entry, Item, Lanes, Post, Posted, Unit
from infra.lanes.committing import DAY
from tests.store.claims import claim_one, finish, lane_of, post


@pytest.fixture
async def fill(client: Redis) -> AsyncIterator[Redis]:
    """Use it to close the guard; it is open again afterwards."""
    before = (await client.config_get("maxmemory"))["maxmemory"]
    yield client
    await client.config_set("maxmemory", before)


async def test_post_is_refused_and_the_backlog_still_shrinks(
    lanes: Lanes, fill: Redis, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a", "b")
    await fill.config_set("maxmemory", "1mb")

    with pytest.raises(StoreFull):
        await lanes.post(Post(lane_of(tenant), Item("c")))
    claimed = await claim_one(lanes)
    line = Entry("timeline/m", b"handled a", DAY)
    held = await lanes.commit(claimed, Unit(handled=["a"], logs=[line], hold=True))
    await lanes.heartbeat([held])
    await finish(lanes, held)

    assert (await lanes.state(lane_of(tenant))).depth == 0


async def test_in_a_batch_each_post_hears_of_it(lanes: Lanes, fill: Redis, tenant: str) -> None:
    await fill.config_set("maxmemory", "1mb")

    answers = await lanes.post_many(tenant, [Post(lane_of(tenant), Item(id_)) for id_ in "ab"])
    await fill.config_set("maxmemory", "0")
    later = await lanes.post(Post(lane_of(tenant), Item("c")))

    assert [type(answer) for answer in answers] == [StoreFull, StoreFull]
    assert later is Posted.NEW


async def test_a_released_lane_is_kept_above_the_guard(
    lanes: Lanes, fill: Redis, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a")
    claimed = await claim_one(lanes)
    await fill.config_set("maxmemory", "1mb")

    await lanes.release(claimed)

    assert len((await claim_one(lanes)).items) == 1
