"""The sandbox as one web application: a path a provider, and /control to steer them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

from infra.sandbox.control.routes import routes as control_routes
from infra.sandbox.google.routes import routes as google_routes
from infra.sandbox.goto.routes import routes as goto_routes
from infra.sandbox.graph.routes import routes as graph_routes
from infra.sandbox.world import World
from infra.sandbox.zoom.routes import routes as zoom_routes


def build(world: World) -> Starlette:
    """Return the application of one sandbox."""

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        time = asyncio.create_task(world.stage.clock.run())
        yield
        time.cancel()
        await world.stage.courier.close()

    return Starlette(
        routes=[
            Mount("/google", routes=google_routes(world.google)),
            Mount("/graph", routes=graph_routes(world.graph)),
            # Roles of their own, the same API.
            Mount("/teams", routes=graph_routes(world.graph)),
            Mount("/teams-event", routes=graph_routes(world.graph)),
            Mount("/zoom", routes=zoom_routes(world.zoom)),
            Mount("/goto", routes=goto_routes(world.goto)),
            Mount("/control", routes=control_routes(world)),
        ],
        lifespan=running,
    )
