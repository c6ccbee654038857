"""How is a caller's connection broken off instead of answered?"""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.types import Scope
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_NO_LINGER = struct.pack("ii", 1, 0)
_open: dict[tuple[str, int], asyncio.Transport] = {}


class Droppable(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also remembers whose connection is whose."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Remember the connection by its caller's address."""
        super().connection_made(transport)
        if self.client is not None:
            _open[self.client] = transport

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self.client is not None:
            _open.pop(self.client, None)
        super().connection_lost(exc)


def drop(scope: Scope) -> None:
    """Reset the connection a request came on (TCP RST, no HTTP answer)."""
    client = scope.get("client")
    transport = _open.get((client[0], client[1])) if client else None
    if transport is None:
        return
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
