"""Does the wire tell "surely not sent" from "maybe done", and never wait or read without bound?"""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest

from infra import points
from infra.errors import NotSent, Refused, Unknown
from infra.http.guard import Guard
from infra.http.wire import Wire
from infra.points import Fault
from infra.settings import Settings
from tests.machines.peer import Play, drips, hangs, peer, resets, says

SHORT = timedelta(seconds=0.5)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.aclose()


@pytest.fixture
def disarmed() -> Iterator[None]:
    yield
    points.arm()


def post(url: str, body: bytes = b'{"a":1}') -> httpx.Request:
    return httpx.Request("POST", url, content=body, headers={"X-Kind": "test"})


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def test_a_call_is_carried_and_its_answer_read(wire: Wire) -> None:
    async with peer(says("201 Created", "X-Answer: yes\r\n", b'{"ok":true}')) as other:
        answer = await wire.send(post(other.url))

    assert (answer.status_code, answer.json()) == (201, {"ok": True})
    assert answer.headers["x-answer"] == "yes"
    assert answer.extensions["cut"] is False
    assert other.heads[0].startswith("POST /hook?secret=hunter2 HTTP/1.1\r\n")
    assert other.bodies == [b'{"a":1}']


async def test_it_asks_for_no_coding_and_sends_no_cookie_of_an_earlier_answer(wire: Wire) -> None:
    async with peer(says(headers="Set-Cookie: a=b\r\n")) as other:
        await wire.send(post(other.url))
        await wire.send(post(other.url))

    assert "Accept-Encoding: identity" in other.heads[1]
    assert "cookie" not in other.heads[1].lower()


async def test_a_line_is_kept_and_used_again(wire: Wire) -> None:
    async with peer(says()) as other:
        for _ in range(3):
            await wire.send(post(other.url))

    assert (other.lines, len(other.bodies)) == (1, 3)


async def test_no_more_lines_are_opened_than_a_host_may_have() -> None:
    wire = Wire(per_host=2)
    async with peer(says()) as other:
        await asyncio.gather(*(wire.send(post(other.url)) for _ in range(10)))
        await wire.aclose()

    assert (other.lines, len(other.bodies)) == (2, 10)


async def test_a_closed_port_is_surely_not_sent(wire: Wire) -> None:
    with pytest.raises(NotSent, match=r"POST 127\.0\.0\.1"):
        await wire.send(post(f"http://127.0.0.1:{closed_port()}/"))


async def test_a_name_without_address_is_surely_not_sent() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError(f"{host} is unknown")

    wire = Wire(look_up=nowhere)
    with pytest.raises(NotSent, match="is unknown"):
        await wire.send(post("https://partner.example/"))
    await wire.aclose()


async def test_a_name_that_no_host_can_have_is_surely_not_sent(wire: Wire) -> None:
    with pytest.raises(NotSent, match="is no name"):
        await wire.send(post(f"https://{'a' * 64}.example/"))


async def test_a_name_server_that_hangs_is_surely_not_sent() -> None:
    async def for_ever(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    wire = Wire(look_up=for_ever)
    with pytest.raises(NotSent, match="no answer before the deadline"):
        await wire.send(post("https://partner.example/"), deadline=SHORT)
    await wire.aclose()


async def test_a_line_cut_during_its_greeting_is_surely_not_sent(wire: Wire) -> None:
    async with peer(says(), greets=resets) as other:
        with pytest.raises(NotSent):
            await wire.send(post(f"https://127.0.0.1:{other.port}/"))


async def test_waiting_in_vain_for_a_free_line_is_surely_not_sent() -> None:
    wire = Wire(per_host=1)
    async with peer(hangs) as other:
        first = asyncio.create_task(wire.send(post(other.url), deadline=timedelta(seconds=5)))
        await other.read.wait()
        with pytest.raises(NotSent, match="no answer before the deadline"):
            await wire.send(post(other.url), deadline=timedelta(seconds=0.2))
        first.cancel()
        await asyncio.wait([first])
    await wire.aclose()

    assert len(other.bodies) == 1


async def test_a_provider_has_as_long_as_the_settings_say() -> None:
    wire = Wire.to_providers(Settings(provider_deadline_s=0.2))
    async with peer(hangs) as other:
        with pytest.raises(Unknown, match="no answer before the deadline"):
            await wire.send(post(other.url))
        await wire.aclose()


@pytest.mark.parametrize(
    "how", [resets, hangs, drips, says("garbage")], ids=lambda how: how.__name__
)
async def test_whatever_goes_wrong_after_the_request_was_read_is_unknown(
    wire: Wire, how: Play
) -> None:
    async with peer(how) as other:
        with pytest.raises(Unknown, match=r"POST 127\.0\.0\.1") as caught:
            await wire.send(post(other.url), deadline=SHORT)

    assert len(other.bodies) == 1
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


async def test_a_post_on_a_kept_line_that_dies_is_unknown_and_not_repeated(wire: Wire) -> None:
    async with peer(says(), resets) as other:
        await wire.send(post(other.url))
        with pytest.raises(Unknown):
            await wire.send(post(other.url))

    assert len(other.bodies) == 2


async def test_a_body_that_ends_early_is_unknown(wire: Wire) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async with peer(half) as other:
        with pytest.raises(Unknown):
            await wire.send(post(other.url))


async def test_nothing_is_written_after_its_time(wire: Wire) -> None:
    async with peer(says()) as other:
        with pytest.raises(NotSent, match="too late"):
            await wire.send(post(other.url), send_by=time.monotonic() - 0.001)
        await wire.send(post(other.url), send_by=time.monotonic() + 5)

    assert len(other.bodies) == 1


@pytest.mark.parametrize("body", [b"", b'{"a":1}'])
async def test_nothing_is_written_late_after_waiting_for_a_line(body: bytes) -> None:
    async def slow(host: str, port: int) -> list[str]:
        await asyncio.sleep(0.3)
        return ["127.0.0.1"]

    wire = Wire(look_up=slow)
    async with peer(says()) as other:
        request = post(f"http://provider.example:{other.port}/", body)
        with pytest.raises(NotSent, match="too late"):
            await wire.send(request, send_by=time.monotonic() + 0.2)
        await wire.aclose()

    assert other.bodies == []


async def test_nothing_is_written_late_when_the_loop_stalls_before_the_first_byte() -> None:
    wire = Wire(per_host=1)
    async with peer(hangs) as other:
        first = asyncio.create_task(wire.send(post(other.url)))
        await other.read.wait()
        second = asyncio.create_task(wire.send(post(other.url), send_by=time.monotonic() + 0.1))
        await asyncio.sleep(0)  # it waits for the only line
        first.cancel()
        time.sleep(0.2)  # noqa: ASYNC251  this is the stall

        with pytest.raises(NotSent, match="too late"):
            await second
    await wire.aclose()

    assert len(other.bodies) == 1


async def test_a_redirect_is_an_answer_and_is_not_followed(wire: Wire) -> None:
    async with peer(says("302 Found", "Location: /elsewhere\r\n"), says()) as other:
        answer = await wire.send(post(other.url))

    assert (answer.status_code, len(other.bodies)) == (302, 1)


async def test_a_long_body_is_cut_and_says_so() -> None:
    wire = Wire(max_body=1000)
    async with peer(says(body=b"x" * 1_000_000)) as other:
        answer = await wire.send(post(other.url))
        shorter = await wire.send(post(other.url), max_body=10)
    await wire.aclose()

    assert (len(answer.content), answer.extensions["cut"]) == (1000, True)
    assert (len(shorter.content), shorter.extensions["cut"]) == (10, True)


async def test_a_gzip_bomb_stays_packed(wire: Wire) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    async with peer(says(headers="Content-Encoding: gzip\r\n", body=bomb)) as other:
        answer = await wire.send(post(other.url))

    assert answer.content == bomb
    assert answer.extensions["coding"] == "gzip"
    assert "content-encoding" not in answer.headers


async def test_headers_without_end_are_not_read_to_the_end(wire: Wire) -> None:
    async def boasts(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"X-More: " + b"x" * 5000 + b"\r\n")
            await writer.drain()

    async with peer(boasts) as other:
        with pytest.raises(Unknown):
            await wire.send(post(other.url))


async def test_header_bytes_that_are_not_ascii_are_only_bytes(wire: Wire) -> None:
    async def strange(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\r\nContent-Length: 0\r\n\r\n")

    async with peer(strange) as other:
        answer = await wire.send(post(other.url))

    assert answer.status_code == 200


async def test_a_proxy_of_the_environment_is_not_used(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with peer(says()) as proxy, peer(says()) as other:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        await wire.send(post(other.url))

    assert (proxy.lines, other.lines) == (0, 1)


async def test_a_cancelled_call_frees_its_line() -> None:
    wire = Wire(per_host=1)
    async with peer(hangs, says()) as other:
        first = asyncio.create_task(wire.send(post(other.url)))
        await other.read.wait()
        first.cancel()
        await asyncio.wait([first])

        answer = await wire.send(post(other.url), deadline=timedelta(seconds=5))
    await wire.aclose()

    assert first.cancelled()
    assert answer.status_code == 200


@pytest.mark.parametrize(("when", "error", "read"), [("before", NotSent, 0), ("after", Unknown, 1)])
@pytest.mark.usefixtures("disarmed")
async def test_every_call_passes_its_point(
    wire: Wire, when: str, error: type[Exception], read: int
) -> None:
    points.arm(Fault.model_validate({"point": "zoom.create", "when": when, "do": "cut"}))
    async with peer(says()) as other:
        with pytest.raises(error):
            await wire.send(post(other.url), name="zoom.create")

    assert len(other.bodies) == read


async def test_a_host_that_is_no_host_is_refused(wire: Wire) -> None:
    with pytest.raises(Refused):
        await wire.send(post("http://127.1/"))


async def test_a_guarded_wire_calls_this_host_only_where_that_is_allowed() -> None:
    open_wire = Wire(guard=Guard(loopback=True))
    closed_wire = Wire(guard=Guard())
    async with peer(says()) as other:
        answer = await open_wire.send(post(other.url))
        by_name = await open_wire.send(post(f"http://localhost:{other.port}/"))
        with pytest.raises(Refused, match="must begin with https"):
            await closed_wire.send(post(other.url))
    await open_wire.aclose()
    await closed_wire.aclose()

    assert (answer.status_code, by_name.status_code) == (200, 200)
    assert other.lines == 2
