"""How does a client reach the store through a line that a test keeps in its hands?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection


@asynccontextmanager
async def through(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], place: Path
) -> AsyncIterator[Redis]:
    """A client of the socket at `place`, where each line is served like that."""
    server = await asyncio.start_unix_server(serve, str(place))
    pool = ConnectionPool(UnixDomainSocketConnection, path=str(place), socket_timeout=2)
    client = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
        server.close()
