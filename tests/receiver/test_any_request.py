"""Can any request at all break the door? No 5xx, no exception, nothing kept without a proof."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Scope

from tests.receiver.door import Door, zoom_headers
from tests.receiver.test_zoom import again, notification

NAMES = st.sampled_from(
    [
        b"x-zm-signature",
        b"x-zm-request-timestamp",
        b"x-goog-channel-token",
        b"x-goog-channel-id",
        b"x-goog-resource-state",
        b"content-encoding",
        b"content-length",
        b"content-type",
    ]
)
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=80)), max_size=8)
PATHS = st.one_of(
    st.text(max_size=60).map(lambda rest: f"/hooks/{rest}"),
    st.tuples(st.sampled_from(["zoom", "google"]), st.text(max_size=80)).map(
        lambda parts: f"/hooks/{parts[0]}/{parts[1]}"
    ),
)
PARTS = st.lists(st.binary(max_size=2_000), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event": st.sampled_from(["meeting.started", "endpoint.url_validation", "app_deauthorized"])
        | JSON,
        "payload": st.fixed_dictionaries({}, optional={"account_id": JSON, "plainToken": JSON})
        | JSON,
    },
)
hard = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@hard
@given(path=PATHS, headers=HEADERS, parts=PARTS, method=st.sampled_from(["POST", "GET", "X"]))
async def test_any_request_is_answered_once_and_never_believed(
    door: Door, path: str, headers: list[tuple[bytes, bytes]], parts: list[bytes], method: str
) -> None:
    status = await _call(door, path, method, headers, parts)

    assert status in {404, 405, 413, 415}


@hard
@given(event=EVENTS | JSON)
async def test_anything_that_zoom_could_sign_is_answered(door: Door, event: object) -> None:
    body = json.dumps(event).encode()
    pushed = again(door, await notification(door), body)

    status = await _call(door, pushed.path, "POST", list(pushed.headers.items()), [body])

    assert status in {200, 400}


@hard
@given(body=st.binary(max_size=3_000))
async def test_any_signed_bytes_are_answered(door: Door, body: bytes) -> None:
    pushed = await notification(door)

    status = await _call(door, pushed.path, "POST", list(zoom_headers(door, body).items()), [body])

    assert status in {200, 400}


async def _call(
    door: Door, path: str, method: str, headers: list[tuple[bytes, bytes]], parts: list[bytes]
) -> int:
    """Speak ASGI to the app, as a server would that lets everything through."""
    waiting = [(part, True) for part in parts] + [(b"", False)]
    sent: list[Message] = []

    async def receive() -> Message:
        body, more = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "root_path": "",
        "query_string": b"",
        "http_version": "1.1",
    }
    await door.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return int(sent[0]["status"])
