"""How does what is asked reach the store, and what if the line is full, lost, or never was?"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Final

import psutil
import pytest
from redis.asyncio import Redis

from infra.errors import StoreAway
from infra.functions.calls import Calls
from tests.store.servers import server
from tests.store.slow import slowed

LARGE: Final = 50_000
"""Bytes; a hundred such words are more than a socket takes from one side."""


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


async def test_what_is_asked_of_a_store_that_does_not_read_is_said_when_it_reads_again(
    tmp_path: Path,
) -> None:
    async with server(tmp_path, "--port", "0") as client:
        process = psutil.Process((await client.info("server"))["process_id"])
        async with aclosing(Calls(client)) as calls:
            await calls.read("echo", "ECHO", "the line is up")
            process.suspend()
            sizes = range(LARGE, LARGE + 100)
            asked = [calls.read("echo", "ECHO", b"x" * size) for size in sizes]
            first = asyncio.gather(*asked)
            await asyncio.sleep(0.1)
            then = asyncio.gather(*(calls.read("echo", "ECHO", str(n)) for n in range(100)))
            await asyncio.sleep(0.1)
            process.resume()

            assert [len(answer) for answer in await first] == list(sizes)
            assert [int(answer) for answer in await then] == list(range(100))


async def test_a_line_that_was_lost_while_nobody_asked_is_replaced_unnoticed(
    client: Redis, calls: Calls
) -> None:
    lost = await _name(calls)
    await client.client_kill_filter(_id=str(lost))

    assert await _name(calls) != lost


async def test_who_leaves_while_the_store_is_away_leaves_no_line_behind(tmp_path: Path) -> None:
    async with server(tmp_path, "--port", "0") as client:
        process = psutil.Process((await client.info("server"))["process_id"])
        process.suspend()
        calls = Calls(client, patience=timedelta(milliseconds=100))
        with pytest.raises(StoreAway):
            await calls.read("ping", "PING")
        await calls.aclose()
        process.resume()

        async with asyncio.timeout(10):
            while len(await client.client_list()) > 1:  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.01)


async def _name(calls: Calls) -> int:
    return int(await calls.read("id", "CLIENT", "ID"))
