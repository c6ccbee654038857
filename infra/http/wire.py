"""What came back, or is it surely not sent, or maybe done? One call over HTTP, face httpx.

The types are httpx's; the pool under them is aiohttp's, which carried five times as many calls as
httpx's own at 64 connections. One deadline spans connect, headers and body; the body is bounded and
never decoded; nothing follows a redirect, keeps a cookie or reads a proxy from the environment.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import aiohttp
import httpx
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from typing_extensions import override
from yarl import URL

from infra.errors import NotSent, Refused, Unknown
from infra.http.counting import Count, counted
from infra.http.guard import Guard
from infra.http.names import LookUp, Names
from infra.points import point
from infra.settings import Settings

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.connector import AddrInfoType, Connection

DEADLINE: Final = timedelta(seconds=20)  # ENGINE 11: shorter than a lease and its takeover
IDLE: Final = timedelta(seconds=15)  # shorter than servers keep idle lines: fewer lost POSTs
NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None)
PROVIDER_BODY: Final = 8 * 1024 * 1024  # a page of 2,500 Google events
PARTNER_BODY: Final = 64 * 1024
PLACES: Final = 4096  # addresses of which a wire knows that their text is in order
_FRAMING: Final = frozenset(
    {"content-length", "transfer-encoding", "accept-encoding", "connection"}
)
_CODING: Final = b"content-encoding"
_AUTO: Final = ("User-Agent", "Content-Type", "Accept", "Accept-Encoding")


@dataclass(frozen=True, slots=True)
class Timing:
    """How an answered call spent its time, from its start: a kept line is there at once."""

    connect: timedelta
    first_byte: timedelta


@dataclass(slots=True)
class _Exchange:
    """How far one call got: nothing of it is on the line before `begun`."""

    send_by: float | None
    lines: int = 0
    begun: bool = False
    started: float = field(default_factory=time.monotonic)
    connected: float = 0
    """When there was a line, on the monotonic clock."""

    def timing(self) -> Timing:
        """To be asked when the answer has begun."""
        return Timing(
            timedelta(seconds=self.connected - self.started),
            timedelta(seconds=time.monotonic() - self.started),
        )

    def begin(self) -> None:
        # aiohttp repeats idempotent calls once when a kept line turns out to be dead; the first
        # line may have carried them, so a second is never "surely not sent".
        if self.lines <= 1:
            self.begun = False
            if self.send_by is not None and time.monotonic() > self.send_by:
                raise NotSent("too late: an answer could come after its quarantine")
        self.begun = True


_exchange: ContextVar[_Exchange] = ContextVar("exchange")


class _Request(ClientRequest):
    """A request that is not written late: a connection may have been waited for (ENGINE 26)."""

    @override
    async def send(self, conn: Connection) -> ClientResponse:
        exchange = _exchange.get()
        exchange.lines += 1
        exchange.connected = time.monotonic()
        exchange.begin()
        return await super().send(conn)

    @override
    async def write_bytes(
        self,
        writer: AbstractStreamWriter,
        conn: Connection,
        content_length: int | None = None,
    ) -> None:
        # A body is written by a task of its own, one turn of the loop after `send`; the headers
        # wait for it. This is the last moment before the first byte.
        try:
            _exchange.get().begin()
        except NotSent as error:
            if conn.protocol is not None:
                conn.protocol.set_exception(error)
            return
        await super().write_bytes(writer, conn, content_length)


class Wire(httpx.AsyncBaseTransport):
    """A pool of connections. Make it inside the running loop; `await wire.aclose()` when done."""

    def __init__(
        self,
        *,
        guard: Guard | None = None,
        max_body: int = PROVIDER_BODY,
        per_host: int = 64,
        look_up: LookUp | None = None,
        tls: ssl.SSLContext | None = None,
        count: Count | None = None,
    ) -> None:
        self._count = count
        self._guard = guard
        self._max_body = max_body
        self._names = Names(guard, look_up)
        self._place = lru_cache(maxsize=PLACES)(self._check_place)
        connector = aiohttp.TCPConnector(
            resolver=self._names,
            use_dns_cache=guard is None,  # a guarded name is asked for every connection
            limit=0,
            limit_per_host=per_host,
            keepalive_timeout=IDLE.total_seconds(),
            ssl=tls or True,
            socket_factory=self._socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            timeout=NO_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AUTO,
            trust_env=False,
        )

    @classmethod
    def to_providers(cls, count: Count | None = None) -> Wire:
        """Base URLs that the operator or the product chose: no guard."""
        return cls(count=count)

    @classmethod
    def to_partners(cls, settings: Settings, count: Count | None = None) -> Wire:
        """Addresses that strangers chose: guarded, and little is read of what they answer."""
        return cls(guard=Guard.of(settings), max_body=PARTNER_BODY, per_host=16, count=count)

    async def send(
        self,
        request: httpx.Request,
        *,
        name: str = "",
        deadline: timedelta = DEADLINE,
        send_by: float | None = None,
        max_body: int | None = None,
    ) -> httpx.Response:
        """Make one call and read its whole answer, whatever its status; redirects are answers.

        `name` is its point (default "http.<method>"); `deadline` spans everything; `send_by`, on
        the monotonic clock, is when the first byte must have been written. A body longer than
        `max_body` is cut, and `extensions["cut"]` says so; a coding that was sent although we asked
        for none stays as it is, named in `extensions["coding"]`; `extensions["timing"]` is how the
        time was spent.
        Raises NotSent (surely), Unknown (maybe done), Refused (an address that we may not call).
        """
        name = name or f"http.{request.method.lower()}"
        limit = self._max_body if max_body is None else max_body
        with counted(self._count, name) as came:
            answer = await self._sent(request, _Exchange(send_by), name, (deadline, limit))
            came.append(answer.status_code)
        return answer

    async def _sent(
        self, request: httpx.Request, exchange: _Exchange, name: str, most: tuple[timedelta, int]
    ) -> httpx.Response:
        deadline, limit = most
        place = self._place(str(request.url))
        await request.aread()
        async with point(name):
            held = _exchange.set(exchange)
            try:
                async with asyncio.timeout(deadline.total_seconds()):
                    return await self._exchanged(request, place, limit, exchange)
            # Not chained: aiohttp's errors carry whole URLs and headers, where secrets travel.
            except aiohttp.InvalidURL:
                words = f"{request.url.host} is not an address that we can call."
                raise Refused(words) from None
            except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
                failed = Unknown if exchange.begun else NotSent
                raise failed(_words(request, error)) from None
            finally:
                _exchange.reset(held)

    def _check_place(self, url: str) -> URL:
        """Where a call goes, if its text alone does not forbid it. Raises Refused."""
        if self._guard is not None:
            self._guard.check_url(httpx.URL(url))
        return URL(url, encoded=True)

    async def _exchanged(
        self, request: httpx.Request, place: URL, limit: int, exchange: _Exchange
    ) -> httpx.Response:
        async with self._session.request(
            request.method,
            place,
            headers=_headers(request),
            data=request.content or None,
            allow_redirects=False,
        ) as answer:
            timing = exchange.timing()
            body, cut = await _read(answer, limit)
            coding = answer.headers.get("Content-Encoding", "identity")
            return httpx.Response(
                answer.status,
                # httpx would decode what it is given with this header, however much comes out.
                headers=[pair for pair in answer.raw_headers if pair[0].lower() != _CODING],
                content=body,
                request=request,
                extensions={"cut": cut, "coding": coding, "timing": timing},
            )

    def _socket(self, place: AddrInfoType) -> socket.socket:
        """The last wall, just before connecting: whatever was resolved, this is where it goes."""
        family, kind, proto, _, address = place
        if self._guard is not None:
            try:
                self._guard.check("This name", int(address[1]), ip_address(str(address[0])))
            except Refused as refusal:
                raise PermissionError(refusal.reason) from refusal
        return socket.socket(family=family, type=kind, proto=proto)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve as the transport of an httpx.AsyncClient."""
        return await self.send(request)

    @override
    async def aclose(self) -> None:
        """Close all connections; calls under way end as Unknown."""
        await self._session.close()
        await self._names.close()


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    """What the request says; of its body's framing aiohttp says it anew, from the bytes."""
    said = [
        (name.lower().decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw
    ]
    given = [pair for pair in said if pair[0] not in _FRAMING]
    if all(name != "user-agent" for name, _ in given):
        given.append(("User-Agent", "Tieline"))
    return [*given, ("Accept-Encoding", "identity")]


async def _read(answer: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > limit:
            answer.close()  # the rest is not worth a connection
            return bytes(body[:limit]), True
    return bytes(body), False


def _words(request: httpx.Request, error: Exception) -> str:
    """Which call failed and how; never its path or query, where secrets travel."""
    call = f"{request.method} {request.url.host}"
    match error:
        case TimeoutError():
            return f"{call}: no answer before the deadline"
        case aiohttp.ClientConnectorError():
            return f"{call}: {error.os_error}"
        case aiohttp.ClientResponseError():  # its text holds the URL
            return f"{call}: {error.message}"
        case _:
            return f"{call}: {type(error).__name__}: {error}"
