"""What does whoever sends slowly, endlessly or nonsense take from us? A moment, and no memory."""

from __future__ import annotations

import asyncio
from itertools import repeat

import pytest

from tests.receiver.door import Door, until
from tests.receiver.served import served, talk
from tests.receiver.test_zoom import notification

HEAD = b"POST /hooks/zoom/%s.%s HTTP/1.1\r\nhost: x\r\n"


def head(door: Door) -> bytes:
    return HEAD % (door.tenant.encode(), b"n" * 32)


async def test_whoever_trickles_is_sent_away_while_others_are_heard(door: Door) -> None:
    pushed = await notification(door)
    async with served(door.app) as port:
        slow = [
            talk(port),
            talk(port, b"POST /hooks/zo"),
            talk(port, head(door), *repeat(b"x: y\r\n", 60), pause=0.2),
            talk(port, *repeat(b"\r\n", 60), pause=0.2),
            talk(port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", *repeat(b"\r\n", 60), pause=0.2),
            talk(port, head(door) + b"content-length: 50\r\n\r\n", *repeat(b"x", 60), pause=0.2),
            talk(port, head(door) + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n"),
        ]
        waiting = [asyncio.create_task(each) for each in slow]
        quick = await door.push(pushed)
        answers = await asyncio.gather(*waiting)

    assert quick.status_code == 200
    assert [answer[:12] for answer in answers] == [
        b"",
        b"",
        b"",
        b"",
        b"HTTP/1.1 404",
        b"HTTP/1.1 408",
        b"HTTP/1.1 408",
    ]


async def test_headers_without_end_are_cut_off(door: Door) -> None:
    async with served(door.app) as port:
        lines = repeat(b"x: " + b"y" * 1_000 + b"\r\n", 200)
        answer = await talk(port, head(door), *lines, b"connection: close\r\n\r\n")

    assert answer == b""


@pytest.mark.parametrize(
    "length", [b"content-length: 50000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"]
)
async def test_a_huge_body_is_refused_unread(door: Door, length: bytes) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    async with served(door.app) as port:
        answer = await talk(port, head(door) + length, *repeat(chunk, 50), pause=0.01)

    # Whoever goes on sending after the answer may lose it to a reset.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"POST /hooks/zoom/\xff HTTP/1.1\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /hooks/zoom/a HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_nonsense_gets_a_plain_answer_and_no_trace_in_the_log(
    door: Door, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(door.app) as port:
        answer = await talk(port, request_)

    assert answer[9:12] in {b"400", b"404", b"405", b"413", b""}
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_notifications_are_posted(door: Door, method: str) -> None:
    pushed = await notification(door)

    answer = await door.http.request(method, pushed.path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/hooks/", "/hooks/teams/a.b", "/hooks", "/", "/hooks/zoom"])
async def test_elsewhere_there_is_nothing(door: Door, path: str) -> None:
    assert (await door.http.post(path)).status_code == 404


async def test_who_goes_away_in_mid_body_leaves_nothing(door: Door) -> None:
    async with served(door.app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(door) + b"content-length: 50\r\n\r\n" + b"x")
        await writer.drain()
        writer.close()
        await until(lambda: door.counted("zoom", "went_away") == 1)
