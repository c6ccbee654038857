"""What tests of the engine share: a real server, a client, lanes with short leases."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from infra import embedded, functions, valkey
from infra.functions.calls import Calls
from infra.lanes import Lanes, Leases
from infra.settings import Settings
from tests.store.cutter import Cutter, cutting

SHORT = Leases(lease=timedelta(milliseconds=300), heartbeat=timedelta(milliseconds=90))
NO_GRACE = Leases(heartbeat=timedelta(0))
_numbers = itertools.count()


# Debian's Redis 7.0 is the oldest store we promise; where it is installed all runs on it too.
SERVERS = ["embedded", *(["redis-server"] if shutil.which("redis-server") else [])]


@pytest.fixture(scope="session", params=SERVERS)
def settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a store that runs."""
    home = tmp_path_factory.mktemp("store")
    if request.param == "embedded":
        server = embedded.start(home)
        assert server is not None
        yield Settings(data_dir=home)
        server.end()
    else:
        with running(home):
            yield Settings(data_dir=home, valkey_url=SecretStr(f"unix://{home}/redis.sock"))


@contextmanager
def running(home: Path) -> Iterator[None]:
    command = ["redis-server", "--port", "0", "--unixsocket", str(home / "redis.sock")]
    command += ["--dir", str(home), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    server.terminate()
    server.wait(10)


@pytest.fixture
def place(settings: Settings) -> Path:
    """The socket of the store."""
    url = settings.valkey_url
    path = url.get_secret_value().removeprefix("unix://") if url else None
    return Path(path) if path else embedded.socket_of(settings.data_dir)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = valkey.connect(settings)
    await valkey.ready(client, within=timedelta(seconds=10))
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def calls(client: Redis) -> AsyncIterator[Calls]:
    async with aclosing(Calls(client)) as calls:
        yield calls


@pytest.fixture
async def lanes(settings: Settings, client: Redis, calls: Calls) -> AsyncIterator[Lanes]:
    await functions.load(client)
    waiting = Redis.from_pool(valkey.pool(settings, answer_within=timedelta(seconds=3)))
    lanes = Lanes(calls, waiting, leases=SHORT)
    yield lanes
    await lanes.aclose()
    await waiting.aclose()


@pytest.fixture
def bold(calls: Calls, client: Redis, lanes: Lanes) -> Lanes:
    """Lanes whose expired leases are claimable at once, to see what follows from it."""
    return Lanes(calls, client, leases=NO_GRACE)


@pytest.fixture
def tenant() -> str:
    """A name of its own for each test: the server remembers signs of life by tenant."""
    return f"t{next(_numbers)}"


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def cut(
    place: Path, lanes: Lanes, tmp_path: Path
) -> AsyncIterator[tuple[Cutter, Lanes, Calls]]:
    """Lanes whose line can be cut; `lanes` beside them has loaded the functions."""
    async with cutting(place, tmp_path / "cut.sock") as (cutter, client):
        calls = Calls(client)
        through = Lanes(calls, client)
        yield cutter, through, calls
        await through.aclose()
