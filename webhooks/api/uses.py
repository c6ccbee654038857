"""When was a key last used? To the minute: more would cost every request a write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from infra.store import Store

USED: Final = "keys-used"
EVERY: Final = timedelta(minutes=1)
REMEMBERED: Final = 10_000


class Uses:
    """Notes uses of keys, at most once a minute each, whichever process sees them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked: dict[str, datetime] = {}

    async def note(self, tenant: str, key: str, now: datetime) -> None:
        """The key is used now. Raises StoreAway."""
        looked = self._looked.get(key)
        if looked is not None and now - looked < EVERY:
            return
        if len(self._looked) >= REMEMBERED:
            self._looked.clear()
        self._looked[key] = now
        known = await self._store.index.get(tenant, USED, key)
        if known is None or now - datetime.fromisoformat(known) >= EVERY:
            await self._store.index.set(tenant, USED, key, now.isoformat())

    async def last(self, tenant: str, keys: Sequence[str]) -> list[datetime | None]:
        """When each of them was used last, as far as it was noted."""
        found = [await self._store.index.get(tenant, USED, key) for key in keys]
        return [datetime.fromisoformat(each) if each else None for each in found]
