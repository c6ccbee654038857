"""A sandbox as a process: it ends with who started it."""

from __future__ import annotations

import asyncio
import sys

import psutil

STARTER = """
import subprocess, sys, time
command = [sys.executable, "-m", "infra.sandbox", "--port", "0", "--with-parent"]
child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


async def test_a_sandbox_ends_when_its_parent_is_killed() -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    sandbox = psutil.Process(int(await starter.stdout.readline()))

    starter.kill()
    await starter.wait()

    gone, _ = await asyncio.to_thread(psutil.wait_procs, [sandbox], timeout=10)
    assert gone == [sandbox]
