"""ENGINE 8: what a frozen store was asked for, it does when it wakes; who asked learns of it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from infra import keys
from infra.errors import StoreAway
from infra.functions.calls import Calls
from infra.lanes import Claimed, Lanes, Leases
from tests.store.claims import KIND, lane_of, post
from tests.store.late import late

IMPATIENT = timedelta(milliseconds=200)
NEVER_ENDS = Leases(lease=timedelta(hours=1))
"""A lane that nobody knows to be theirs is not seen again."""


async def work(lanes: Lanes) -> list[Claimed]:
    """What a worker does, who tries again whenever the store is away."""
    while True:
        with suppress(StoreAway):
            if claimed := await lanes.claim(KIND, 10, empty=True):
                return claimed


async def carried_out(client: Redis, function: str, tenant: str) -> bool:
    """Whether the store did it: the lane is held, or has a record, which names its holder."""
    name = lane_of(tenant).name
    if function == "take":
        return await client.zscore(keys.held(tenant, KIND), name) is not None
    return await client.exists(keys.lane(tenant, name)) > 0


@pytest.mark.parametrize("function", ["take", "open"])
async def test_lanes_that_are_ours_since_a_frozen_store_woke_are_worked_at_once(
    place: Path, client: Redis, lanes: Lanes, tenant: str, tmp_path: Path, function: str
) -> None:
    await post(lanes, lane_of(tenant), "a")
    async with late(place, tmp_path / "late.sock") as (line, through), asyncio.timeout(60):
        line.words = f"tieline_1_{function}".encode()
        impatient = Lanes(Calls(through, patience=IMPATIENT), through, leases=NEVER_ENDS)
        async with aclosing(impatient):
            while not line.sent.is_set():  # on a busy machine it may give up earlier
                with suppress(StoreAway):
                    await impatient.claim(KIND, 10, empty=True)
            line.arrive.set()
            while not await carried_out(client, function, tenant):  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.01)

            [claimed] = await work(impatient)
            lost = await lanes.heartbeat([claimed])

    assert [item.id for item in claimed.items] == ["a"]
    assert lost == []
