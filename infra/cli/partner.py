"""A partner application for demo and tests: hears callbacks and verifies each one."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Told: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Partner:
    """What it heard so far; every callback was verified by the reference library."""

    secret: str = ""
    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, request: Request) -> Response:
        """Verify and keep one callback."""
        body = await request.body()
        Webhook(self.secret).verify(body.decode(), dict(request.headers))
        self.heard.append(orjson.loads(body))
        self._news.set()
        return Response(status_code=204)

    async def waits_for(self, kind: str, *, after: int = 0, seconds: float = 40.0) -> Told:
        """The first callback of the type since the `after`-th. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                for told in self.heard[after:]:
                    if told["type"] == kind:
                        return told
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Partner]:
    """The partner's server on a free port, for as long as the block lasts."""
    partner = Partner(secret="whsec_" + base64.b64encode(bytes(24)).decode())
    app = Starlette(routes=[Route("/callbacks", partner.hear, methods=["POST"])])
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    partner.url = f"http://127.0.0.1:{port}/callbacks"
    try:
        yield partner
    finally:
        server.should_exit = True
        await serving
