"""How does what we began, a task or a process, end for certain?"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
AGAIN_AFTER: Final = 1.0
"""Seconds. On its way out a task may have to speak: redis-py takes a `WATCH` back, and a connection
that is cut off in this is an error line of the loop's."""


async def end(task: asyncio.Task[None]) -> None:
    """Cancel the task until it has ended; what it died of itself is raised.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, through which redis-py sends, drops a
    cancellation that comes as its call succeeds (python/cpython#86296), and the task goes on.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_AFTER)
    if not task.cancelled():
        task.result()


def die_with(parent: int) -> Callable[[], None] | None:
    """What a child process does before it begins, so that SIGTERM comes when its parent dies.

    The signal follows the forking thread: fork from the main one (ENGINE 18).
    """
    if sys.platform != "linux":  # no such signal there: the lock and the socket remain
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # before the fork: loading a library after it may hang

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)

    return arrange
