"""Which addresses does a host have? Asked outside the loop, in threads of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from infra.http.guard import Guard

LookUp: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses, as text; raises OSError when there are none."""

# A dead name server holds a thread for half a minute; the loop's own few threads must not wait so.
_THREADS: Final = 32


class Names(AbstractResolver):
    """The resolver under a wire: asks `look_up`, then lets the guard judge all answers at once."""

    def __init__(self, guard: Guard | None, look_up: LookUp | None) -> None:
        self._guard = guard
        self._look_up = look_up or self._ask_the_system
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError without an answer, Refused for a forbidden one."""
        addresses = list(dict.fromkeys(await self._look_up(host, port)))
        if not addresses:
            raise OSError(f"{host} has no address")
        if self._guard is not None:
            self._guard.check_all(host, port, addresses)
        return [_result(host, port, address) for address in addresses]

    async def _ask_the_system(self, host: str, port: int) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(place[0]) for *_, place in found]

    @override
    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6  # noqa: PLR2004
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
