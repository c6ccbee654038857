"""What does every bench stand on? A store of its own, processes, their processor time, ports."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from redis.asyncio import Redis

from infra import embedded, seal, valkey
from infra.settings import Settings, for_child

UP_WITHIN: Final = 60.0  # seconds
ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Stand:
    """A store that flushes every write before it answers, and keys of all kinds beside it."""

    home: Path
    server: embedded.Server

    @property
    def environment(self) -> dict[str, str]:
        """The settings that a process of ours is started with."""
        return {
            "TIELINE_DATA_DIR": str(self.home / "var"),
            "TIELINE_VAULT_PUBLIC_KEY_FILE": str(self.home / "vault.public"),
            "TIELINE_VAULT_PRIVATE_KEY_FILE": str(self.home / "vault.private"),
            "TIELINE_DOOR_PUBLIC_KEY_FILE": str(self.home / "door.public"),
            "TIELINE_DOOR_PRIVATE_KEY_FILE": str(self.home / "door.private"),
            "TIELINE_DEPLOYMENT_KEY_FILE": str(self.home / "deployment.key"),
            "TIELINE_ALLOW_LOOPBACK_ENDPOINTS": "true",
            "TIELINE_LOG_FORMAT": "json",
        }

    @property
    def settings(self) -> Settings:
        """The same, for this process."""
        prefix = len("TIELINE_")
        facts = {name[prefix:].lower(): value for name, value in self.environment.items()}
        return Settings.model_validate(facts)

    @property
    def door(self) -> seal.PublicKey:
        """What secrets for the receiver are sealed to."""
        return seal.PublicKey.load(self.home / "door.public")

    @property
    def vault(self) -> seal.PublicKey:
        """What secrets for the workers are sealed to."""
        return seal.PublicKey.load(self.home / "vault.public")

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Redis]:
        """The store as it is, for counting and clearing."""
        client = valkey.connect(self.settings)
        try:
            yield client
        finally:
            await client.aclose()

    async def clear(self) -> None:
        """Nothing is in the store."""
        async with self.client() as client:
            await client.flushall()

    async def rewrite(self) -> None:
        """Let the store begin to write its file anew, as it does when that has grown enough."""
        async with self.client() as client:
            await client.bgrewriteaof()

    async def rewritten(self) -> None:
        """Wait until it has ended."""
        async with self.client() as client:
            while (await client.info("persistence"))["aof_rewrite_in_progress"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def store_seconds(self) -> float:
        """The store's processor time so far."""
        return busy(self.server.process.pid)


@contextmanager
def stand() -> Iterator[Stand]:
    """Set one up in a fresh directory, and take it down."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        server = embedded.start(home / "var")
        if server is None:
            raise RuntimeError("there is a store in a fresh directory")
        try:
            seal.generate(home / "door.private", home / "door.public")
            seal.generate(home / "vault.private", home / "vault.public")
            seal.write_secret(home / "deployment.key")
            yield Stand(home, server)
        finally:
            server.end()


def busy(pid: int) -> float:
    """Processor seconds of a process so far, its own and the kernel's for it."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def running(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process whose lines nobody reads; ended politely."""
    process = await asyncio.create_subprocess_exec(
        *command, env=for_child(environment), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def python(module: str, *words: str) -> tuple[str, ...]:
    """The command that runs a module of ours."""
    return (sys.executable, "-m", module, *words)


async def told(*command: str, given: object = None, **environment: str) -> Any:  # noqa: ANN401  JSON
    """Run a process, hand it one JSON line, and read the one it ends with."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=for_child(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(given).encode() + b"\n")
    if process.returncode:
        raise RuntimeError(f"{command[:3]} left with {process.returncode}")
    return json.loads(out.splitlines()[-1])


async def listening(port: int) -> None:
    """Wait until somebody listens on the port."""
    until = time.monotonic() + UP_WITHIN
    while time.monotonic() < until:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError(f"nobody listens on port {port}")


def middle(values: Iterable[float], digits: int = 2) -> float:
    """The median, rounded."""
    return round(statistics.median(values), digits)


def load_average() -> float:
    """How much the machine has to do, ours included: figures of a busy one are ratios only."""
    return round(os.getloadavg()[0], 1)
