"""A receiver on a port of its own, in this process, for what only real HTTP can show."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.receiver.door import until
from webhooks.prompt import PromptProtocol, Turnstile
from webhooks.server import PatientProtocol, configure


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """Serve the app as it is served everywhere; yields the port."""
    prompt = functools.partial(PromptProtocol, Turnstile())
    protocol = prompt if hasattr(app, "at_once") else PatientProtocol
    server = uvicorn.Server(configure(app, host="127.0.0.1", port=0, protocol=protocol))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Write the parts with pauses between them, then read until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.create_task(reader.read())
    try:
        for part in parts:
            if reading.done():
                break
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await reading
    except ConnectionError:
        return b""
    finally:
        reading.cancel()
        writer.close()
