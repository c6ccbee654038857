"""How does a test run a whole installation by its one command, and look at it from outside?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import psutil

from infra.cli.ports import free_ports

TIELINE = Path(sys.executable).with_name("tieline")
READY_WITHIN_S = 90.0
ENDS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class House:
    """A running installation: what an operator knows of it, and its one process."""

    api: str
    receiver: str
    worker: str
    data_dir: Path
    sandbox: str
    command: subprocess.Popen[bytes]
    log: Path

    @property
    def admin_key(self) -> str:
        """The operator's key, where `tieline up` says that it is."""
        return (self.data_dir / "keys" / "admin.key").read_text().strip()

    def process(self, module: str) -> psutil.Process:
        """The process that runs a module of the Procfile."""
        (found,) = (
            child
            for child in psutil.Process(self.command.pid).children()
            if child.cmdline()[1:3] == ["-m", module]
        )
        return found

    def said(self) -> str:
        """All lines so far."""
        return self.log.read_text()

    def kill_everything(self) -> None:
        """SIGKILL to the command and to all that it started, the store first of all."""
        everyone = psutil.Process(self.command.pid).children(recursive=True)
        for process in [*reversed(everyone), psutil.Process(self.command.pid)]:
            process.kill()
        psutil.wait_procs(everyone, timeout=ENDS_WITHIN_S)
        self.command.wait(ENDS_WITHIN_S)


@contextmanager
def up(data_dir: Path, sandbox: str, settings: Mapping[str, str] | None = None) -> Iterator[House]:
    """`tieline up` on these files, ready to work; ended by SIGTERM if it still runs."""
    ports = dict(zip(("receiver", "api", "worker"), free_ports(3), strict=True))
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {
        **outer_environment(),
        **{f"TIELINE_{name.upper()}_PORT": str(port) for name, port in ports.items()},
        "TIELINE_RECEIVER_URL": addresses["receiver"],
        "TIELINE_PUBLIC_URL": addresses["api"],
        **playing(sandbox),
        **(settings or {}),
    }
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("ab") as out:
        command = subprocess.Popen(
            [str(TIELINE), "up", "--data-dir", str(data_dir)],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        house = House(**addresses, data_dir=data_dir, sandbox=sandbox, command=command, log=log)
        try:
            _until_ready(house)
            yield house
        finally:
            command.terminate()
            command.wait(ENDS_WITHIN_S)


def playing(sandbox: str) -> dict[str, str]:
    """The settings under which vendors are the sandbox and partners live on this machine."""
    urls = {name: f"{sandbox}/{name}" for name in ("google", "zoom")}
    return {
        "TIELINE_PROVIDER_URLS": orjson.dumps(urls).decode(),
        "TIELINE_QUARANTINE_S": orjson.dumps({"zoom": 2.0}).decode(),
        "TIELINE_ALLOW_LOOPBACK_ENDPOINTS": "true",
        "TIELINE_LOG_FORMAT": "json",
    }


def outer_environment() -> dict[str, str]:
    """Ours, without any setting of an installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TIELINE_")}


def _until_ready(house: House) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not (_is_ready(house.receiver) and _is_ready(house.api)):
        if house.command.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"the installation is not ready:\n{house.said()[-4000:]}")
        time.sleep(0.1)


def _is_ready(address: str) -> bool:
    try:
        answer = httpx.get(f"{address}/readyz", trust_env=False)
    except httpx.TransportError:
        return False
    return answer.is_success and not set(answer.json()["kinds_without_worker"]) - {"house"}
