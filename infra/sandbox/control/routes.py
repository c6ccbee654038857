"""Which control action is where? `POST /control/<group>/<action>` with a JSON object."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.sandbox.calls import Refusal
from infra.sandbox.control.google import GoogleActions
from infra.sandbox.control.goto import GoToActions
from infra.sandbox.control.graph import GraphActions
from infra.sandbox.control.stage import StageActions
from infra.sandbox.control.zoom import ZoomActions
from infra.sandbox.documents import Doc
from infra.sandbox.world import World

Action: TypeAlias = Callable[[Doc], object]


def routes(world: World) -> list[Route]:
    """Return the control API of one sandbox; every public method of a group is an action."""
    groups = {
        "stage": _public(StageActions(world)),
        "google": _public(GoogleActions(world.google)),
        "graph": _public(GraphActions(world.graph)),
        "zoom": _public(ZoomActions(world.zoom)),
        "goto": _public(GoToActions(world.goto)),
    }

    async def index(request: Request) -> Response:
        return _json(
            {
                group: {name: inspect.getdoc(action) for name, action in actions.items()}
                for group, actions in groups.items()
            }
        )

    async def act(request: Request) -> Response:
        action = groups.get(request.path_params["group"], {}).get(request.path_params["action"])
        if action is None:
            return _json({"error": "no such action; GET /control/ lists them"}, 404)
        return await _done(action, await request.body())

    return [Route("/", index), Route("/{group}/{action}", act, methods=["POST"])]


async def _done(action: Action, body: bytes) -> Response:
    try:
        told = orjson.loads(body) if body else {}
        if not isinstance(told, dict):
            return _json({"error": "a JSON object is wanted"}, 400)
        result = action(told)
        return _json(await result if isinstance(result, Awaitable) else result)
    except Refusal as refusal:
        return Response(refusal.reply.body, 400, media_type="application/json")
    except (KeyError, ValueError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _public(actions: object) -> dict[str, Action]:
    found = inspect.getmembers(actions, inspect.ismethod)
    return {name: method for name, method in found if not name.startswith("_")}


def _json(told: object, status: int = 200) -> Response:
    return Response(orjson.dumps(told), status, media_type="application/json")
