"""Every process tells whether it lives, can work, and how it goes; every alarm has its figure."""

from __future__ import annotations

import httpx
import psutil
import pytest

from tests.doors.house import House
from tests.doors.play import Play, until
from tests.house.test_deploy import FIGURE, queries


async def told(address: str) -> str:
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        answer = await client.get("/metrics")
    assert answer.is_success
    return answer.text


@pytest.mark.parametrize("process", ["receiver", "api", "worker"])
async def test_every_process_tells_that_it_lives_and_can_work(house: House, process: str) -> None:
    async with httpx.AsyncClient(base_url=getattr(house, process), trust_env=False) as client:
        lives, ready = await client.get("/livez"), await client.get("/readyz")

    assert (lives.status_code, ready.status_code) == (200, 200)
    assert ready.json()["kinds_without_worker"] == []
    assert f'tieline_info{{process="{process}"}} 1.0' in await told(getattr(house, process))


async def test_the_figures_of_every_alarm_and_panel_are_told_by_a_running_installation(
    play: Play,
) -> None:
    await play.hear()
    _, zoom = await play.zoom()
    await play.ask("one", {"connection": zoom})
    await play.heard("meeting.provisioned")
    asked = {figure for query in queries() for figure in FIGURE.findall(query)}

    text = await told(play.house.worker) + await told(play.house.receiver)

    assert len(asked) == 7
    assert {figure for figure in asked if f"# TYPE {figure} " not in text} == set()
    assert 'tieline_lane_due{kind="meeting"}' in text
    assert 'tieline_provider_calls_total{operation="create",outcome="ok",provider="zoom"}' in text
    assert 'tieline_callbacks_total{outcome="delivered"}' in text
    assert play.tenant not in text


async def test_a_lane_that_needs_a_person_and_a_failing_provider_are_counted(play: Play) -> None:
    _, zoom = await play.zoom()
    await play.sandbox.fault("zoom.create", status=400, body={"code": 300, "message": "no"})

    await play.ask("one", {"connection": zoom})
    await play.meeting("one", "parked")

    failed = 'tieline_provider_calls_total{operation="create",outcome="4xx",provider="zoom"}'
    assert failed in await told(play.house.worker)


async def test_a_calendar_that_is_watched_is_counted(play: Play) -> None:
    who = await play.account("google")
    google = (await play.link(await play.client("google"), who))["connection"]
    before = psutil.Process(play.house.process("workers").pid).create_time()
    await play.api.post("/v1/calendars", {"connection": google, "provider_id": who})

    async def watched() -> bool:
        return bool(await play.sandbox.google.channels())

    assert await until(watched)
    assert "# TYPE tieline_calendars gauge" in await told(play.house.worker)
    assert psutil.Process(play.house.process("workers").pid).create_time() == before
