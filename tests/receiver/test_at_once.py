"""Is what comes whole, when all is at hand, answered as ever, only without a task for it?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from tests.receiver import test_google, test_zoom
from tests.receiver.door import SECRET, Door, Pushed, until, zoom_body
from tests.receiver.served import served, talk
from webhooks.prompt import Promise, Reply, Whole

Make = Callable[[Door], Awaitable[Pushed]]


def whole(pushed: Pushed) -> Whole:
    """The request as the server hands it over."""
    return Whole(b"POST", pushed.path.encode(), dict(pushed.headers), pushed.body)


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
    unknown = door.app.at_once(whole(pushed))
    slowly = await door.push(pushed)

    promise = door.app.at_once(whole(pushed))

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

    promise = door.app.at_once(whole(account))

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
    got = whole(pushed)._replace(method=b"GET")
    asking = whole(pushed)._replace(target=whole(pushed).target + b"?a=b")

    assert door.app.at_once(whole(encoded)) is None
    assert door.app.at_once(whole(pushed)._replace(body=large)) is None
    assert door.app.at_once(got) is None
    assert door.app.at_once(asking) is None
    door.pressed = True
    assert door.app.at_once(whole(pushed)) is None
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


class Slow:
    """Promises an answer to whatever comes, and keeps it when the test says so."""

    def __init__(self) -> None:
        self.promised: list[asyncio.Future[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("what came whole is answered at once")

    def at_once(self, request: Whole) -> Promise:
        kept = asyncio.get_running_loop().create_future()
        self.promised.append(kept)
        body = b"%d" % len(self.promised)
        return Promise(kept, lambda: Reply(200, ((b"content-length", b"1"),), body))


class Broken(Slow):
    """Fails at one address before it promises anything."""

    @override
    def at_once(self, request: Whole) -> Promise:
        if request.target == b"/broken":
            raise RuntimeError("a defect")
        return super().at_once(request)


async def test_a_defect_costs_its_own_connection_and_no_other() -> None:
    app = Broken()
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    asked = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    async with served(app) as port:
        (one, to_one), (other, to_other) = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(2)
        ]
        for number, (reader, writer) in enumerate([(one, to_one), (other, to_other)], 1):
            writer.write(asked % b"/fine")
            await until(lambda: len(app.promised) == number)  # noqa: B023  awaited in its turn
            app.promised[-1].set_result(None)
            await reader.readuntil(b"\r\n\r\n%d" % number)
        to_one.write(asked % b"/broken")
        # No timer waits for a request any more: whoever is not hung up on waits for ever.
        rest = await asyncio.wait_for(one.read(), 10)
        to_other.write(asked % b"/fine")
        await until(lambda: len(app.promised) == 3)
        app.promised[-1].set_result(None)
        fine = await other.readuntil(b"\r\n\r\n3")
        to_one.close()
        to_other.close()

    assert rest == b""
    assert [str(error) for error in told] == ["a defect"]
    assert fine.startswith(b"HTTP/1.1 200 OK")


async def test_a_request_that_comes_while_another_is_pending_has_its_turn() -> None:
    app = Slow()
    asked = b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked % 1)
        await until(lambda: len(app.promised) == 1)
        writer.write(asked % 2)
        await asyncio.sleep(0.05)
        before = len(app.promised)
        app.promised[0].set_result(None)
        await until(lambda: len(app.promised) == 2)
        app.promised[1].set_result(None)
        answers = await reader.readuntil(b"\r\n\r\n2")
        writer.close()

    assert before == 1
    assert answers.count(b"200 OK") == 2
    assert b"\r\n\r\n1HTTP/1.1" in answers


async def test_what_was_promised_is_told_before_a_server_that_stops_hangs_up() -> None:
    app = Slow()
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        await until(lambda: len(app.promised) == 1)
        asyncio.get_running_loop().call_later(0.5, app.promised[0].set_result, None)
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer
