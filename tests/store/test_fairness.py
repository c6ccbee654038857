"""L7 with numbers: how many claims a tenant waits behind another with a hundred thousand lanes."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from infra.lanes import Item, Lanes, Post
from tests.store.claims import claim, finish, lane_of

SLOTS = 50
STEP = 1_000
"""Below what may wait for the store at once: of more, some would be refused on a busy machine."""
LANES = 20
"""Of the tenant that comes later."""


async def fill(lanes: Lanes, tenant: str, count: int) -> None:
    """So many due lanes, each with one item."""
    for start in range(0, count, STEP):
        numbers = range(start, min(start + STEP, count))
        posts = [Post(lane_of(tenant, f"{number:06}"), Item("a")) for number in numbers]
        await lanes.post_many(tenant, posts)


@pytest.mark.parametrize(
    "backlog",
    [
        5_000,
        pytest.param(100_000, marks=[pytest.mark.full, pytest.mark.timeout(600)]),
    ],
)
async def test_a_backlog_delays_another_tenant_by_a_few_claims_only(
    lanes: Lanes, tenant: str, backlog: int
) -> None:
    big, small = f"{tenant}-big", f"{tenant}-small"
    await fill(lanes, big, backlog)
    for claimed in await claim(lanes, SLOTS):  # workers are busy with the backlog already
        await finish(lanes, claimed)
    await fill(lanes, small, LANES)

    claims, served = 0, Counter[str]()
    while served[small] < LANES:
        found = await claim(lanes, SLOTS)
        claims += 1
        served.update(one.lane.tenant for one in found)
        await asyncio.gather(*(finish(lanes, one) for one in found))

    print(f"\n[L7] {LANES} lanes behind {backlog:,} of another tenant: {claims} until served")
    assert claims <= 3
    assert served[big] > 0
