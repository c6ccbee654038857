"""What is asked goes out at once: it does not wait for what others asked before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection

from infra.functions.calls import Calls


class Slow:
    """Passes bytes to the store and back; keeps the answer to a request that says `first` until
    another request has come."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.keeps = asyncio.Event()
        self.lines: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.append(asyncio.current_task())
        there, back = await asyncio.open_unix_connection(str(self._store))
        kept = b""
        while request := await reader.read(1 << 20):
            back.write(request)
            answer = await there.read(1 << 20)
            if b"first" in request:
                kept = answer
                self.keeps.set()
            else:
                writer.write(kept + answer)
                kept = b""
        back.close()
        writer.close()


@asynccontextmanager
async def calling(store: Path, place: Path) -> AsyncIterator[tuple[Slow, Calls]]:
    """Calls that go through a slow line."""
    slow = Slow(store)
    server = await asyncio.start_unix_server(slow.serve, str(place))
    pool = ConnectionPool(UnixDomainSocketConnection, path=str(place))
    async with Redis.from_pool(pool) as through:
        calls = Calls(through)
        try:
            yield slow, calls
        finally:
            await calls.aclose()
    server.close()
    await asyncio.gather(*(line for line in slow.lines if line))


async def test_a_call_is_sent_while_others_wait_for_their_answers(
    place: Path, client: Redis, tmp_path: Path
) -> None:
    await client.mset({"first": "1", "second": "2"})
    async with calling(place, tmp_path / "slow.sock") as (slow, calls):
        first = asyncio.create_task(calls.read("get", "GET", "first"))
        await slow.keeps.wait()

        second = await calls.read("get", "GET", "second")

        assert (await first, second) == (b"1", b"2")
