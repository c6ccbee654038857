"""A notification asks no more of the store than it did: see tests/bench/budget.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from infra import valkey
from infra.settings import Settings
from tests.bench.budget import spent, strays
from tests.receiver.door import Door, Pushed, zoom_body, zoom_headers

TIMES = 20


@pytest.fixture
async def client(data_dir: Path) -> AsyncIterator[Redis]:
    client = valkey.connect(Settings(data_dir=data_dir))
    yield client
    await client.aclose()


async def test_a_report_of_zoom_stays_within_its_budget(door: Door, client: Redis) -> None:
    route = await door.app_route()
    lane = await door.linked("account")

    async def notify() -> None:
        body = zoom_body("account")
        path = f"/hooks/zoom/{door.tenant}.{route.id}"
        answer = await door.push(Pushed(path, zoom_headers(door, body), body, lane))
        assert answer.status_code == 200

    await notify()

    assert strays("report", await spent(client, notify, TIMES)) == []
    assert (await door.store.lanes.state(lane)).depth == TIMES + 1


async def test_a_hint_of_google_stays_within_its_budget(door: Door, client: Redis) -> None:
    route, token = await door.channel()
    headers = {
        "x-goog-channel-id": route.subscription or "",
        "x-goog-channel-token": token,
        "x-goog-resource-id": route.resource or "",
        "x-goog-resource-state": "exists",
        "x-goog-message-number": "7",
    }

    async def notify() -> None:
        path = f"/hooks/google/{door.tenant}.{route.id}"
        assert (await door.http.post(path, headers=headers)).status_code == 200

    await notify()

    assert strays("hint", await spent(client, notify, TIMES)) == []
