"""What can a partner's answer do to us? It is read to a bound and a deadline, and leads nowhere."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import resource
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from infra.errors import Unknown
from infra.http.guard import Guard
from infra.http.wire import Wire
from tests.machines.peer import Peer, drips, peer, says
from tests.security.elsewhere import Tls, Zone


@pytest.fixture
async def canary() -> AsyncIterator[Peer]:
    """Listens on this host; every address that leads here is forbidden."""
    async with peer(says()) as listener:
        yield listener
        assert (listener.lines, listener.heads) == (0, [])


async def guarded(tls: Tls, partner: Peer, deadline: dt.timedelta) -> httpx.Response:
    """One call to a partner on the second address of this host, as a worker makes it."""
    guard = Guard(networks=(ip_network("127.0.0.2/32"),), ports=frozenset({partner.port}))
    wire = Wire(guard=guard, look_up=Zone(["127.0.0.2"]), tls=tls.client, max_body=64 * 1024)
    request = httpx.Request("POST", f"https://partner.example:{partner.port}/", content=b"{}")
    try:
        return await wire.send(request, deadline=deadline)
    finally:
        await wire.aclose()


async def test_a_partner_that_drips_is_left_at_the_deadline(tmp_path: Path) -> None:
    tls, deadline = Tls(tmp_path), dt.timedelta(seconds=2)
    async with peer(drips, tls=tls.server, host="127.0.0.2") as partner:
        with pytest.raises(Unknown, match="deadline"):
            await guarded(tls, partner, deadline)


async def test_a_compression_bomb_is_neither_read_to_its_end_nor_opened(tmp_path: Path) -> None:
    """F15: at most 16 MiB of memory, and not one byte is decoded."""
    tls = Tls(tmp_path)
    bomb = gzip.compress(
        b"\x00" * 512 * 1024 * 1024, compresslevel=9
    )  # half a megabyte on the line
    coded = says("200 OK", "Content-Encoding: gzip\r\nContent-Type: text/plain\r\n", bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with peer(coded, tls=tls.server, host="127.0.0.2") as partner:
        answer = await guarded(tls, partner, dt.timedelta(seconds=30))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert len(answer.content) <= 64 * 1024
    assert answer.content == bomb[: len(answer.content)]
    assert (answer.extensions["coding"], answer.extensions["cut"]) == ("gzip", True)
    assert grown <= 16 * 1024  # KiB


async def test_an_endless_answer_is_cut_at_its_bound(tmp_path: Path) -> None:
    tls = Tls(tmp_path)

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()

    async with peer(endless, tls=tls.server, host="127.0.0.2") as partner:
        answer = await guarded(tls, partner, dt.timedelta(seconds=30))

    assert len(answer.content) == 64 * 1024
    assert answer.extensions["cut"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temp", "308 Perm"])
async def test_no_kind_of_redirect_leads_to_the_canary(
    canary: Peer, tmp_path: Path, status: str
) -> None:
    tls = Tls(tmp_path)
    away = says(status, f"Location: http://169.254.169.254/\r\nRefresh: 0; url={canary.url}\r\n")
    async with peer(away, tls=tls.server, host="127.0.0.2") as partner:
        answer = await guarded(tls, partner, dt.timedelta(seconds=10))

    assert str(answer.status_code) == status[:3]
