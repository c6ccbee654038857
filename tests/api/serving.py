"""The API as a process of its own, for tests that kill it or come to it over the wire."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from infra.cli.ports import free_ports
from tests.api.stage import ADMIN


@contextlib.asynccontextmanager
async def served(home: Path, **more: str) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its address, once it answers. `more` are settings, as TIELINE_<NAME>."""
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "TIELINE_DATA_DIR": str(home),
        "TIELINE_ADMIN_KEY": ADMIN,
        "TIELINE_API_PORT": str(port),
        "TIELINE_LOG_FORMAT": "json",
        **{f"TIELINE_{name.upper()}": value for name, value in more.items()},
    }
    process = _start(environment)
    try:
        address = f"http://127.0.0.1:{port}"
        await _until_alive(address)
        yield process, address
    finally:
        process.kill()
        process.wait()


def _start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "webhooks.app"], env=environment)


async def _until_alive(address: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                await client.get(f"{address}/livez")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
