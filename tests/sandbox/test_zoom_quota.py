"""Zoom's limits: a hundred writes a day and host, and so many calls a second."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx

from infra.sandbox.client import Sandbox

DAILY = (
    "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted "
    "for this particular user. You may resume these requests at GMT 00:00:00."
)


async def test_the_hundred_and_first_write_of_a_day_is_refused_until_midnight_utc(
    zoom: httpx.AsyncClient, sandbox: Sandbox, host: str
) -> None:
    await sandbox.zoom.use_writes(host, 99)
    created = await zoom.post("/users/me/meetings", json={"topic": "the hundredth"})
    path = f"/meetings/{created.json()['id']}"

    refused = await zoom.patch(path, json={"topic": "x"})
    read = await zoom.get(path)
    now = await sandbox.now()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=1)
    await sandbox.advance(midnight - now)
    tokens = await sandbox.zoom.sign_in(host)
    zoom.headers["Authorization"] = f"Bearer {tokens.access}"
    allowed = await zoom.patch(path, json={"topic": "x"})

    assert created.status_code == 201
    assert refused.status_code == 429
    assert refused.json() == {"code": 429, "message": DAILY}
    assert "retry-after" not in refused.headers
    assert "x-ratelimit-type" not in refused.headers
    assert read.status_code == 200
    assert allowed.status_code == 204


async def test_a_refused_write_changes_nothing(
    zoom: httpx.AsyncClient, sandbox: Sandbox, host: str
) -> None:
    await sandbox.zoom.use_writes(host, 100)

    await zoom.post("/users/me/meetings", json={"topic": "x"})

    assert await sandbox.zoom.meetings(host) == []


async def test_headers_tell_what_is_left_of_a_second(zoom: httpx.AsyncClient) -> None:
    answer = await zoom.get("/users/me")

    assert answer.headers["x-ratelimit-category"] == "Light"
    assert answer.headers["x-ratelimit-limit"] == "30"
    assert int(answer.headers["x-ratelimit-remaining"]) < 30


async def test_calls_a_second_are_limited_when_set(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.zoom.settings(qps=True)

    refused: list[httpx.Response] = []
    for _ in range(10):  # a busy machine may spread one crowd over several seconds
        answers = await asyncio.gather(*(zoom.get("/users/me") for _ in range(150)))
        refused += [answer for answer in answers if answer.status_code == 429]
        if refused:
            break

    assert refused
    assert refused[0].json()["message"].startswith("You have reached the maximum per-second")
    assert refused[0].headers["x-ratelimit-type"] == "QPS"
