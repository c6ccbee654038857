"""Which ports of this machine may a process have that will listen in a moment?"""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that the system gives to nobody else for a minute (macOS: half of one).

    A port that merely was free a moment ago may be another's before our process is up, and then
    two installations answer at one address. Here a connection has just ended (TIME_WAIT, RFC 9293
    3.6.1): who asks for any port is given another one, who names this one gets it. A server does
    so with SO_REUSEADDR, as asyncio, Valkey and Node set it.
    """
    return [_set_aside() for _ in range(count)]


def _set_aside() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            ours, _ = server.accept()
            ours.close()  # before the other end does: whoever closes first keeps TIME_WAIT
        return port
