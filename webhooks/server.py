"""How is an app served? By uvicorn, with the patience and the limits that it lacks of itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from infra.garbage import seldom_look_for_garbage

REQUEST_WITHIN: Final = 5.0
"""Seconds from a request's first byte to its last; for a new connection from its start."""
HEADERS_AT_MOST: Final = 32 * 1024
IDLE_FOR: Final = 65  # seconds; longer than the proxies in front keep theirs, or they meet a reset
STOP_WITHIN: Final = 10  # seconds for what is under way when we are told to stop
CONNECTIONS: Final = 4096

_TOO_SLOW: Final = b"The request did not arrive in time.\n"
_408: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(_TOO_SLOW), _TOO_SLOW)
)


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that hangs up on whoever dawdles over a request, or never ends its headers.

    uvicorn 0.54 bounds neither: half a header line keeps a connection for good. A body that comes
    too slowly is answered with 408; in the app, its deadline would cost every request a timer more.
    """

    _hang_up: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    amid_request = False
    """Whether a request has begun to come and not ended."""

    @override
    def connection_made(  # type: ignore[override]  # narrower, as uvicorn's own is
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._await_request()

    @property
    def answered(self) -> bool:
        """Whether no request waits for its answer, as far as uvicorn knows."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first one
        return cycle is None or cycle.response_complete

    @override
    def data_received(self, data: bytes) -> None:
        if self._hang_up is None and self.answered:
            self._await_request()  # here too: blank lines before a request begin no message
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > HEADERS_AT_MOST:
            self.transport.abort()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.amid_request = True
        if self._hang_up is None:
            self._await_request()

    @override
    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._header_bytes = 0
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        self.amid_request = False
        self.stop_waiting()
        super().on_message_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._in_headers = True
        self._hang_up = self.loop.call_later(REQUEST_WITHIN, self._give_up)

    def stop_waiting(self) -> None:
        """The request came."""
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None

    def _give_up(self) -> None:
        self._hang_up = None
        if self._in_headers or self.cycle.response_started:
            self.transport.abort()
        else:
            self.transport.write(_408)
            self.transport.close()


def configure(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    trusted_proxies: Sequence[str] = (),
    protocol: Callable[..., PatientProtocol] = PatientProtocol,
) -> uvicorn.Config:
    """The settings of our servers. No lifespan: whoever calls `serve` opens the store first."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,  # type: ignore[arg-type]  # it calls it, whatever it is
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        limit_concurrency=CONNECTIONS,
        backlog=2048,
        timeout_keep_alive=IDLE_FOR,
        timeout_graceful_shutdown=STOP_WITHIN,
    )


async def serve(config: uvicorn.Config) -> None:
    """Serve until SIGTERM or SIGINT: accept no more, answer what is under way, and return."""
    # uvicorn raises the signal again when it is done; that would kill us before the store is left.
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGTERM, signal.SIGINT)}
    seldom_look_for_garbage()
    try:
        await uvicorn.Server(config).serve()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
