"""Zoom's notifications: signed as the vectors say, shaped as the samples are, tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from infra.sandbox.client import Sandbox
from infra.sandbox.zoom.webhooks import sign
from tests.sandbox.inbox import Inbox, Post, answering

SECRET = "webhook-secret"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"


def handshake(post: Post) -> web.Response:
    """Answer the handshake as an app must, and all else with 204."""
    if post.json["event"] != "endpoint.url_validation":
        return web.Response(status=204)
    plain = post.json["payload"]["plainToken"]
    digest = hmac.new(SECRET.encode(), plain.encode(), hashlib.sha256).hexdigest()
    return web.json_response({"plainToken": plain, "encryptedToken": digest})


@pytest.fixture
async def subscribed(sandbox: Sandbox, inbox: Inbox, zoom: httpx.AsyncClient) -> str:
    """An app that Ada has installed hears everything."""
    return await sandbox.zoom.subscribe(inbox.url, SECRET, validate=False)


def events(inbox: Inbox) -> list[str]:
    return [post.json["event"] for post in inbox.posts]


def sample(name: str) -> dict[str, Any]:
    path = SAMPLES / "zoom" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the vendor's samples are not here: {path.name}")
    return json.loads(path.read_text())


async def made(zoom: httpx.AsyncClient, **body: object) -> dict[str, Any]:
    start = {"start_time": "2027-01-04T10:00:00Z"}
    return (await zoom.post("/users/me/meetings", json=start | body)).json()


def test_the_signature_is_that_of_the_vectors() -> None:
    path = Path(__file__).parents[1] / "machines" / "zoom_vectors.json"
    vector = json.loads(path.read_text())["zoom_signature"]

    signature = sign(vector["secret"], vector["x-zm-request-timestamp"], vector["body"].encode())

    assert signature == vector["x-zm-signature"]


async def test_a_notification_is_signed_over_compact_unescaped_bytes(
    subscribed: str, inbox: Inbox, zoom: httpx.AsyncClient
) -> None:
    await made(zoom, topic="Café 🚒")

    post = (await inbox.has(1))[0]

    timestamp = post.headers["x-zm-request-timestamp"]
    message = b"v0:" + timestamp.encode() + b":" + post.body
    wanted = "v0=" + hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    assert post.headers["x-zm-signature"] == wanted
    assert "Café 🚒".encode() in post.body
    assert json.dumps(post.json, ensure_ascii=False, separators=(",", ":")).encode() == post.body


async def test_what_a_host_does_is_told_in_order(
    subscribed: str, inbox: Inbox, zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    meeting = (await made(zoom))["id"]
    await zoom.patch(f"/meetings/{meeting}", json={"topic": "new"})
    await sandbox.zoom.start_meeting(meeting)
    guest = await sandbox.zoom.join_meeting(meeting, "Bob")
    await sandbox.zoom.leave_meeting(meeting, guest)
    await sandbox.zoom.end_meeting(meeting)
    await zoom.delete(f"/meetings/{meeting}")

    posts = await inbox.has(7)

    assert events(inbox) == [
        "meeting.created",
        "meeting.updated",
        "meeting.started",
        "meeting.participant_joined",
        "meeting.participant_left",
        "meeting.ended",
        "meeting.deleted",
    ]
    ids = [type(post.json["payload"]["object"]["id"]) for post in posts]
    assert ids == [int, int, str, str, str, str, int]
    assert posts[1].json["payload"]["object"] == {"id": meeting, "topic": "new"}
    assert posts[1].json["payload"]["old_object"] == {"id": meeting, "topic": "Zoom Meeting"}
    assert posts[6].json["payload"]["operation"] == "all"


@pytest.mark.parametrize(
    ("number", "name", "optional"),
    [
        (0, "meeting.created", {"pmi", "occurrences", "recurrence"}),
        (2, "meeting.started", set()),
        (3, "meeting.participant_joined", set()),
        (4, "meeting.participant_left", set()),
        (5, "meeting.ended", set()),
        (6, "meeting.deleted", set()),
    ],
)
async def test_payloads_have_the_fields_of_the_samples(
    subscribed: str,
    inbox: Inbox,
    zoom: httpx.AsyncClient,
    sandbox: Sandbox,
    number: int,
    name: str,
    optional: set[str],
) -> None:
    wanted = sample(name)
    await test_what_a_host_does_is_told_in_order(subscribed, inbox, zoom, sandbox)

    sent = inbox.posts[number].json

    assert sent["event"] == name
    assert set(sent) == set(wanted)
    assert set(wanted["payload"]) == set(sent["payload"])
    assert set(wanted["payload"]["object"]) - optional <= set(sent["payload"]["object"])


async def test_the_handshake_is_sent_at_subscribing_and_every_72_hours(
    inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    inbox.answer = handshake
    await sandbox.zoom.subscribe(inbox.url, SECRET)
    await inbox.has(1)
    await sandbox.settled()
    first = await sandbox.zoom.subscriptions()
    await sandbox.advance(timedelta(hours=72, seconds=1))
    await inbox.has(2)

    assert first[0]["validated"]
    assert events(inbox) == ["endpoint.url_validation"] * 2
    assert set(inbox.posts[0].json) == {"event", "event_ts", "payload"}
    assert "x-zm-signature" in {key.lower() for key in inbox.posts[0].headers}


async def test_an_endpoint_that_fails_six_handshakes_is_disabled(
    subscribed: str, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    for _ in range(6):
        await sandbox.zoom.validate(subscribed)
    await sandbox.settled()

    await sandbox.zoom.add_meeting(host, topic="unheard")
    await sandbox.settled()

    assert (await sandbox.zoom.subscriptions())[0]["disabled"]
    assert set(events(inbox)) == {"endpoint.url_validation"}


async def test_a_lost_notification_is_tried_after_5_20_and_60_minutes_and_then_lost(
    subscribed: str, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    inbox.answer = answering(*[500] * 9)
    await sandbox.zoom.add_meeting(host, topic="x")
    await inbox.has(1)
    await sandbox.settled()

    counts = []
    for minutes in (4, 1, 20, 60, 600):
        await sandbox.advance(timedelta(minutes=minutes, milliseconds=1))
        await sandbox.settled()
        counts.append(len(inbox.posts))

    assert counts == [1, 2, 3, 4, 4]
    assert len({post.body for post in inbox.posts}) == 1
    assert (await sandbox.fates())["zoom.lost"] == 1


async def test_an_app_that_nobody_installed_hears_nothing(inbox: Inbox, sandbox: Sandbox) -> None:
    stranger = await sandbox.zoom.add_account("eve@example.org")
    await sandbox.zoom.subscribe(inbox.url, SECRET, validate=False)

    await sandbox.zoom.add_meeting(stranger, topic="private")
    await sandbox.settled()

    assert inbox.posts == []


async def test_removing_the_app_ends_grants_and_is_told(
    subscribed: str, inbox: Inbox, sandbox: Sandbox, zoom: httpx.AsyncClient, host: str
) -> None:
    await sandbox.zoom.uninstall(host)

    post = (await inbox.has(1))[0]

    assert post.json["event"] == "app_deauthorized"
    assert post.json["payload"]["user_id"] == host
    assert (await zoom.get("/users/me")).status_code == 401


async def test_a_single_occurrence_is_told_as_such(
    subscribed: str, inbox: Inbox, zoom: httpx.AsyncClient
) -> None:
    rule = {"type": 1, "end_times": 2}
    meeting = await made(zoom, type=8, recurrence=rule)
    query = {"occurrence_id": meeting["occurrences"][0]["occurrence_id"]}

    await zoom.delete(f"/meetings/{meeting['id']}", params=query)

    payload = (await inbox.has(2))[1].json["payload"]
    assert payload["operation"] == "single"
    assert len(payload["object"]["occurrences"]) == 1


async def test_stamps_are_the_machines_time_even_when_the_sandbox_is_ahead(
    subscribed: str, inbox: Inbox, sandbox: Sandbox, host: str
) -> None:
    await sandbox.advance(timedelta(days=10))
    await sandbox.zoom.add_meeting(host, topic="wall")
    await inbox.has(1)
    await sandbox.manners("zoom", stamp="sandbox")
    await sandbox.zoom.add_meeting(host, topic="sandbox")
    await inbox.has(2)

    stamps = [int(post.headers["x-zm-request-timestamp"]) for post in inbox.posts]

    assert stamps[1] - stamps[0] > 9 * 86_400
