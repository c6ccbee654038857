"""How is a sandbox started as a process of its own, and ended?"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from infra.sandbox.client import Sandbox


@contextmanager
def serving(*, port: int = 0, seed: int = 1) -> Iterator[str]:
    """Run a sandbox for as long as the block lasts and give its address; port 0 is a free one."""
    command = [sys.executable, "-m", "infra.sandbox", "--with-parent"]
    command += ["--port", str(port), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise RuntimeError("the sandbox ended before it told its address")
            yield address
        finally:
            process.terminate()


@asynccontextmanager
async def started(*, port: int = 0, seed: int = 1) -> AsyncIterator[Sandbox]:
    """Run a sandbox for as long as the block lasts, and have hands on it."""
    process = serving(port=port, seed=seed)
    address = await asyncio.to_thread(process.__enter__)
    try:
        async with Sandbox.at(address) as sandbox:
            yield sandbox
    finally:
        await asyncio.to_thread(process.__exit__, None, None, None)
