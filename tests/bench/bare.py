"""What can the server do at most? Starlette that reads and thanks: `python -m tests.bench.bare`.

Its one argument is the port. The same server, settings and loop as ours.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from webhooks.server import configure, serve


async def _thank(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"ok": True})


def app() -> Starlette:
    """One route like ours, and nothing behind it."""
    return Starlette(routes=[Route("/hooks/{provider}/{address}", _thank, methods=["POST"])])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(configure(app(), host="127.0.0.1", port=int(sys.argv[1]))))
