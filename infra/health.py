"""Is this process alive, can it do its work, what are its figures? The same for every process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from typing import Final

import structlog
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from typing_extensions import override

from infra import telemetry
from infra.condition import Condition
from infra.errors import StoreAway

UNREADY: Final = 503

log = structlog.get_logger("health")


def health_routes(
    condition: Condition,
    registry: CollectorRegistry,
    *,
    unserved: Callable[[], Awaitable[Collection[str]]],
    guard_percent: int | None = None,
    count: Callable[[], Awaitable[None]] | None = None,
) -> list[Route]:
    """`/livez`, `/readyz` and `/metrics`, none of which tells a secret or an id of a tenant.

    `guard_percent` is where a door begins to refuse; `unserved` names the kinds of work that no
    live worker does, which is worth telling, though what is kept for them is not lost (ENGINE 17);
    `count` brings figures up to date that are only counted when somebody asks.
    """

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        return await _readiness(condition, unserved, guard_percent)

    async def metrics(_: Request) -> Response:
        if count is not None:
            await count()
        body, content_type = telemetry.render(registry)
        return Response(body, headers={"content-type": content_type})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


async def _readiness(
    condition: Condition,
    unserved: Callable[[], Awaitable[Collection[str]]],
    guard_percent: int | None,
) -> Response:
    try:
        findings = await condition.findings()
        idle = sorted(await unserved())
    except StoreAway as away:
        return JSONResponse({"ready": False, "because": [str(away)]}, UNREADY)
    because = [each.sentence for each in findings if each.level == "refuse"]
    if guard_percent is not None and condition.pressed(guard_percent):
        because.append("The store is nearly full: let the workers drain it, or give it more.")
    told = {
        "ready": not because,
        "because": because,
        "warnings": [each.sentence for each in findings if each.level == "warn"],
        "kinds_without_worker": idle,
    }
    return JSONResponse(told, UNREADY if because else 200)


class _Guest(uvicorn.Server):
    """A server in a process that does something else: signals are not for it."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def telling(routes: Sequence[Route], *, host: str, port: int) -> AsyncIterator[None]:
    """Serve the routes beside the work of this process, for as long as the block lasts.

    Where the port is taken, as by another worker of the same machine, the work goes on untold.
    """
    line = _listening(host, port)
    if line is None:
        yield
        return
    config = uvicorn.Config(
        Starlette(routes=list(routes)),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Guest(config)
    serving = asyncio.create_task(server.serve(sockets=[line]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _listening(host: str, port: int) -> socket.socket | None:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        reason = f"{error.strerror}: health and figures are not told; give each its own port"
        log.warning("figures.untold", host=host, port=port, reason=reason)
        return None
