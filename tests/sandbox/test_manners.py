"""Notifications that are lost, doubled, late, reordered, held, and sent again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from infra.sandbox.client import Sandbox
from tests.sandbox.inbox import Inbox


@pytest.fixture
async def app(sandbox: Sandbox, inbox: Inbox, zoom: httpx.AsyncClient) -> None:
    await sandbox.zoom.subscribe(inbox.url, "secret", validate=False)


async def topics(inbox: Inbox, sandbox: Sandbox) -> list[str]:
    await sandbox.settled()
    return [post.json["payload"]["object"]["topic"] for post in inbox.posts]


async def test_all_can_be_lost(app: None, inbox: Inbox, sandbox: Sandbox, host: str) -> None:
    await sandbox.manners("zoom", drop=1.0)

    await sandbox.zoom.add_meeting(host, topic="a")

    assert await topics(inbox, sandbox) == []
    assert (await sandbox.fates())["zoom.dropped"] == 1


async def test_all_can_come_twice(app: None, inbox: Inbox, sandbox: Sandbox, host: str) -> None:
    await sandbox.manners("zoom", duplicate=1.0)

    await sandbox.zoom.add_meeting(host, topic="a")

    assert await topics(inbox, sandbox) == ["a", "a"]


async def test_some_come_late_in_the_sandboxs_time(
    app: None, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    await sandbox.manners("zoom", late=1.0, late_s=3_600)

    await sandbox.zoom.add_meeting(host, topic="a")
    before = await topics(inbox, sandbox)
    await sandbox.advance(timedelta(hours=1, seconds=1))

    assert before == []
    assert await topics(inbox, sandbox) == ["a"]


async def test_some_overtake_others(app: None, inbox: Inbox, sandbox: Sandbox, host: str) -> None:
    await sandbox.manners("zoom", reorder=0.5, reorder_s=60.0)
    names = [f"{number}" for number in range(10)]

    for name in names:
        await sandbox.zoom.add_meeting(host, topic=name)
    await sandbox.advance(timedelta(minutes=2))

    came = await topics(inbox, sandbox)
    assert sorted(came) == names
    assert came != names


async def test_notifications_are_held_and_let_go(
    app: None, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    await sandbox.manners("zoom", paused=True)
    await sandbox.zoom.add_meeting(host, topic="a")
    before = await topics(inbox, sandbox)

    await sandbox.manners("zoom", paused=False)

    assert before == []
    assert await topics(inbox, sandbox) == ["a"]


async def test_the_latest_can_be_sent_again(
    app: None, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    await sandbox.zoom.add_meeting(host, topic="a")
    await sandbox.zoom.add_meeting(host, topic="b")

    await sandbox.send_again("zoom", 2)

    assert sorted(await topics(inbox, sandbox)) == ["a", "a", "b", "b"]


async def test_what_was_sent_can_be_looked_up(
    app: None, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    await sandbox.zoom.add_meeting(host, topic="a")
    await sandbox.settled()

    latest = (await sandbox.notifications())[-1]

    assert (latest["label"], latest["fate"], latest["status"]) == (
        "meeting.created",
        "delivered",
        204,
    )
