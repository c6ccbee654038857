"""Channels through Google's own client: what is pushed, again, and after stopping."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.sandbox.client import Sandbox
from tests.sandbox.google import Google, event
from tests.sandbox.inbox import Inbox, answering


async def watched(google: Google, calendar: str, inbox: Inbox, **more: object) -> dict[str, Any]:
    body = {"id": "c1", "type": "web_hook", "address": inbox.url, "token": "secret", **more}
    return await google.do(google.events.watch(calendarId=calendar, body=body))


def states(inbox: Inbox) -> list[str]:
    return [post.headers["X-Goog-Resource-State"] for post in inbox.posts]


async def test_a_channel_begins_with_sync_and_then_echoes_even_own_writes(
    google: Google, calendar: str, inbox: Inbox
) -> None:
    channel = await watched(google, calendar, inbox)
    await google.do(google.events.insert(calendarId=calendar, body=event()))

    sync, exists = await inbox.has(2)

    assert states(inbox) == ["sync", "exists"]
    assert sync.headers["X-Goog-Message-Number"] == "1"
    assert int(exists.headers["X-Goog-Message-Number"]) > 1
    assert exists.headers["X-Goog-Channel-ID"] == "c1"
    assert exists.headers["X-Goog-Channel-Token"] == "secret"
    assert exists.headers["X-Goog-Resource-ID"] == channel["resourceId"]
    assert exists.headers["X-Goog-Resource-URI"].endswith("/ada%40example.org/events?alt=json")
    assert exists.headers["X-Goog-Channel-Expiration"].endswith(" GMT")
    assert exists.headers["Content-Length"] == "0"
    assert exists.body == b""


async def test_a_channel_lives_a_week_at_most(
    google: Google, calendar: str, inbox: Inbox, sandbox: Sandbox
) -> None:
    now = (await sandbox.now()).timestamp()

    channel = await watched(google, calendar, inbox, expiration=str(int(now + 30 * 86_400) * 1000))

    assert isinstance(channel["expiration"], str)
    assert int(channel["expiration"]) / 1000 < now + 7 * 86_400 + 60


async def test_an_expired_channel_is_silent(
    google: Google, calendar: str, inbox: Inbox, sandbox: Sandbox
) -> None:
    await watched(google, calendar, inbox)
    await inbox.has(1)
    await sandbox.advance(timedelta(days=7, seconds=1))

    await sandbox.google.add_event(calendar, title="unheard")
    await sandbox.settled()

    assert states(inbox) == ["sync"]


async def test_a_channel_id_is_taken_once(google: Google, calendar: str, inbox: Inbox) -> None:
    await watched(google, calendar, inbox)
    body = {"id": "c1", "type": "web_hook", "address": inbox.url}

    again = google.events.watch(calendarId=calendar, body=body)

    assert await google.refused(again) == (400, "channelIdNotUnique")


async def test_a_stopped_channel_is_silent_and_gone(
    google: Google, calendar: str, inbox: Inbox, sandbox: Sandbox
) -> None:
    channel = await watched(google, calendar, inbox)
    body = {"id": "c1", "resourceId": channel["resourceId"]}
    stop = google.service.channels().stop(body=body)

    await google.do(stop)
    await sandbox.google.add_event(calendar, title="unheard")
    await sandbox.settled()

    assert states(inbox) == ["sync"]
    assert await google.refused(stop) == (404, "notFound")


async def test_a_stopped_channel_can_go_on_for_a_while(
    google: Google, calendar: str, inbox: Inbox, sandbox: Sandbox
) -> None:
    await sandbox.google.settings(stopped_channels_linger=2)
    channel = await watched(google, calendar, inbox)
    body = {"id": "c1", "resourceId": channel["resourceId"]}
    stop = google.service.channels().stop(body=body)

    await google.do(stop)
    await google.do(stop)
    for number in range(4):
        await sandbox.google.add_event(calendar, title=f"{number}")
    await sandbox.settled()

    assert states(inbox) == ["sync", "exists", "exists"]
    assert await google.refused(stop) == (404, "notFound")


async def test_server_errors_are_retried_and_refusals_are_not(
    google: Google, calendar: str, inbox: Inbox, sandbox: Sandbox
) -> None:
    inbox.answer = answering(204, 503, 500, 204, 404)
    await watched(google, calendar, inbox)

    await sandbox.google.add_event(calendar, title="retried")
    await inbox.has(2)
    await sandbox.settled()
    await sandbox.advance(timedelta(seconds=4))
    await inbox.has(4)
    await sandbox.google.add_event(calendar, title="refused")
    await inbox.has(5)
    await sandbox.settled()
    await sandbox.advance(timedelta(hours=1))
    await sandbox.settled()

    numbers = [post.headers["X-Goog-Message-Number"] for post in inbox.posts]
    assert len(numbers) == 5
    assert numbers[1] == numbers[2] == numbers[3] != numbers[4]


async def test_a_removed_calendar_says_not_exists(
    google: Google, calendar: str, inbox: Inbox, sandbox: Sandbox
) -> None:
    await watched(google, calendar, inbox)

    await sandbox.google.remove_calendar(calendar)

    await inbox.has(2)
    assert states(inbox) == ["sync", "not_exists"]
