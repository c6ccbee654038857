"""Do notifications of the sandbox, over real HTTP, reach the lanes they are meant for?"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from infra.lanes import Lane
from infra.sandbox.client import Sandbox
from infra.sandbox.process import started
from schemas.items import Report, read_load
from tests.receiver.door import SECRET, Door, until
from tests.receiver.served import served


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with started() as sandbox:
        yield sandbox


async def test_a_change_in_a_calendar_marks_its_lane(door: Door, sandbox: Sandbox) -> None:
    calendar = await sandbox.google.add_account("host@example.com")
    tokens = await sandbox.google.sign_in(calendar)
    channel = f"channel-{secrets.token_hex(4)}"
    route, token = await door.channel(subscription=channel, resource=None)
    lane = Lane(door.tenant, "calendar", route.calendar or "")
    async with served(door.app) as port:
        told = await _watch(
            sandbox,
            calendar,
            tokens.access,
            id=channel,
            token=token,
            address=f"http://127.0.0.1:{port}/hooks/google/{door.tenant}.{route.id}",
        )
        await _until_counted(door, "google", "opened")
        await door.store.documents.put(
            door.tenant, route.model_copy(update={"rev": 1, "resource": told["resourceId"]})
        )
        await sandbox.google.add_event(calendar, title="Interview")
        await _until_counted(door, "google", "accepted")

    assert (await door.store.lanes.state(lane)).mark == 2


async def test_every_state_of_a_channel_is_a_hint_known_to_us_or_not(
    door: Door, sandbox: Sandbox
) -> None:
    """T14: who waited for a word of another service never fired. The bodies are empty."""
    calendar = await sandbox.google.add_account("host@example.com")
    tokens = await sandbox.google.sign_in(calendar)
    channel = f"channel-{secrets.token_hex(4)}"
    route, token = await door.channel(subscription=channel, resource=None)
    lane = Lane(door.tenant, "calendar", route.calendar or "")
    async with served(door.app) as port:
        address = f"http://127.0.0.1:{port}/hooks/google/{door.tenant}.{route.id}"
        await _watch(sandbox, calendar, tokens.access, id=channel, token=token, address=address)
        await _until_counted(door, "google", "opened")
        for state in ("exists", "not_exists", "a_word_to_come"):
            await sandbox.google.notify(calendar, state=state)
        await _until_counted(door, "google", "accepted", 3)

    sent = await sandbox.notifications()
    assert (await door.store.lanes.state(lane)).mark == 4
    assert {str(one["status"]) for one in sent} == {"200"}
    assert {str(one["body"]) for one in sent} == {""}


async def test_zoom_is_greeted_and_its_reports_lie_in_order(door: Door, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account("host@example.com", account_id="an-account")
    await sandbox.zoom.sign_in(host)
    lane = await door.linked("an-account")
    route = await door.app_route()
    async with served(door.app) as port:
        url = f"http://127.0.0.1:{port}/hooks/zoom/{door.tenant}.{route.id}"
        await sandbox.zoom.subscribe(url, SECRET)
        await _until_counted(door, "zoom", "greeted")
        meeting = await sandbox.zoom.add_meeting(host, topic="Interview")
        await sandbox.zoom.start_meeting(meeting.id)
        await sandbox.zoom.join_meeting(meeting.id, "Ada")
        await sandbox.zoom.end_meeting(meeting.id)
        await _until_counted(door, "zoom", "accepted", 4)

    reports = [read_load(item.body) for item in (await door.claim(lane)).items]
    assert [_event(report) for report in reports if isinstance(report, Report)] == [
        "meeting.created",
        "meeting.started",
        "meeting.participant_joined",
        "meeting.ended",
    ]
    assert (await sandbox.zoom.subscriptions())[0]["validated"]


def _event(report: Report) -> str:
    return str(orjson.loads(report.body)["event"])


async def _watch(sandbox: Sandbox, calendar: str, access: str, **body: str) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{sandbox.url}/google/calendar/v3/calendars/{calendar}/events/watch",
            headers={"authorization": f"Bearer {access}"},
            json={"type": "web_hook", **body},
        )
    return dict(answer.raise_for_status().json())


async def _until_counted(door: Door, provider: str, outcome: str, times: int = 1) -> None:
    await until(lambda: door.counted(provider, outcome) >= times)
