"""What does every request pass before its room? Trace id and plain headers, crowd, pressure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra import telemetry
from webhooks.api.problems import answer, busy

READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
AT_ONCE: Final = 512
"""Requests of one process at a time; those that wait for a worker are among them."""

PLAIN: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Strict-Transport-Security", "max-age=31536000"),  # browsers heed it over https only
)


class Traced:
    """Gives each request an id that stands in its answer, its log lines and the work it starts."""

    def __init__(self, app: ASGIApp, *, new_id: Callable[[str], str]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request inside its trace."""
        trace = self._new_id("tr")
        scope.setdefault("state", {})["trace"] = trace

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tieline-Trace"] = trace
                for name, value in (*PLAIN, *scope["state"].get("told", {}).items()):
                    headers.setdefault(name, value)
            await send(message)

        with telemetry.trace(trace):
            await self._app(scope, receive, send_with_headers)


class Crowd:
    """Turns requests away while too many are under way, rather than letting all of them wait."""

    def __init__(self, app: ASGIApp, *, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._room = at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in if there is room."""
        if self._room <= 0:
            full = answer(Request(scope), busy("Too many requests at once. Repeat in a moment."))
            await full(scope, receive, send)
            return
        self._room -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._room += 1


class Pressure:
    """Refuses what would fill the store further while it is nearly full (ENGINE 14)."""

    def __init__(self, app: ASGIApp, *, pressed: Callable[[], bool]) -> None:
        self._app = app
        self._pressed = pressed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reading goes on."""
        if scope["method"] in READS or not self._pressed():
            await self._app(scope, receive, send)
            return
        refused = busy("The store is nearly full. Repeat when the workers have drained it.")
        await answer(Request(scope), refused)(scope, receive, send)
