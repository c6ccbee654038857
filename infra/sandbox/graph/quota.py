"""How much may still be called of a mailbox?

https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from infra.sandbox.calls import Refusal
from infra.sandbox.clock import Clock
from infra.sandbox.graph.errors import reply

if TYPE_CHECKING:
    from infra.sandbox.graph.simulator import Graph

WINDOW_S = 600


class Quota:
    """Counts a mailbox's calls in ten minutes, and those that are under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window = 0
        self._used: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self.most_at_once = 0

    def demand_call(self, mailbox: str, limit: int) -> None:
        """Count one call; 429 with the wait until the next window beyond the limit."""
        now = self._clock.now().timestamp()
        window = int(now // WINDOW_S)
        if window != self._window:
            self._window = window
            self._used.clear()
        self._used[mailbox] += 1
        if self._used[mailbox] > limit:
            wait = str(int((window + 1) * WINDOW_S - now) + 1)
            raise Refusal(reply(429, headers=[(b"retry-after", wait.encode())]))

    def used(self, mailbox: str) -> int:
        """How many calls were counted in this window."""
        return self._used[mailbox]

    def enter(self, mailbox: str, limit: int) -> bool:
        """Begin a call; False when too many are under way."""
        if self._under_way[mailbox] >= limit:
            return False
        self._under_way[mailbox] += 1
        self.most_at_once = max(self.most_at_once, self._under_way[mailbox])
        return True

    def leave(self, mailbox: str) -> None:
        """End a call."""
        self._under_way[mailbox] -= 1


class Narrow:
    """An operation of a mailbox, behind its limit of calls at once."""

    def __init__(self, graph: Graph, operation: ASGIApp) -> None:
        self._graph = graph
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 429."""
        mailbox, graph = self._mailbox(scope), self._graph
        quota = graph.quota
        if not quota.enter(mailbox, graph.settings.calls_at_once):
            said = reply(429, headers=[(b"retry-after", b"1")])
            await send({"type": "http.response.start", "status": 429, "headers": said.headers})
            await send({"type": "http.response.body", "body": said.body})
            return
        try:
            await asyncio.sleep(graph.settings.slow_s)
            await self._operation(scope, receive, send)
        finally:
            quota.leave(mailbox)

    def _mailbox(self, scope: Scope) -> str:
        named = str(scope.get("path_params", {}).get("user", ""))
        if named:
            return self._graph.by_address.get(named.lower(), named)
        token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        grant = self._graph.authority.bearer(token.partition(" ")[2])
        return grant.account if grant else ""
