"""Which life of the data is this? What was acknowledged in another may be missing (ENGINE 29)."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Final

import structlog
from redis.exceptions import ResponseError

from infra import keys
from infra.errors import StoreAway
from infra.functions.calls import Calls

LOOK_EVERY: Final = timedelta(seconds=2)
NO_HISTORY: Final = "0" * 40
REPLICA_WITHIN: Final = timedelta(milliseconds=500)

log = structlog.get_logger("store")


class Epoch:
    """A number that rises when a replica took over, files were restored, or a store that does not
    flush each write was started again."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.current = ""
        """As it was at the last look."""
        self._since = time.monotonic()
        self._has_replicas = False

    async def look(self) -> str:
        """See whether a new one began, and begin it. Raises StoreAway."""
        return await self._note(begin=False)

    async def begin(self) -> str:
        """Begin one now, as after a restore. Raises StoreAway."""
        return await self._note(begin=True)

    async def keep_looking(self) -> None:
        """Look every 2 s, for ever."""
        while True:
            try:
                await self.look()
            except StoreAway as away:
                log.warning("epoch.unseen", error=str(away))
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    def known_for(self) -> timedelta:
        """How long this process has known the current one: it began no later."""
        return timedelta(seconds=time.monotonic() - self._since)

    async def replicated(self) -> bool:
        """Whether a replica holds all that was written before, so that a failover cannot take it
        back. True where no replica has been seen; waits half a second at most. Raises StoreAway.

        WAIT counts by the connection that it comes over: all our calls share one.
        """
        if not self._has_replicas:
            return True
        within = round(REPLICA_WITHIN.total_seconds() * 1000)
        return int(await self._calls.read("replicated", "WAIT", 1, within)) >= 1

    async def _note(self, *, begin: bool) -> str:
        about = _fields(await self._calls.read("epoch", "INFO"))
        # One that is away now may take over all the same, so what was seen once is asked for.
        self._has_replicas = self._has_replicas or about.get("connected_slaves", "0") != "0"
        # A promoted replica keeps its old master's history beside its own.
        history = about.get("master_replid2", NO_HISTORY)
        words = [
            "" if history == NO_HISTORY else history,
            about["run_id"],
            "1" if await self._is_durable() else "",
            "1" if begin else "",
        ]
        number = str(await self._calls.call("epoch", [keys.EPOCH], words))
        if self.current not in ("", number):
            self._since = time.monotonic()
            log.warning("epoch.began", number=number)
        self.current = number
        return self.current

    async def _is_durable(self) -> bool:
        try:
            flat = await self._calls.read("epoch", "CONFIG", "GET", "append*")
        except ResponseError:  # hosted stores hide it: what is not known is not relied on
            return False
        config = dict(zip(flat[::2], flat[1::2], strict=True))
        return config.get(b"appendonly") == b"yes" and config.get(b"appendfsync") == b"always"


def _fields(info: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in info.decode().splitlines())
    return {name: value for name, colon, value in lines if colon}
