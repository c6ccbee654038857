"""A callback and a change of a meeting ask no more than they did: see tests/bench/budget.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette

from infra import valkey
from infra.lanes import Claimed, Kind
from infra.sandbox.client import Sandbox
from infra.settings import Settings
from schemas.people import Scope
from tests.bench.budget import spent, strays
from tests.machines.peer import peer
from tests.workers.doors import partner
from tests.workers.hearing import OK
from tests.workers.stage import Stage
from tests.workers.test_granted import give
from tests.workers.test_places import standing
from workers.jobs.fire_callbacks import fire_callback
from workers.jobs.provision_meetings import provision_meeting
from workers.runtime import Handler

TIMES = 10


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = valkey.connect(settings)
    yield client
    await client.aclose()


async def work_one(stage: Stage, kind: Kind, handler: Handler) -> None:
    """Claim one lane, handle it and commit, as a hand does."""
    lanes = stage.runtime.store.lanes
    claimed: list[Claimed] = await lanes.claim(kind, 1, empty=False)
    await lanes.commit(claimed[0], await handler(claimed[0], stage.runtime))


async def test_a_callback_stays_within_its_budget(stage: Stage, client: Redis) -> None:
    async with peer(OK) as there:
        await stage.endpoint(f"http://127.0.0.1:{there.port}/callbacks")
        for _ in range(TIMES + 1):
            await stage.announce(await stage.meeting())

        async def deliver() -> None:
            await work_one(stage, "callback", fire_callback)

        await deliver()

        assert strays("callback", await spent(client, deliver, TIMES)) == []


async def test_an_announcement_stays_within_its_budget(stage: Stage, client: Redis) -> None:
    """Where a grant was given, and where none was: there it asks for nothing more."""
    await stage.endpoint("http://127.0.0.1:9/callbacks")
    meeting = await standing(stage)

    async def announce() -> None:
        await stage.announce(meeting)

    await announce()
    found = {"announcement": await spent(client, announce, TIMES)}
    await give(stage, "app_2", "connection", "con_1")
    await announce()
    found["announcement_by_grant"] = await spent(client, announce, TIMES)

    assert [line for what, spending in found.items() for line in strays(what, spending)] == []


async def test_a_moved_meeting_stays_within_its_budget(
    app: Starlette, stage: Stage, sandbox: Sandbox, client: Redis
) -> None:
    zoom = await stage.link(sandbox)
    http, _ = await partner(app, stage, Scope.MEETINGS, Scope.MANAGE)
    starts = stage.runtime.now() + timedelta(days=2)

    async def ask(hours: int) -> None:
        begin = starts + timedelta(hours=hours)
        wish: dict[str, Any] = {
            "title": "Interview",
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=1)).isoformat(),
            "timezone": "UTC",
            "conferencing": {"connection": zoom.id},
        }
        path = "/v1/meetings/moved"
        there = await http.get(path)
        headers = {"if-match": there.headers["etag"]} if there.status_code == 200 else {}
        answer = await http.put(path, json=wish, headers=headers)
        assert answer.is_success, answer.text

    async def change() -> None:
        await work_one(stage, "meeting", provision_meeting)

    async def moved(hours: int) -> dict[str, float]:
        await ask(hours)
        before = (await sandbox.all_calls()).items()
        found = await spent(client, change, 1)
        after = await sandbox.all_calls()
        calls = sum(after.values()) - sum(count for _, count in before)
        return {**found, "provider_calls": calls}

    await ask(0)
    await change()

    # What else the app writes now and then, such as when a key was last used, may fall into one.
    found = min([await moved(hours) for hours in (1, 2, 3)], key=lambda one: one["commands"])

    assert strays("moved_meeting", found) == []
