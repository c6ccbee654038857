"""L1, L4: what was accepted survives kills of the store, and is handled into the outbox once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from infra import embedded, functions, keys, valkey
from infra.errors import ClaimLost, StoreAway
from infra.functions.calls import Calls
from infra.lanes import Item, Lane, Lanes, Leases, Post, Unit
from infra.settings import Settings
from tests.store.claims import KIND, claim, lane_of

KILLS = 5
LANES = 7


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


async def open_lanes(home: Settings) -> tuple[Redis, Lanes]:
    client = valkey.connect(home)
    await valkey.ready(client, within=timedelta(seconds=10))
    await functions.load(client)
    leases = Leases(timedelta(seconds=1), timedelta(milliseconds=300))
    return client, Lanes(Calls(client), client, leases=leases)


async def post_until(lanes: Lanes, over: Callable[[], bool], kept: list[str]) -> None:
    """Keep posting; `kept` holds what the store said it has."""
    number = 0
    while not over():
        number += 1
        lane = lane_of("acme", str(number % LANES))
        with suppress(StoreAway):
            await lanes.post(Post(lane, Item(f"i{number}")))
            kept.append(f"i{number}")


async def work_until(lanes: Lanes, over: Callable[[], bool]) -> None:
    """Move each item into the outbox, in the commit that removes it."""
    while not over():
        with suppress(StoreAway):
            for claimed in await claim(lanes, 8):
                ids = [item.id for item in claimed.items]
                posts = [Post(Lane("acme", "callback", "outbox"), Item(id_)) for id_ in ids]
                with suppress(ClaimLost):
                    await lanes.commit(claimed, Unit(handled=ids, posts=posts))
            await lanes.wait(KIND, timedelta(milliseconds=20))


async def test_accepted_items_survive_kills_of_the_store_and_are_handled_once(
    home: Settings,
) -> None:
    server = embedded.start(home.data_dir)
    assert server is not None
    client, lanes = await open_lanes(home)
    kept: list[str] = []
    posting_is_over, working_is_over = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work_until(lanes, working_is_over.is_set))
        posting = tasks.create_task(post_until(lanes, posting_is_over.is_set, kept))
        for _ in range(KILLS):
            await asyncio.sleep(0.2)
            server.process.kill()
            server.process.wait()
            server = embedded.start(home.data_dir)
            assert server is not None
        posting_is_over.set()
        await posting
        async with asyncio.timeout(20):
            while await waiting(client):  # noqa: ASYNC110  the store tells nobody that it is idle
                await asyncio.sleep(0.05)
        working_is_over.set()
    outbox = await items(client, "callback:outbox")
    await lanes.aclose()
    await client.aclose()
    server.end()

    assert len(kept) > 20
    assert set(kept) <= outbox.keys()
    assert set(outbox.values()) == {1}


async def waiting(client: Redis) -> int:
    return sum([(await items(client, f"meeting:{n}")).total() for n in range(LANES)])


async def items(client: Redis, lane: str) -> Counter[str]:
    elements = await client.lrange(keys.items("acme", lane), 0, -1)  # type: ignore[misc]  # redis-py types it for both clients
    return Counter(element.partition(b"\n")[0].decode() for element in elements)
