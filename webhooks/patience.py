"""How long may many wait at once? One timer watches them all; one for each would cost more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any


class Patience:
    """Bounds the time inside `with patience:`, like `asyncio.timeout`, for any number of tasks.

    Raises what `runs_out` makes. One task may be inside only once.
    """

    def __init__(self, span: timedelta, runs_out: Callable[[], Exception]) -> None:
        self._span = span.total_seconds()
        self._runs_out = runs_out
        self._until: dict[asyncio.Future[Any], float] = {}  # oldest first, as all wait equally
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        self._note(task)

    def watch(self, future: asyncio.Future[Any]) -> None:
        """Cancel it when it is not done in time."""
        self._note(future)
        future.add_done_callback(self._forget)

    def _note(self, waiting: asyncio.Future[Any]) -> None:
        loop = asyncio.get_running_loop()
        self._until[waiting] = loop.time() + self._span
        if self._timer is None:
            self._timer = loop.call_later(self._span, self._look)

    def _forget(self, future: asyncio.Future[Any]) -> None:
        self._until.pop(future, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task = asyncio.current_task()
        if task is None or self._until.pop(task, None) is not None:
            return
        # The timer struck this task out and cancelled it; anybody else's cancellation goes on.
        if task.uncancel() <= 0 and kind is asyncio.CancelledError:
            raise self._runs_out() from error

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for waiting, until in list(self._until.items()):
            if until > loop.time():
                self._timer = loop.call_at(until, self._look)
                return
            del self._until[waiting]
            waiting.cancel()
