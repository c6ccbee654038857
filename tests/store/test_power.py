"""F7, F8: what was accepted survives a loss of power; whatever is left of the file, state and
outbox agree."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from infra import embedded
from infra.errors import StoreAway
from infra.lanes import Item, Lane, Lanes, Post, Unit
from infra.settings import Settings
from tests.store.claims import claim, lane_of
from tests.store.power import lose_power, note_syncs
from tests.store.test_kills import items, open_lanes

POSTERS = 8
OUTBOX = Lane("acme", "callback", "outbox")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@contextmanager
def started(home: Settings) -> Iterator[embedded.Server]:
    server = embedded.start(home.data_dir)
    assert server is not None
    yield server
    if server.alive:
        server.end()


@asynccontextmanager
async def opened(home: Settings) -> AsyncIterator[tuple[Redis, Lanes]]:
    client, lanes = await open_lanes(home)
    yield client, lanes
    await lanes.aclose()
    await client.aclose()


async def accepted_before_power_went(home: Settings, notes: Path, sync: str) -> tuple[int, int]:
    """How much was accepted, and how much of it is not there after the power came back."""
    accepted: list[str] = []

    async def post(lanes: Lanes, number: int) -> None:
        for count in range(10_000):
            try:
                await lanes.post(Post(lane_of("acme"), Item(f"{number}-{count}")))
            except StoreAway:
                return
            accepted.append(f"{number}-{count}")

    with started(home) as server:
        async with opened(home) as (client, lanes):
            await client.config_set("appendfsync", sync)
            posting = [asyncio.create_task(post(lanes, number)) for number in range(POSTERS)]
            await asyncio.sleep(random.uniform(0.2, 0.5))
            lose_power(server, notes)
            await asyncio.gather(*posting)
    with started(home):
        async with opened(home) as (client, _):
            there = await items(client, "meeting:m")
            await client.flushall()
    return len(accepted), len(set(accepted) - there.keys())


async def test_f7_what_was_accepted_survives_a_loss_of_power(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = note_syncs(tmp_path, monkeypatch)

    accepted, lost = await accepted_before_power_went(home, notes, "always")

    assert accepted > 50
    assert lost == 0


async def test_f7_without_a_sync_at_each_write_it_does_not(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: this test can see a loss."""
    notes = note_syncs(tmp_path, monkeypatch)

    _, lost = await accepted_before_power_went(home, notes, "no")

    assert lost > 0


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_f7_fifty_losses_of_power(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = note_syncs(tmp_path, monkeypatch)

    runs = [await accepted_before_power_went(home, notes, "always") for _ in range(50)]

    accepted, lost = (sum(figures) for figures in zip(*runs, strict=True))
    print(f"\n[F7] {accepted} accepted over 50 losses of power, {lost} lost")
    assert lost == 0


async def work_for_a_while(lanes: Lanes) -> None:
    """Each item goes from its lane to the outbox, in one commit."""
    for number in range(60):
        await lanes.post(Post(lane_of("acme"), Item(f"i{number}")))
        if number % 3 == 2:
            for claimed in await claim(lanes):
                ids = [item.id for item in claimed.items]
                posts = [Post(OUTBOX, Item(id_)) for id_ in ids]
                await lanes.commit(claimed, Unit(handled=ids, posts=posts))


async def mismatches_after_cuts(home: Settings, tmp_path: Path, cuts: int) -> int:
    """Cut the file at random bytes, load it, and count where lane and outbox disagree."""
    with started(home):
        async with opened(home) as (_, lanes):
            await work_for_a_while(lanes)
    dice, wrong = random.Random(1), 0
    for number in range(cuts):
        cut = Settings(data_dir=tmp_path / f"cut{number}")
        shutil.copytree(embedded.home_of(home.data_dir), embedded.home_of(cut.data_dir))
        [file] = (embedded.home_of(cut.data_dir) / "appendonlydir").glob("*.incr.aof")
        os.truncate(file, dice.randrange(file.stat().st_size))
        with started(cut):
            async with opened(cut) as (client, _):
                left = await items(client, "meeting:m")
                moved = await items(client, OUTBOX.name)
        known = {int(name[1:]) for name in (left | moved)}
        wrong += known != set(range(len(known))) or (left & moved).total() > 0
        shutil.rmtree(cut.data_dir)
    return wrong


async def test_f8_a_file_cut_anywhere_loads_and_agrees_with_itself(
    home: Settings, tmp_path: Path
) -> None:
    assert await mismatches_after_cuts(home, tmp_path, 12) == 0


@pytest.mark.full
@pytest.mark.timeout(1800)
async def test_f8_a_thousand_cuts(home: Settings, tmp_path: Path) -> None:
    wrong = await mismatches_after_cuts(home, tmp_path, 1000)

    print(f"\n[F8] 1000 cuts at random bytes, {wrong} mismatches")
    assert wrong == 0
