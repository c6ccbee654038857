"""What is asked goes out at once: it does not wait for what others asked before."""

from __future__ import annotations

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from tests.store.slow import slowed


async def test_a_call_is_sent_while_others_wait_for_their_answers(
    place: Path, client: Redis, tmp_path: Path
) -> None:
    await client.mset({"first": "1", "second": "2"})
    line = slowed(place, tmp_path / "slow.sock", first=b"first", then=b"second")
    async with line as (slow, calls):
        first = asyncio.create_task(calls.read("get", "GET", "first"))
        await slow.keeps.wait()

        second = await calls.read("get", "GET", "second")

        assert (await first, second) == (b"1", b"2")
        assert len(slow.lines) == 1
