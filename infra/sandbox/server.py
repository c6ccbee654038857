"""How is a sandbox served until somebody ends it?"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

import uvicorn

from infra.sandbox.app import build
from infra.sandbox.wire import Droppable
from infra.sandbox.world import World


def serve(host: str, port: int, *, seed: int = 1, with_parent: bool = False) -> None:
    """Serve a new sandbox; tells its address as the first line. Port 0 takes a free one.

    `with_parent` ends it when the process that started it does.
    """
    parent = os.getppid() if with_parent else None
    listener = socket.create_server((host, port), backlog=2_048)
    sys.stdout.write("http://{}:{}\n".format(*listener.getsockname()))
    sys.stdout.flush()
    server = uvicorn.Server(
        uvicorn.Config(
            build(World(seed)),
            loop="uvloop",
            http=Droppable,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,  # longer than any client idles: none meets a closing line
        )
    )
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_serve(server, listener, parent))


async def _serve(server: uvicorn.Server, listener: socket.socket, parent: int | None) -> None:
    watch = asyncio.create_task(_end_with(parent, server)) if parent else None
    await server.serve(sockets=[listener])
    if watch is not None:
        watch.cancel()


async def _end_with(parent: int, server: uvicorn.Server) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing in this process is told of it
        await asyncio.sleep(0.5)
    server.should_exit = True
