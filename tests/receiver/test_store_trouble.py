"""What does a provider hear when we cannot keep what it says? 503, and never a false 2xx."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from infra import embedded, valkey
from infra.condition import watch_store
from infra.errors import StoreAway
from infra.health import health_routes
from infra.lanes import Lane, Post, Posted
from infra.lanes.posting import MOST_WAITING
from infra.seal import KeyRing
from infra.settings import Settings
from infra.store import open_store
from schemas.connections import Route
from tests.receiver import test_google, test_zoom
from tests.receiver.door import Door, Pushed, until
from tests.receiver.test_at_once import whole


@pytest.fixture
def own_settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
def server(own_settings: Settings) -> Iterator[embedded.Server]:
    server = embedded.start(own_settings.data_dir)
    assert server is not None
    yield server
    if server.alive:
        os.kill(server.process.pid, signal.SIGCONT)
        server.end()


@pytest.fixture
async def shaky(own_settings: Settings, server: embedded.Server) -> AsyncIterator[Door]:
    async with open_store(own_settings) as store:
        door = Door(store, KeyRing.fresh())
        yield door
        await door.http.aclose()


async def _both(door: Door) -> list[Pushed]:
    return [await test_google.notification(door), await test_zoom.notification(door)]


async def _statuses(door: Door, pushes: list[Pushed]) -> list[int]:
    answers = await asyncio.gather(*map(door.push, pushes))
    assert all("retry-after" in each.headers for each in answers if each.status_code == 503)
    return [answer.status_code for answer in answers]


async def test_a_store_that_died_means_503(shaky: Door, server: embedded.Server) -> None:
    pushes = await _both(shaky)
    server.process.kill()
    server.process.wait()

    assert await _statuses(shaky, pushes) == [503, 503]


async def test_a_store_that_hangs_means_503_and_then_works_again(
    shaky: Door, server: embedded.Server
) -> None:
    pushes = await _both(shaky)
    await _statuses(shaky, pushes)  # so that routes are known and the posts themselves hang
    os.kill(server.process.pid, signal.SIGSTOP)
    hung = await _statuses(shaky, pushes)
    os.kill(server.process.pid, signal.SIGCONT)

    async with asyncio.timeout(20):
        while (again := await _statuses(shaky, pushes)) != [200, 200]:
            assert set(again) <= {200, 503}
            await asyncio.sleep(0.1)

    assert hung == [503, 503]


async def test_a_store_that_hangs_means_503_for_what_is_answered_at_once_too(
    shaky: Door, server: embedded.Server
) -> None:
    pushed = await test_zoom.notification(shaky)
    await shaky.push(pushed)
    os.kill(server.process.pid, signal.SIGSTOP)
    promise = shaky.app.at_once(whole(pushed))
    assert promise is not None
    await asyncio.wait([promise.kept])
    os.kill(server.process.pid, signal.SIGCONT)

    reply = promise.conclude()

    assert (reply.status, shaky.counted("zoom", "away")) == (503, 1)
    assert (b"retry-after", b"5") in reply.headers


async def _refused(posted: Awaitable[Posted]) -> bool:
    try:
        return await posted is not Posted.NEW
    except StoreAway:
        return True


async def test_who_finds_no_room_before_a_hanging_store_is_told_and_the_room_is_given_back(
    shaky: Door, server: embedded.Server
) -> None:
    lanes, post = shaky.store.lanes, Post(Lane(shaky.tenant, "calendar", "cal_1"), mark=True)
    await lanes.post(post)
    os.kill(server.process.pid, signal.SIGSTOP)
    crowd = [lanes.post_soon(post) for _ in range(MOST_WAITING)]
    with pytest.raises(StoreAway, match=f"{MOST_WAITING} posts wait"):
        await lanes.post(post)
    os.kill(server.process.pid, signal.SIGCONT)
    await asyncio.gather(*crowd, return_exceptions=True)

    async with asyncio.timeout(20):
        while await _refused(lanes.post(post)):  # noqa: ASYNC110  a store is found in its time
            await asyncio.sleep(0.1)


async def test_a_store_above_its_memory_means_503(shaky: Door, own_settings: Settings) -> None:
    pushes = await _both(shaky)
    client = valkey.connect(own_settings)
    await client.config_set("maxmemory", "1mb")

    full = await _statuses(shaky, pushes)
    await client.config_set("maxmemory", "100mb")
    roomy = await _statuses(shaky, pushes)

    await client.aclose()
    assert (full, roomy) == ([503, 503], [200, 200])
    assert shaky.counted("zoom", "full") == 1


async def test_an_address_of_a_newer_release_waits_for_a_newer_receiver(shaky: Door) -> None:
    pushed = await test_google.notification(shaky, v=Route.version + 1)

    assert await _statuses(shaky, [pushed]) == [503]


async def test_what_got_a_2xx_survives_a_kill_of_the_store(
    shaky: Door, server: embedded.Server, own_settings: Settings
) -> None:
    pushes = [await test_zoom.notification(shaky) for _ in range(60)]
    pushing = [asyncio.create_task(shaky.push(each)) for each in pushes]
    await until(lambda: shaky.counted("zoom", "accepted") > 0)
    server.process.kill()
    server.process.wait()
    statuses = [answer.status_code for answer in await asyncio.gather(*pushing)]

    second = embedded.start(own_settings.data_dir)
    assert second is not None
    try:
        async with open_store(own_settings) as store:
            shaky.store = store
            kept = [await shaky.items(each) for each in pushes]
    finally:
        second.end()

    assert 200 in statuses
    assert set(statuses) <= {200, 503}
    lost = [k for k, status in enumerate(statuses) if status == 200 and kept[k] != 1]
    assert lost == []


async def test_readiness_tells_a_full_store_an_unsafe_and_an_absent_one(
    server: embedded.Server, own_settings: Settings
) -> None:
    async def nobody() -> list[str]:
        return ["meeting"]

    async with watch_store(own_settings) as condition:
        app = Starlette(
            routes=health_routes(condition, CollectorRegistry(), guard_percent=80, unserved=nobody)
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as http:
            well = await http.get("/readyz")
            client = valkey.connect(own_settings)
            used = (await client.info("memory"))["used_memory"]
            await client.config_set("maxmemory", int(used * 1.1))
            await condition.look()
            full = await http.get("/readyz")
            pressed = (condition.pressed(80), condition.pressed(95))
            await client.config_set("maxmemory", 2 * used)
            await client.config_set("appendonly", "no")
            await condition.look()
            unsafe = await http.get("/readyz")
            await client.aclose()
            server.process.kill()
            server.process.wait()
            away = await http.get("/readyz")
            alive = await http.get("/livez")

    assert (well.status_code, well.json()["kinds_without_worker"]) == (200, ["meeting"])
    assert (full.status_code, pressed) == (503, (True, False))
    assert "nearly full" in full.json()["because"][0]
    assert (unsafe.status_code, unsafe.json()["ready"]) == (503, False)
    assert unsafe.json()["because"] == [
        "The store keeps nothing when it restarts. Set appendonly yes."
    ]
    assert (away.status_code, away.json()["ready"], alive.status_code) == (503, False, 200)
