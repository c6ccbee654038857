"""How does everything run on this machine at once, with the sandbox in place of the vendors?

The demo plays on it, and so do the tests that need every process.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from infra.cli.ports import free_ports
from infra.cli.processes import Plan, Processes, ready, running
from infra.sandbox.client import Sandbox
from infra.sandbox.process import started
from schemas.providers import PROVIDERS

QUARANTINE: Final = timedelta(seconds=2)
"""The sandbox carries a request out at once or not at all, so little need be waited out."""
READY_WITHIN: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The product's processes, and the sandbox that they take for the vendors."""

    processes: Processes
    sandbox: Sandbox
    receiver: str
    api: str
    worker: str
    log: Path
    """What the processes said, a line each."""

    @property
    def admin_key(self) -> str:
        """The operator's key for the API."""
        return self.processes.keys.admin.read_text().strip()

    async def ready(self) -> None:
        """Wait until both doors serve and every kind has a worker. Raises NotStarted."""
        doors = {"receiver": self.receiver, "api": self.api}
        await ready(self.processes, doors, within=READY_WITHIN)


@contextlib.asynccontextmanager
async def rehearsing(
    home: Path,
    *,
    settings: Mapping[str, str] | None = None,
    copies: Mapping[str, int] | None = None,
) -> AsyncIterator[Rehearsal]:
    """Everything up and ready, on free ports, with all it keeps below `home`; ended with the block.

    `settings` stand beside those of a rehearsal and win; `copies` says which processes run more
    than once. Raises NotStarted.
    """
    async with contextlib.AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(started())
        receiver, api, worker = free_ports(3)
        plan = Plan(
            home / "var",
            {**_settings(sandbox.url, receiver, api, worker), **(settings or {})},
            copies or {},
        )
        path = home / "processes.log"
        log = stack.enter_context(path.open("w", buffering=1))
        processes = await stack.enter_async_context(
            running(plan, lambda name, line: print(name, line, file=log))
        )
        rehearsal = Rehearsal(processes, sandbox, _url(receiver), _url(api), _url(worker), path)
        await rehearsal.ready()
        yield rehearsal


def _settings(sandbox: str, receiver: int, api: int, worker: int) -> dict[str, str]:
    vendors = {row.name: f"{sandbox}/{row.name}" for row in PROVIDERS.values() if row.oauth}
    waits = {row.name: QUARANTINE.total_seconds() for row in PROVIDERS.values() if row.quarantine}
    return {
        "TIELINE_RECEIVER_PORT": str(receiver),
        "TIELINE_API_PORT": str(api),
        "TIELINE_WORKER_PORT": str(worker),
        "TIELINE_RECEIVER_URL": _url(receiver),
        "TIELINE_PUBLIC_URL": _url(api),
        "TIELINE_ALLOW_LOOPBACK_ENDPOINTS": "true",
        "TIELINE_QUARANTINE_S": orjson.dumps(waits).decode(),
        "TIELINE_PROVIDER_URLS": orjson.dumps(vendors).decode(),
        "TIELINE_LOG_FORMAT": "json",
    }


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
