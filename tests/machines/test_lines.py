"""Does one line carry one answer after another, each whole, bounded and its own?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from infra.errors import NotSent, Unknown
from infra.http.wire import Wire
from tests.machines.peer import Play, hangs, peer, resets, says

SOON = timedelta(seconds=0.3)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.aclose()


def get(url: str) -> httpx.Request:
    return httpx.Request("GET", url)


def post(url: str) -> httpx.Request:
    return httpx.Request("POST", url, content=b"{}")


def writes(*parts: bytes, closes: bool = False) -> Play:
    """Sends these bytes, in pieces that arrive one after the other."""

    async def play(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        if closes:
            writer.close()

    return play


def floods(head: bytes, more: bytes) -> Play:
    """Sends `head`, and then `more` for ever."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(more)
            await writer.drain()

    return play


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-Early: yes\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nX-Answer: yes\r\n\r\nhalf and "


async def test_what_comes_before_the_answer_is_passed_over(wire: Wire) -> None:
    before = b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS
    async with peer(writes(before, OK), writes(before + OK)) as other:
        answers = [await wire.send(post(other.url)) for _ in range(2)]

    assert [(one.status_code, one.content) for one in answers] == [(200, b"ok")] * 2
    assert "x-early" not in answers[0].headers
    assert other.lines == 1


async def test_a_body_in_chunks_is_put_together_and_its_trailers_are_left_out(wire: Wire) -> None:
    chunks = (CHUNKED, b"3;x=y\r\nabc\r\n", b"1\r\nd\r\n0\r\nX-Trailer: yes\r\n", b"\r\n")
    async with peer(writes(*chunks), writes(b"".join(chunks))) as other:
        answers = [await wire.send(post(other.url)) for _ in range(2)]

    assert [one.content for one in answers] == [b"abcd"] * 2
    assert "x-trailer" not in answers[0].headers
    assert other.lines == 1


async def test_a_body_may_last_until_the_line_is_closed(wire: Wire) -> None:
    async with peer(writes(UNTIL_CLOSED, b"half", closes=True), says()) as other:
        answer = await wire.send(post(other.url))
        await wire.send(post(other.url))

    assert (answer.content, answer.headers["x-answer"]) == (b"half and half", "yes")
    assert other.lines == 2


@pytest.mark.parametrize("head", [CHUNKED + b"5\r\nhel", OK[:-1], OK[:20], b""])
async def test_one_that_is_cut_off_is_unknown(wire: Wire, head: bytes) -> None:
    async with peer(writes(head, closes=True)) as other:
        with pytest.raises(Unknown, match="closed before the answer was whole"):
            await wire.send(post(other.url))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_line_that_is_not_to_last_is_not_used_again(wire: Wire, answer: bytes) -> None:
    async with peer(writes(answer)) as other:
        for _ in range(2):
            assert (await wire.send(post(other.url))).content == b"ok"

    assert other.lines == 2


@pytest.mark.parametrize("behind", [OK.replace(b"ok", b"no"), b"\r\nno", b"\x00"])
async def test_what_stands_behind_an_answer_is_never_taken_for_the_next_one(
    wire: Wire, behind: bytes
) -> None:
    async with peer(writes(OK + behind), writes(OK)) as other:
        answers = [await wire.send(post(other.url)) for _ in range(2)]

    assert [one.content for one in answers] == [b"ok"] * 2
    assert other.lines == 2


async def test_nor_is_what_comes_while_nobody_asks(wire: Wire) -> None:
    heard = asyncio.Event()

    async def talks(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await heard.wait()
        writer.write(OK.replace(b"ok", b"no"))

    async with peer(talks, says(body=b"mine")) as other:
        await wire.send(post(other.url))
        heard.set()
        await other.until_closed(1)
        answer = await wire.send(post(other.url))

    assert answer.content == b"mine"
    assert other.lines == 2


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 4000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 4000),
        (b"", HINTS * 50),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-Trailer: " + b"x" * 4000 + b"\r\n"),
        (CHUNKED + b"1;", b"x" * 4000),
        (CHUNKED, b"1\r\nx\r\n" * 700),
    ],
    ids=["headers", "a header", "hints", "trailers", "a frame", "frames"],
)
async def test_nothing_but_a_body_is_read_without_end(wire: Wire, head: bytes, more: bytes) -> None:
    async with peer(floods(head, more)) as other:
        with pytest.raises(Unknown, match="no end of headers or frames"):
            await wire.send(post(other.url))


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -2\r\n",
    ],
)
async def test_an_answer_of_two_lengths_is_none(wire: Wire, lengths: bytes) -> None:
    async with peer(writes(b"HTTP/1.1 200 OK\r\n" + lengths + b"\r\nok")) as other:
        with pytest.raises(Unknown, match="no HTTP answer"):
            await wire.send(post(other.url))


async def test_nobody_lets_us_speak_another_protocol(wire: Wire) -> None:
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello"
    async with peer(writes(upgrade), writes(OK)) as other:
        first, second = [await wire.send(post(other.url)) for _ in range(2)]

    assert (first.status_code, first.content) == (101, b"")
    assert (second.content, other.lines) == (b"ok", 2)


async def test_a_reading_call_on_a_kept_line_that_is_dead_is_made_once_more(wire: Wire) -> None:
    async with peer(says(), resets, says(body=b"again")) as other:
        await wire.send(get(other.url))
        answer = await wire.send(get(other.url))

    assert (answer.content, other.lines) == (b"again", 2)


async def test_but_not_a_third_time(wire: Wire) -> None:
    async with peer(says(), resets) as other:
        await wire.send(get(other.url))
        with pytest.raises(Unknown):
            await wire.send(get(other.url))

    assert len(other.heads) == 3


async def test_nor_when_an_answer_had_begun(wire: Wire) -> None:
    async with peer(says(), writes(OK[:20], closes=True)) as other:
        await wire.send(get(other.url))
        with pytest.raises(Unknown):
            await wire.send(get(other.url))

    assert len(other.heads) == 2


async def test_a_line_that_is_not_needed_is_closed() -> None:
    wire = Wire(kept_for=timedelta(0))
    async with peer(says()) as other:
        await wire.send(post(other.url))
        await other.until_closed(1)
        await wire.send(post(other.url))
        await wire.aclose()

    assert other.lines == 2


async def test_another_address_of_a_name_is_tried() -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["127.0.0.3", "127.0.0.1"]

    wire = Wire(look_up=look_up)
    async with peer(says()) as other:
        answer = await wire.send(post(f"http://partner.example:{other.port}/"))
    await wire.aclose()

    assert answer.status_code == 200


async def test_a_header_cannot_become_two() -> None:
    wire = Wire()
    async with peer(says()) as other:
        for value in ("a\r\nX-Second: b", "a\nb", "a\rb"):
            with pytest.raises(ValueError, match="end of line"):
                await wire.call("POST", other.url, [("X-First", value)], b"")
    await wire.aclose()

    assert other.lines == 0


async def test_lines_under_way_are_closed_with_the_wire() -> None:
    wire = Wire()
    async with peer(hangs) as other:
        under_way = asyncio.create_task(wire.send(post(other.url)))
        await other.read.wait()
        await wire.aclose()
        with pytest.raises(Unknown, match="closed"):
            await under_way
        with pytest.raises(NotSent, match="closed"):
            await wire.send(post(other.url))


async def test_a_line_that_nobody_greets_is_given_up_at_the_deadline(wire: Wire) -> None:
    async with peer(says(), greets=hangs) as other:
        with pytest.raises(NotSent, match="no answer before the deadline"):
            await wire.send(post(f"https://127.0.0.1:{other.port}/"), deadline=SOON)

    assert other.heads == []
