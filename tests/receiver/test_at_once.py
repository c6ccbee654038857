"""Is what comes whole, when all is at hand, answered as ever, only without a task for it?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.receiver import test_google, test_zoom
from tests.receiver.door import SECRET, Door, Pushed, zoom_body
from tests.receiver.served import served, talk

Make = Callable[[Door], Awaitable[Pushed]]


def scope(pushed: Pushed) -> dict[str, Any]:
    """The request as the server hands it over."""
    return {
        "type": "http",
        "method": "POST",
        "path": pushed.path,
        "query_string": b"",
        "headers": list(pushed.headers.items()),
    }


def request(pushed: Pushed, *more: bytes) -> bytes:
    """The request as it travels."""
    headers = [b"%s: %s" % header for header in pushed.headers.items()]
    lines = [b"POST %s HTTP/1.1" % pushed.path.encode(), b"host: x", *headers, *more]
    length = b"content-length: %d" % len(pushed.body)
    return b"\r\n".join([*lines, length, b"", pushed.body])


async def foreign(door: Door) -> Pushed:
    """Signed by somebody else."""
    return await test_zoom.notification(door, secret="another's", known=(SECRET,))


async def nowhere(door: Door) -> Pushed:
    """To an address that does not exist."""
    return (await test_zoom.notification(door)).to(f"/hooks/zoom/{door.tenant}.{'n' * 32}")


async def unneeded(door: Door) -> Pushed:
    """An event that nobody waits for."""
    return await test_zoom.notification(door, zoom_body("account", "user.created"))


@pytest.mark.parametrize(
    "make", [test_zoom.notification, test_google.notification, foreign, nowhere, unneeded]
)
async def test_what_is_known_is_answered_at_once_with_the_same_words(
    door: Door, make: Make
) -> None:
    pushed = await make(door)
    unknown = door.app.at_once(scope(pushed), pushed.body)
    slowly = await door.push(pushed)

    promise = door.app.at_once(scope(pushed), pushed.body)

    assert promise is not None
    await promise.kept
    reply = promise.conclude()
    assert unknown is None
    assert (reply.status, reply.body) == (slowly.status_code, slowly.content)
    assert {name.decode(): value.decode() for name, value in reply.headers} == dict(slowly.headers)


async def test_a_report_that_was_answered_at_once_is_kept(door: Door) -> None:
    pushed = await test_zoom.notification(door)
    account = test_zoom.again(door, pushed, pushed.body.replace(b"started", b"ended"))
    await door.push(pushed)

    promise = door.app.at_once(scope(account), account.body)

    assert promise is not None
    await promise.kept
    assert promise.conclude().status == 200
    assert await door.items(pushed) == 2
    assert door.counted("zoom", "accepted") == 2


async def test_what_is_not_plain_is_left_to_the_app(door: Door) -> None:
    pushed = await test_zoom.notification(door)
    await door.push(pushed)
    encoded = pushed.with_header(b"content-encoding", b"gzip")
    large = b"x" * (256 * 1024 + 1)
    got = scope(pushed) | {"method": "GET"}

    assert door.app.at_once(scope(encoded), encoded.body) is None
    assert door.app.at_once(scope(pushed), large) is None
    assert door.app.at_once(got, pushed.body) is None
    door.pressed = True
    assert door.app.at_once(scope(pushed), pushed.body) is None
    assert await door.items(pushed) == 1


async def test_answers_keep_the_order_of_requests_that_came_together(door: Door) -> None:
    pushed = await test_zoom.notification(door)
    strange = pushed.with_header(b"x-zm-signature", b"v0=00")
    await door.push(pushed)
    async with served(door.app) as port:
        together = request(pushed) + request(strange) + request(pushed, b"connection: close")
        answers = await talk(port, together)

    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]
    assert answers.count(b"connection: close") == 1
    assert answers.count(b"date: ") == 3


async def test_a_body_may_come_behind_its_head_or_wait_for_a_word(door: Door) -> None:
    pushed = await test_zoom.notification(door)
    await door.push(pushed)
    whole = request(pushed, b"expect: 100-continue", b"connection: close")
    head, _, body = whole.partition(b"\r\n\r\n")
    async with served(door.app) as port:
        answer = await talk(port, head + b"\r\n\r\n", body, pause=0.05)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
