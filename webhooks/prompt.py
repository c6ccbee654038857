"""How is a request that came whole answered without a task? Read, promised, and told in one write.

Most of what uvicorn does for a notification is for one that comes in pieces: a scope, a cycle,
messages of ASGI, timers. Whatever is not plain goes that way as ever, from its first byte.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import httptools
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from webhooks.server import CONNECTIONS, PatientProtocol

AT_A_TIME: Final = 16
"""Requests in one turn of the loop. With 24 or 32 a receiver stands still for longer."""

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

CLOSE: Final[Headers] = ((b"connection", b"close"),)


class Whole(NamedTuple):
    """A request as it was sent, but for the names of its headers, which are lower."""

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes


class Reply(NamedTuple):
    """An answer that is whole. Its headers say how long the body is."""

    status: int
    headers: Headers
    body: bytes


class Promise(NamedTuple):
    """What an answer waits for, and who makes the answer then."""

    kept: asyncio.Future[Any]
    conclude: Callable[[], Reply]


class Prompt(Protocol):
    """An ASGI app that may answer what came whole without a task."""

    def at_once(self, request: Whole) -> Promise | None:
        """Promise an answer; None leaves the request to the app as ASGI knows it."""
        ...


class _Heard:
    """What a parser says of one piece of data."""

    def __init__(self) -> None:
        self.begun, self.ended = 0, 0
        self.target, self.body = b"", b""
        self.headers: dict[bytes, bytes] = {}

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended += 1

    @property
    def whole(self) -> bool:
        """Whether it was one request from its first byte to its last, whose line may stay."""
        told = self.headers.get(b"connection", b"keep-alive")
        return self.begun == self.ended == 1 and told.lower() == b"keep-alive"


class Turnstile:
    """Lets a few requests in with each turn of the loop. All that came at once would be kept at
    once, and we stand still while the store does that; so it has the first ones meanwhile."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def enter(self, act: Callable[[], None]) -> None:
        """Act when it is our turn, in the order in which we came."""
        self._waiting.append(act)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        try:
            for _ in range(min(AT_A_TIME, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._let_in)


class PromptProtocol(PatientProtocol):
    """HTTP/1.1 for an app that is a `Prompt`."""

    _pending = False
    """Whether a request waits for its turn or for what it was promised."""
    _early = b""
    """What came meanwhile."""
    _last = 0.0
    """When the last prompt answer went out."""
    _stays = True

    def __init__(self, turnstile: Turnstile, **ways: Any) -> None:  # noqa: ANN401  uvicorn's
        super().__init__(**ways)
        self._turnstile = turnstile

    @override
    def data_received(self, data: bytes) -> None:
        if self._pending:
            self._early += data
            self.flow.pause_reading()
        elif self._is_free:
            self._pending = True
            self._turnstile.enter(lambda: self._take(data))
        else:
            super().data_received(data)

    def _take(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        try:
            promised = self._promises(data)
        except BaseException:
            self.transport.abort()  # nobody else would; the loop logs it
            raise
        if not promised:
            self._pending = False
            super().data_received(data + self._early)
            self._early = b""
            self.flow.resume_reading()
            if not self._stays:
                super().shutdown()

    @property
    def _is_free(self) -> bool:
        """Whether the next byte is the first of a request, and nothing is still to be answered."""
        return (
            self.answered
            and not self.amid_request
            and not self.flow.write_paused
            and len(self.connections) < CONNECTIONS
        )

    def _promises(self, data: bytes) -> bool:
        heard = _Heard()
        parser = httptools.HttpRequestParser(heard)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        if not heard.whole or parser.get_http_version() != "1.1":
            return False
        promise = self.app.at_once(
            Whole(parser.get_method(), heard.target, heard.headers, heard.body)
        )
        if promise is None:
            return False
        self.stop_waiting()
        promise.kept.add_done_callback(lambda _: self._redeem(promise))
        return True

    def _redeem(self, promise: Promise) -> None:
        try:
            reply = promise.conclude()
        except BaseException:
            self.transport.abort()  # nobody else would; the loop logs it
            raise
        if not self.transport.is_closing():
            self._tell(reply)

    def _tell(self, reply: Reply) -> None:
        lines = [
            STATUS_LINE[reply.status],
            _lines(tuple(self.server_state.default_headers)),
            _lines(reply.headers if self._stays else reply.headers + CLOSE),
        ]
        self.transport.write(b"".join([*lines, b"\r\n", reply.body]))
        self._pending = False
        if not self._stays:
            self.transport.close()
            return
        self._last = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again_in(self.timeout_keep_alive)
        if self._early:
            early, self._early = self._early, b""
            self.flow.resume_reading()
            self.data_received(early)

    def _look_again_in(self, seconds: float) -> None:
        handle = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
        self.timeout_keep_alive_task = handle

    @override
    def timeout_keep_alive_handler(self) -> None:
        """One timer for as long as prompt answers follow each other, not one for each."""
        idle = self.loop.time() - self._last
        if self._pending or idle < self.timeout_keep_alive:
            self._look_again_in(max(1.0, self.timeout_keep_alive - idle))
        else:
            super().timeout_keep_alive_handler()

    @override
    def shutdown(self) -> None:
        if not self._pending:
            super().shutdown()
        self._stays = False  # what was promised is told before


@lru_cache(maxsize=64)
def _lines(headers: Headers) -> bytes:
    return b"".join([b"%s: %s\r\n" % header for header in headers])
