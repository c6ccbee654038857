"""A partner that is as unreliable as they come: says 500, or hears and never answers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import orjson
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HANGS: Final = 6.0  # seconds; its endpoints are given five (tests/chaos/tenants.py)


@dataclass(slots=True)
class Unreliable:
    """What it heard. Every delivery is verified by the reference library before it counts."""

    dice: random.Random
    fails: float = 0.05
    hangs: float = 0.02
    """After it has heard."""
    secrets: dict[str, str] = field(default_factory=dict)
    """By tenant."""
    url: str = ""
    deliveries: Counter[str] = field(default_factory=Counter)
    """How often each callback came, by its id."""
    bodies: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Digests of what came under each id."""
    titles: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Type of callback -> its id -> title of the meeting."""
    sequences: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Numbers of the callbacks of each meeting, as they first came."""

    async def hear(self, request: Request) -> Response:
        """Hear one delivery, or fail to."""
        name = request.headers["webhook-id"]
        if self.dice.random() < self.fails:
            return Response(status_code=500)
        self._keep(request.path_params["tenant"], dict(request.headers), await request.body())
        if self.deliveries[name] == 1 and self.dice.random() < self.hangs:
            await asyncio.sleep(HANGS)
        return Response(status_code=204)

    def _keep(self, tenant: str, headers: dict[str, str], body: bytes) -> None:
        Webhook(self.secrets[tenant]).verify(body.decode(), headers)
        name, told = headers["webhook-id"], orjson.loads(body)
        self.deliveries[name] += 1
        self.bodies[name].add(hashlib.sha256(body).hexdigest())
        meeting = told["data"].get("meeting")
        if meeting is not None and self.deliveries[name] == 1:
            self.titles[told["type"]][name] = meeting["title"]
            self.sequences[meeting["id"]].append(told["data"]["sequence"])


@contextlib.asynccontextmanager
async def listening(dice: random.Random) -> AsyncIterator[Unreliable]:
    """Its server, for as long as the block lasts."""
    partner = Unreliable(dice)
    app = Starlette(routes=[Route("/{tenant}", partner.hear, methods=["POST"])])
    config = uvicorn.Config(
        app, port=0, log_level="error", access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    partner.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield partner
    finally:
        server.should_exit = True
        await serving
