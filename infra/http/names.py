"""Which addresses does a host have? Asked outside the loop, in threads of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final, TypeAlias

from infra.http.guard import Guard

LookUp: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses, as text; raises OSError when there are none."""
Found: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]
"""One address as `getaddrinfo` tells it."""

# A dead name server holds a thread for half a minute; the loop's own few threads must not wait so.
_THREADS: Final = 32


class Names:
    """The resolver under a wire: asks `look_up`, then lets the guard judge all answers at once."""

    def __init__(self, guard: Guard | None, look_up: LookUp | None) -> None:
        self._guard = guard
        self._look_up = look_up or self._ask_the_system
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    async def find(self, host: str, port: int) -> list[Found]:
        """What the host spells, or what it is called; asked anew for every connection.

        Raises OSError without an answer, Refused for a forbidden one.
        """
        spelt = _spelt(host)
        addresses = [host] if spelt else list(dict.fromkeys(await self._look_up(host, port)))
        if not addresses:
            raise OSError(f"{host} has no address")
        if self._guard is not None:
            self._guard.check_all(host, port, addresses)
        return [_found(address, port) for address in addresses]

    async def _ask_the_system(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except UnicodeError:  # a label is too long: said before anybody is asked
            raise OSError(f"{host} is no name") from None
        return [str(place[0]) for *_, place in found]

    def close(self) -> None:
        """Ask nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _spelt(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _found(address: str, port: int) -> Found:
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6  # noqa: PLR2004
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
