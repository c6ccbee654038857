"""How full is the store? Looked at once a second, so that a door can say no in time (ENGINE 14)."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from redis.asyncio import Redis

from infra.ending import end
from infra.settings import Settings
from infra.valkey import AWAY, Finding, connect, inspect

LOOK_EVERY: Final = timedelta(seconds=1)
WHOLE: Final = 100

log = structlog.get_logger()


class Condition:
    """What was seen at the last look. While the store is away, what was seen before that stands."""

    def __init__(self, client: Redis, *, disk: Path | None, least_disk_percent: int) -> None:
        self._client = client
        self._disk = disk
        self._least_disk_percent = least_disk_percent
        self.memory_percent = 0
        """Used memory against `maxmemory`; 0 when there is no limit."""
        self.disk_free_percent = WHOLE
        """Of the disk the embedded store writes to; that of another machine is not ours to see."""

    def pressed(self, memory_percent: int) -> bool:
        """Whether new work must be refused by a door whose guard stands at this percentage."""
        return (
            self.memory_percent >= memory_percent
            or self.disk_free_percent < self._least_disk_percent
        )

    async def look(self) -> None:
        """Measure. Raises what the store's client raises when it is away."""
        memory = await self._client.info("memory")
        limit = int(memory.get("maxmemory", 0))
        self.memory_percent = WHOLE * int(memory["used_memory"]) // limit if limit else 0
        if self._disk is not None:
            usage = shutil.disk_usage(self._disk)
            self.disk_free_percent = WHOLE * usage.free // usage.total

    async def findings(self, clock: Callable[[], float] = time.time) -> list[Finding]:
        """What an operator should know; `refuse` means not ready. Raises StoreAway."""
        return await inspect(self._client, clock=clock)

    async def keep_looking(self) -> None:
        """Look once a second, for ever."""
        while True:
            try:
                await self.look()
            except AWAY as reason:
                log.warning("store.unseen", why=str(reason))
            await asyncio.sleep(LOOK_EVERY.total_seconds())


@contextlib.asynccontextmanager
async def watch_store(settings: Settings) -> AsyncIterator[Condition]:
    """Watch the store over a line of its own, whatever the process does with it besides."""
    client = connect(settings)
    embedded = settings.valkey_url is None
    condition = Condition(
        client,
        disk=settings.data_dir if embedded else None,
        least_disk_percent=settings.disk_free_percent,
    )
    watching = asyncio.create_task(condition.keep_looking())
    try:
        yield condition
    finally:
        await end(watching)
        await client.aclose()
