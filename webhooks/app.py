"""How is the second door put together? `python -m webhooks.app` serves the API and the link pages.

It holds public keys only: what it is given in secret it seals, and cannot read again.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from infra import points, telemetry
from infra.condition import watch_store
from infra.ending import end
from infra.errors import Refused, StoreAway
from infra.health import health_routes
from infra.http.guard import Guard
from infra.lanes import KINDS, Lanes
from infra.seal import KeyRing, PublicKey
from infra.settings import Settings
from infra.store import Store, open_store
from schemas.callbacks import CallbackType
from webhooks.api import docs, gates, verifying
from webhooks.api.callback_types import schema_of
from webhooks.api.desk import Desk
from webhooks.api.endpoint_secrets import key_routes
from webhooks.api.front import Front
from webhooks.api.mounting import mount
from webhooks.api.openapi import document
from webhooks.api.problems import HANDLERS
from webhooks.api.table import ROWS
from webhooks.api.uses import Uses
from webhooks.connect import link
from webhooks.help import help_route
from webhooks.pages import page
from webhooks.server import configure, serve

SECRET_BYTES: Final = 32


def new_id(prefix: str) -> str:
    """`<prefix>_` and 100 random bits in 20 letters."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(13)).decode().lower()[:20]}"


def new_secret() -> str:
    """256 random bits in 52 letters."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().lower().rstrip("=")


def open_front(settings: Settings, store: Store) -> Front:
    """The bundle of every handler. Raises Refused, in words, when a public key is missing."""
    now: Callable[[], datetime] = functools.partial(datetime.now, UTC)
    return Front(
        store=store,
        settings=settings,
        vault=_lock(settings.vault_public_key_file, "vault"),
        door=_lock(settings.door_public_key_file, "door"),
        desk=Desk(store, new_id("web"), KeyRing.fresh(), now, new_id),
        guard=Guard.of(settings),
        uses=Uses(store),
        now=now,
        new_id=new_id,
        new_secret=new_secret,
    )


def build(front: Front, *, pressed: Callable[[], bool], health: list[Route]) -> Starlette:
    """The app: every row of the table, what describes it, the link pages, the figures."""
    middleware = [
        Middleware(gates.Traced, new_id=front.new_id),
        Middleware(gates.Crowd),
        Middleware(gates.Pressure, pressed=pressed),
    ]
    routes: list[BaseRoute] = [
        *mount(ROWS, front),
        *_described(front.settings.public_url),
        *key_routes(front),
        *verifying.routes(),
        help_route(front.settings),
        *link.routes(front),
        *health,
    ]
    return Starlette(routes=routes, middleware=middleware, exception_handlers=HANDLERS)


@contextlib.asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[Starlette]:
    """Open the store, listen for answers, watch the memory. Raises Refused in words, and StoreAway
    when there is no store within 30 s."""
    guard = settings.memory_api_percent
    async with open_store(settings) as store, watch_store(settings) as condition:
        front = open_front(settings, store)
        health = health_routes(
            condition,
            telemetry.new_registry("api"),
            guard_percent=guard,
            unserved=functools.partial(_unserved, store.lanes),
        )
        async with _alongside(front.desk):
            yield build(front, pressed=lambda: condition.pressed(guard), health=health)


async def _unserved(lanes: Lanes) -> list[str]:
    """Kinds of work that no live worker does."""
    return [kind for kind in KINDS if not await lanes.on_duty(kind)]


@contextlib.asynccontextmanager
async def _alongside(desk: Desk) -> AsyncIterator[None]:
    listening = asyncio.create_task(desk.listen())
    try:
        yield
    finally:
        await end(listening)


@functools.cache  # every app at this address says the same, and it takes a third of a second
def _described(address: str) -> tuple[Route, ...]:
    described = document(ROWS, address.rstrip("/"))
    text, inner = json.dumps(described, ensure_ascii=False), docs.inner(ROWS, described)
    schemas = {kind.value: json.dumps(schema_of(kind, address)) for kind in CallbackType}

    async def openapi(_: Request) -> Response:
        return Response(text, media_type="application/json")

    async def schema(request: Request) -> Response:
        found = schemas.get(request.path_params["type"])
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type="application/schema+json")

    async def read(_: Request) -> Response:
        return page("Tieline API", inner)

    return (
        Route("/openapi.json", openapi),
        Route("/schemas/{type}.json", schema),
        Route("/docs", read),
    )


def _lock(path: Path, whose: str) -> PublicKey:
    try:
        return PublicKey.load(path)
    except OSError as error:
        raise Refused(
            f"There is no public key of the {whose} at {path} ({error.strerror}). `tieline up`"
            " makes the keys below its data directory."
        ) from error


async def main() -> None:
    """Serve until told to stop."""
    settings = Settings.load()
    telemetry.configure(settings, "api")
    points.arm(*settings.faults, log=settings.points_log)
    async with open_app(settings) as app:
        await serve(
            configure(
                app,
                host=settings.api_host,
                port=settings.api_port,
                trusted_proxies=settings.trusted_proxies,
            )
        )


if __name__ == "__main__":
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    except (Refused, StoreAway) as refusal:
        sys.exit(f"api: {refusal}")
