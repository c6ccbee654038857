"""ENGINE 29: when may acknowledged writes be missing? Real servers, restarted and promoted."""

from __future__ import annotations

import shutil
from contextlib import aclosing
from pathlib import Path

from redis.asyncio import Redis

from infra import functions
from infra.functions.calls import Calls
from infra.store.epoch import Epoch
from tests.store.servers import DURABLE, following, server


async def epoch_of(client: Redis) -> str:
    await functions.load(client)
    async with aclosing(Calls(client)) as calls:
        return await Epoch(calls).look()


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
    async with server(tmp_path / "p", "--port", str(unused_port), *DURABLE) as primary:
        before = await epoch_of(primary)
        async with following(tmp_path / "r", unused_port) as replica:
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
        async with aclosing(Calls(client)) as calls:
            epoch = Epoch(calls)
            restored, begun = await epoch.look(), await epoch.begin()

    assert (restored, begun, epoch.current) == ("1", "2", "2")


async def test_what_was_written_is_replicated_while_a_replica_follows(
    tmp_path: Path, unused_port: int
) -> None:
    async with (
        server(tmp_path / "p", "--port", str(unused_port), *DURABLE) as primary,
        aclosing(Calls(primary)) as calls,
    ):
        await functions.load(primary)
        epoch = Epoch(calls)
        await epoch.look()
        alone = await epoch.replicated()
        async with following(tmp_path / "r", unused_port):
            await epoch.look()
            await epoch.begin()
            followed = await epoch.replicated()
        await epoch.begin()
        left = await epoch.replicated()

    assert (alone, followed, left) == (True, True, False)
