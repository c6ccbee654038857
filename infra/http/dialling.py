"""How is a new line opened? Its name is looked up and judged, then it is connected and greeted."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from aiohappyeyeballs import start_connection

from infra.errors import Refused
from infra.http.guard import Guard
from infra.http.lines import Line, Lines
from infra.http.names import LookUp, Names

if TYPE_CHECKING:
    from aiohappyeyeballs.types import AddrInfoType

_NEXT_AFTER: Final = 0.25  # seconds until another address is tried as well (RFC 8305 §5)


class Dial:
    """Opens lines for one wire."""

    def __init__(
        self, guard: Guard | None, look_up: LookUp | None, tls: ssl.SSLContext | None
    ) -> None:
        self._guard = guard
        self._names = Names(guard, look_up)
        self._tls = tls or _trusting_the_system()

    async def open(self, lines: Lines) -> Line:
        """One line more to their address. Raises OSError, Refused."""
        host, port, tls = lines.address
        found = await self._names.find(host, port)
        connected = await start_connection(
            found, happy_eyeballs_delay=_NEXT_AFTER, socket_factory=self.socket_to
        )
        line = Line(lines)
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: line,
                sock=connected,
                ssl=self._tls if tls else None,
                server_hostname=host.rstrip(".") if tls else None,
            )
        except BaseException:
            line.hang_up()
            connected.close()
            raise
        return line

    def socket_to(self, found: AddrInfoType) -> socket.socket:
        """The last wall, just before connecting: whatever was found, this is where it goes."""
        family, kind, proto, _, address = found
        if self._guard is not None:
            try:
                self._guard.check("This name", int(address[1]), ip_address(str(address[0])))
            except Refused as refusal:
                raise PermissionError(refusal.reason) from refusal
        return socket.socket(family=family, type=kind, proto=proto)

    def close(self) -> None:
        """Look nothing up any more."""
        self._names.close()


@cache
def _trusting_the_system() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
