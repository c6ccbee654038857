"""How many instructions does a process carry out per request? Counted by callgrind, not timed.

The figure does not depend on what else the machine does, so it tells a slower release from a busy
day. Kernel time is not in it, and valgrind runs a process fifty times slower.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.settings import for_child

TOTALS: Final = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def can_count() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None and shutil.which("callgrind_control") is not None


@dataclass(frozen=True, slots=True)
class Counted:
    """A process under callgrind that counts nothing yet."""

    pid: int
    home: Path

    async def instructions(self, act: Callable[[], Awaitable[int]]) -> int:
        """Instructions that one of what `act` does takes; it says how many it did."""
        await self._control("--instr=on")
        await self._control("--zero")
        done = await act()
        await self._control("--dump")
        await self._control("--instr=off")
        newest = max(self.home.glob("counted.*"), key=lambda file: file.stat().st_mtime_ns)
        found = TOTALS.search(await asyncio.to_thread(newest.read_text))
        if found is None:
            raise RuntimeError("callgrind wrote no total")
        return int(found[1]) // done

    async def _control(self, wish: str) -> None:
        await asyncio.to_thread(
            subprocess.run,
            ["callgrind_control", wish, str(self.pid)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@asynccontextmanager
async def counting(home: Path, *command: str, **environment: str) -> AsyncIterator[Counted]:
    """Run a process under callgrind; ended politely."""
    await asyncio.to_thread(home.mkdir)
    process = await asyncio.create_subprocess_exec(
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--callgrind-out-file={home}/counted.%p",
        "-q",
        *command,
        env=for_child(environment),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Counted(process.pid, home)
    finally:
        process.terminate()
        await process.wait()
