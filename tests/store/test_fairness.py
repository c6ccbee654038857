"""L7 with numbers: how many claims a tenant waits behind another with a hundred thousand lanes, and
an endpoint behind one that hangs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from infra import valkey
from infra.functions.calls import Calls
from infra.lanes import Item, Lanes, Leases, Post
from infra.settings import Settings
from tests.store.claims import claim, finish, lane_of

SLOTS = 50
STEP = 1_000
"""Below what may wait for the store at once: of more, some would be refused on a busy machine."""
LANES = 20
"""Of the tenant, or the group, that comes later."""
LIMIT = 16
GLANCE = 512
"""So many due lanes behind a shut gate are laid aside with one visit, see functions/take.lua."""


@pytest.fixture
async def patient(settings: Settings, calls: Calls, lanes: Lanes) -> AsyncIterator[Lanes]:
    """Lanes whose leases outlast the test: what is held stays held."""
    waiting = Redis.from_pool(valkey.pool(settings, answer_within=timedelta(seconds=3)))
    leases = Leases(lease=timedelta(minutes=10))
    patient = Lanes(calls, waiting, leases=leases)
    yield patient
    await patient.aclose()
    await waiting.aclose()


async def fill(
    lanes: Lanes, tenant: str, count: int, *, group: str | None = None, name: str = ""
) -> None:
    """So many due lanes, each with one item."""
    for start in range(0, count, STEP):
        numbers = range(start, min(start + STEP, count))
        posts = [
            Post(lane_of(tenant, f"{name}{number:06}"), Item("a"), group=group)
            for number in numbers
        ]
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


@pytest.mark.parametrize(
    "backlog",
    [
        3_000,
        pytest.param(20_000, marks=[pytest.mark.full, pytest.mark.timeout(600)]),
    ],
)
async def test_a_group_that_hangs_delays_another_of_its_tenant_by_a_few_claims_only(
    patient: Lanes, tenant: str, backlog: int
) -> None:
    """As many as its gate lets in are held and never let go; the rest are laid aside together."""
    await patient.limit_gate(tenant, "endpoint:hangs", LIMIT)
    await fill(patient, tenant, backlog, group="endpoint:hangs", name="hangs")
    await fill(patient, tenant, LANES, group="endpoint:answers", name="answers")

    claims, held, served = 0, 0, 0
    while served < LANES:
        found = await claim(patient, SLOTS - held)
        claims += 1
        answering = [one for one in found if one.lane.subject.startswith("answers")]
        held += len(found) - len(answering)
        served += len(answering)
        await asyncio.gather(*(finish(patient, one) for one in answering))

    print(f"\n[ENGINE 5] {LANES} lanes behind {backlog:,} that hang: {claims} until served")
    assert held == LIMIT
    assert claims <= backlog / GLANCE + 5
