"""ENGINE 8, 10: an answer that was lost neither loses nor doubles; a mistake writes nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import pytest
from redis.asyncio import Redis

from infra import embedded, keys, valkey
from infra.errors import StoreAway
from infra.functions.calls import Calls
from infra.lanes import Item, Lanes, Post, Posted, Unit
from infra.settings import Settings
from infra.store.documents import Documents
from tests.store.claims import claim, claim_one, lane_of, post
from tests.store.cutter import Cutter
from tests.store.documents import Note

Moment = Literal["before", "after"]
both = pytest.mark.parametrize("when", ["before", "after"])


@both
async def test_a_post_whose_line_is_cut_is_kept_once(
    cut: tuple[Cutter, Lanes, Calls], lanes: Lanes, tenant: str, when: Moment
) -> None:
    cutter, through, _ = cut
    cutter.words, cutter.when = b"tieline_1_post", when

    answer = await through.post(Post(lane_of(tenant), Item("a"), once="proof"))

    assert (cutter.cuts, answer) == (1, Posted.NEW)
    assert [item.id for item in (await claim_one(lanes)).items] == ["a"]


@both
async def test_a_commit_whose_line_is_cut_happens_once(
    cut: tuple[Cutter, Lanes, Calls], lanes: Lanes, tenant: str, when: Moment
) -> None:
    """Without the call id it dropped two items and posted a callback twice."""
    cutter, through, _ = cut
    await post(lanes, lane_of(tenant), "a", "b")
    claimed = await claim_one(through)
    cutter.words, cutter.when = b"tieline_1_commit", when

    await through.commit(
        claimed, Unit(handled=["a"], posts=[Post(lane_of(tenant, "callback"), Item("x"))])
    )
    left = {each.lane.subject: [item.id for item in each.items] for each in await claim(lanes)}

    assert cutter.cuts == 1
    assert left == {"m": ["b"], "callback": ["x"]}


@pytest.mark.parametrize(("remembered", "times"), [(True, 1), (False, 2)])
async def test_f3_a_commit_that_holds_on_happens_twice_only_where_its_call_is_forgotten(
    cut: tuple[Cutter, Lanes, Calls], lanes: Lanes, tenant: str, remembered: bool, times: int
) -> None:
    """The negative control of the test above: what the memory of calls is good for."""
    cutter, through, _ = cut
    await post(lanes, lane_of(tenant), "a")
    claimed = await claim_one(through)
    cutter.words, cutter.when = b"tieline_1_commit", "after"
    cutter.forgets = [] if remembered else keys.calls(tenant)

    told = Unit(posts=[Post(lane_of(tenant, "callback"), Item("x"))], hold=True)
    await through.commit(claimed, told)
    [callback] = await claim(lanes)

    memory = "with" if remembered else "without"
    print(f"\n[F3] {memory} the memory of calls: one callback posted {len(callback.items)} times")
    assert [item.id for item in callback.items] == ["x"] * times


@both
@pytest.mark.parametrize("function", ["take", "open", "turns", "settle", "ring"])
async def test_a_claim_whose_line_is_cut_still_claims(
    cut: tuple[Cutter, Lanes, Calls], lanes: Lanes, tenant: str, when: Moment, function: str
) -> None:
    cutter, through, _ = cut
    cutter.words, cutter.when = f"tieline_1_{function}".encode(), when
    await through.post(Post(lane_of(tenant), Item("a")))

    claimed = await claim(through)
    state = await lanes.state(lane_of(tenant))

    assert cutter.cuts == 1
    # A tenant whose visit began with a lost answer looks visited, for a second.
    assert len(claimed) == (0 if (function, when) == ("turns", "after") else 1)
    assert state.failures == 0


@both
async def test_a_document_whose_line_is_cut_is_written_once(
    cut: tuple[Cutter, Lanes, Calls], tenant: str, when: Moment
) -> None:
    cutter, _, calls = cut
    cutter.words, cutter.when = b"tieline_1_document", when
    documents = Documents(calls)

    stored = await documents.put(tenant, Note(id="n", text="first"))

    assert stored.rev == 1
    assert await documents.get(tenant, Note, "n") == stored


async def test_the_same_call_id_returns_the_first_answer(lanes: Lanes, tenant: str) -> None:
    seen = Post(lane_of(tenant), Item("a"), once="proof")

    first = await lanes.post(seen, call="mine")
    again = await lanes.post(seen, call="mine")
    other = await lanes.post(seen, call="another")

    assert (first, again, other) == (Posted.NEW, Posted.NEW, Posted.SEEN)


async def test_calls_are_forgotten_whole(lanes: Lanes, client: Redis, tenant: str) -> None:
    await post(lanes, lane_of(tenant), "a")

    lives = [await client.pttl(name) for name in keys.calls(tenant)]

    [life] = [life for life in lives if life != -2]
    assert 0 < life <= 20_000


async def test_an_unreadable_change_writes_nothing(
    lanes: Lanes, calls: Calls, client: Redis, tenant: str
) -> None:
    """A script error does not roll back, so everything is read before the first write."""
    await post(lanes, lane_of(tenant), "a")
    claimed = await claim_one(lanes)
    name, log = claimed.lane.name, keys.log(tenant, "l", date(2026, 1, 1))
    places = [
        *(keys.waiting(tenant, "meeting"), keys.held(tenant, "meeting"), keys.parked(tenant)),
        *(keys.shut(tenant, "meeting"), keys.busy(tenant), *keys.calls(tenant)),
        *(keys.lane(tenant, name), keys.items(tenant, name), log),
    ]
    for changes in (["done", "a", "log", "soon", b"x"], ["done", "a", "no such word"]):
        words = ["call", 10_000, "", claimed.claim, name, 1, len(changes), *changes]
        [[answer, _]] = await calls.call("commit", places, words)
        assert answer == b"wrong"

    assert (await lanes.state(lane_of(tenant))).depth == 1
    assert not await client.exists(log)


async def test_a_store_that_is_away_is_said_after_two_seconds(tmp_path: Path) -> None:
    away = valkey.connect(Settings(data_dir=tmp_path / "nobody"))
    calls = Calls(away, patience=timedelta(milliseconds=100))

    with pytest.raises(StoreAway):
        await calls.read("get", "GET", "anything")

    await calls.aclose()
    await away.aclose()


async def test_functions_that_are_gone_are_loaded_again(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    await client.execute_command("FUNCTION", "FLUSH")

    assert await lanes.post(Post(lane_of(tenant), Item("a"))) is Posted.NEW


async def test_a_frozen_store_is_given_up_as_soon_as_one_that_died(tmp_path: Path) -> None:
    """It takes every new connection, and lets whoever greets it wait for many seconds."""
    server = embedded.start(tmp_path)
    assert server is not None
    client = valkey.connect(Settings(data_dir=tmp_path))
    await valkey.ready(client, within=timedelta(seconds=10))
    calls = Calls(client, patience=timedelta(milliseconds=200))
    await calls.read("get", "GET", "anything")
    os.kill(server.process.pid, signal.SIGSTOP)

    for _ in range(3):
        async with asyncio.timeout(3):  # greeting alone takes longer
            with pytest.raises(StoreAway):
                await calls.read("get", "GET", "anything")

    os.kill(server.process.pid, signal.SIGCONT)
    assert await eventually(calls) is None
    await calls.aclose()
    await client.aclose()
    server.end()


async def eventually(calls: Calls) -> object:
    """The answer, once the store answers again."""
    async with asyncio.timeout(20):
        while True:
            with suppress(StoreAway):
                return await calls.read("get", "GET", "anything")
