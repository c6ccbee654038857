"""How is an app served? By uvicorn, with the patience and the limits that it lacks of itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol, cast, runtime_checkable

import uvicorn
from starlette.types import ASGIApp, Scope
from typing_extensions import override
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

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


class Reply(NamedTuple):
    """An answer that is whole. Its headers say how long the body is."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


class Promise(NamedTuple):
    """What an answer waits for, and who makes the answer then."""

    kept: asyncio.Future[Any]
    conclude: Callable[[], Reply]


@runtime_checkable
class Prompt(Protocol):
    """An ASGI app that may answer what came whole without a task, a quarter of the work."""

    def at_once(self, scope: Scope, body: bytes) -> Promise | None:
        """Promise an answer; None leaves the request to the app as ASGI knows it."""
        ...


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that hangs up on whoever dawdles over a request, or never ends its headers.

    uvicorn 0.54 bounds neither: half a header line keeps a connection for good. A body that comes
    too slowly is answered with 408; in the app, its deadline would cost every request a timer more.
    """

    _hang_up: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    _reading = False
    _unstarted: RequestResponseCycle | None = None
    _prompt: Prompt | None = None

    @override
    def connection_made(  # type: ignore[override]  # narrower, as uvicorn's own is
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._prompt = self.app if isinstance(self.app, Prompt) else None
        self._await_request()

    @override
    def data_received(self, data: bytes) -> None:
        if self._hang_up is None and self.cycle.response_complete:
            self._await_request()  # here too: blank lines before a request begin no message
        if self._in_headers:
            self._header_bytes += len(data)
        self._reading = True
        super().data_received(data)
        self._reading = False
        if self._unstarted is not None:
            cycle, self._unstarted = self._unstarted, None
            self._start(cycle)
        if self._in_headers and self._header_bytes > HEADERS_AT_MOST:
            self.transport.abort()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._hang_up is None:
            self._await_request()

    @override
    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._header_bytes = 0
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if app is not self.app:  # the answer at the limit of connections
            super()._start_asgi_task(cycle, app)
        elif self._reading:
            self._unstarted = cycle  # its body may come with its head
        else:
            self._start(cycle)

    def _start(self, cycle: RequestResponseCycle) -> None:
        promise = None
        if self._prompt is not None and not (cycle.more_body or self.flow.write_paused):
            promise = self._prompt.at_once(cast("Scope", cycle.scope), bytes(cycle.body))
        if promise is None:
            super()._start_asgi_task(cycle, self.app)
        else:
            promise.kept.add_done_callback(lambda _: self._redeem(cycle, promise))

    def _redeem(self, cycle: RequestResponseCycle, promise: Promise) -> None:
        try:
            reply = promise.conclude()
        except BaseException:
            self.transport.abort()  # nobody else would; the loop logs it
            raise
        if not cycle.disconnected:
            self._tell(cycle, reply)

    def _tell(self, cycle: RequestResponseCycle, reply: Reply) -> None:
        """What uvicorn's cycle does of itself for an app that sends an answer in one piece."""
        headers = [*self.server_state.default_headers, *reply.headers]
        if not cycle.keep_alive:
            headers.append((b"connection", b"close"))
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[reply.status], *lines, b"\r\n", reply.body]))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        cycle.on_response = _nothing  # or protocol and cycle would hold each other

    def _await_request(self) -> None:
        self._in_headers = True
        self._hang_up = self.loop.call_later(REQUEST_WITHIN, self._give_up)

    def _stop_waiting(self) -> None:
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


def _nothing() -> None: ...


def configure(
    app: ASGIApp, *, host: str, port: int, trusted_proxies: Sequence[str] = ()
) -> uvicorn.Config:
    """The settings of our servers. No lifespan: whoever calls `serve` opens the store first."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PatientProtocol,
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
