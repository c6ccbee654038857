"""Does the embedded store keep what it acknowledged, run once, and never outlive its keeper?"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from infra import embedded, valkey
from infra.errors import Refused, StoreAway
from infra.settings import Settings

SOON = timedelta(seconds=60)  # patience with a busy machine; nothing here is about speed


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110  processes raise no events
            await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether the process has ended, reaped or not, and all its threads, which hold its files."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state == "Z" and len([*Path(f"/proc/{pid}/task").iterdir()]) == 1
    except FileNotFoundError:
        return True


async def pid_of(client: Redis) -> int:
    return int((await client.info("server"))["process_id"])


def keep(settings: Settings) -> subprocess.Popen[bytes]:
    """`python -m infra.valkey`, as the Procfile starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "infra.valkey"],
        env={**os.environ, "TIELINE_DATA_DIR": str(settings.data_dir)},
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def keeper(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = keep(settings)
    yield process
    assert process.stderr is not None
    process.stderr.close()
    process.kill()
    process.wait()


@pytest.fixture
async def kept(settings: Settings, keeper: subprocess.Popen[bytes]) -> AsyncIterator[Redis]:
    client = valkey.connect(settings)
    await valkey.ready(client, within=SOON)
    yield client
    await client.aclose()


async def test_what_was_acknowledged_survives_a_killed_server(
    settings: Settings, server: embedded.Server, store: Redis
) -> None:
    await store.set("tie", "line")

    server.process.kill()
    server.process.wait()
    again = embedded.start(settings.data_dir)
    assert again is not None
    await valkey.ready(store, within=SOON)

    assert await store.get("tie") == b"line"
    assert again.end() == 0


async def test_it_writes_every_change_to_disk_and_throws_nothing_away(store: Redis) -> None:
    config = await store.config_get()

    assert (config["appendonly"], config["appendfsync"]) == ("yes", "always")
    assert config["maxmemory-policy"] == "noeviction"
    assert 0 < int(config["maxmemory"]) <= 0.45 * embedded.memory_of_machine()
    assert (config["port"], config["save"]) == ("0", "")


async def test_only_its_owner_reaches_the_files_and_the_socket(
    settings: Settings, server: embedded.Server
) -> None:
    home = embedded.home_of(settings.data_dir)

    assert server.socket.is_socket()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}

    assert {path.name for path, mode in modes.items() if mode & 0o077} == set()


async def test_a_loose_directory_is_made_private(settings: Settings) -> None:
    home = embedded.home_of(settings.data_dir)
    home.mkdir(parents=True, mode=0o755)

    server = embedded.start(settings.data_dir)

    assert server is not None
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    server.end()


async def test_a_second_start_adopts_the_store_that_runs(settings: Settings, store: Redis) -> None:
    pid = await pid_of(store)

    second = embedded.start(settings.data_dir)

    assert second is None
    assert await pid_of(store) == pid


def test_a_directory_locked_by_something_else_is_refused(settings: Settings) -> None:
    home = embedded.home_of(settings.data_dir)
    home.mkdir(parents=True)

    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="locked by another process"):
            embedded.start(settings.data_dir)


async def test_the_lock_lasts_as_long_as_the_server_even_without_its_starter(
    settings: Settings,
) -> None:
    # The starter is killed while its server is frozen, so that the death signal cannot act yet.
    program = (
        "import sys, time; from pathlib import Path; from infra import embedded\n"
        "print(embedded.start(Path(sys.argv[1])).process.pid, flush=True); time.sleep(60)"
    )
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(settings.data_dir), stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    pid = int(await starter.stdout.readline())
    # Before it has a handler of its own, the signal would end it even frozen.
    await until(embedded.socket_of(settings.data_dir).exists)
    os.kill(pid, signal.SIGSTOP)
    starter.kill()
    await starter.wait()

    with pytest.raises(Refused, match="locked by another process"):
        embedded.start(settings.data_dir)

    os.kill(pid, signal.SIGCONT)
    await until(lambda: gone(pid))
    after = embedded.start(settings.data_dir)
    assert after is not None
    after.end()


def test_a_socket_place_that_someone_else_prepared_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    place = embedded.socket_of(deep).parent
    place.symlink_to(tmp_path)

    with pytest.raises(Refused, match="belongs to someone else"):
        embedded.start(deep)

    place.unlink()


def test_a_long_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)

    server = embedded.start(deep)

    assert server is not None
    assert len(os.fsencode(server.socket)) <= embedded.LONGEST_SOCKET_PATH
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    server.end()
    server.socket.parent.rmdir()


def test_it_is_not_started_from_a_side_thread(settings: Settings) -> None:
    refusals: list[Refused] = []

    def attempt() -> None:
        try:
            embedded.start(settings.data_dir)
        except Refused as refusal:
            refusals.append(refusal)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()

    assert "main thread" in refusals[0].reason


async def test_a_killed_keeper_leaves_no_server_behind(
    keeper: subprocess.Popen[bytes], kept: Redis
) -> None:
    pid = await pid_of(kept)

    keeper.kill()

    await until(lambda: gone(pid))


async def test_a_fallen_server_is_started_again_with_its_data(kept: Redis) -> None:
    await kept.set("tie", "line")
    pid = await pid_of(kept)

    os.kill(pid, signal.SIGKILL)
    await until(lambda: gone(pid))
    await valkey.ready(kept, within=SOON)

    assert await kept.get("tie") == b"line"
    assert await pid_of(kept) != pid


async def test_a_stopped_keeper_waits_for_the_clients_of_its_store(
    keeper: subprocess.Popen[bytes], kept: Redis
) -> None:
    pid = await pid_of(kept)

    keeper.send_signal(signal.SIGTERM)
    await asyncio.sleep(1)
    still_there = await kept.set("last", "word")
    await kept.aclose()
    await until(lambda: keeper.poll() is not None)

    assert still_there
    assert keeper.returncode == 0
    assert gone(pid)


async def test_a_second_keeper_adopts_and_takes_over_when_the_first_is_killed(
    settings: Settings, keeper: subprocess.Popen[bytes], kept: Redis
) -> None:
    await kept.set("tie", "line")
    pid = await pid_of(kept)
    second = keep(settings)
    assert second.stderr is not None
    assert b"adopted" in await asyncio.to_thread(second.stderr.readline)

    keeper.kill()
    await until(lambda: gone(pid))
    await valkey.ready(kept, within=SOON)

    assert await kept.get("tie") == b"line"
    assert await pid_of(kept) != pid
    second.send_signal(signal.SIGTERM)
    await kept.aclose()
    await asyncio.to_thread(second.communicate)
    assert second.returncode == 0


async def test_a_store_that_loads_its_files_is_waited_for(tmp_path: Path) -> None:
    answers = [b"-LOADING the dataset is in memory soon\r\n"] * 3

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line.strip() == b"PING":
                writer.write(answers.pop() if answers else b"+PONG\r\n")
            elif line.strip() == b"CLIENT":
                writer.write(b"+OK\r\n")
        writer.close()

    place = embedded.socket_of(tmp_path)
    place.parent.mkdir()
    async with await asyncio.start_unix_server(play, place):
        client = valkey.connect(Settings(data_dir=tmp_path))
        await valkey.ready(client, within=SOON)
        await client.aclose()

    assert answers == []


async def test_a_store_that_is_not_there_is_away(settings: Settings) -> None:
    client = valkey.connect(settings)

    with pytest.raises(StoreAway, match="does not answer"):
        await valkey.ready(client, within=timedelta(seconds=0.2))
    with pytest.raises(StoreAway, match="does not answer"):
        await valkey.inspect(client)
