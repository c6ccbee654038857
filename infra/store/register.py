"""Which tenants are there? Outside every slot; turns are repaired from it (ENGINE 1)."""

from __future__ import annotations

from infra import keys
from infra.functions.calls import Calls


class Register:
    """The tenants of the installation."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def add(self, tenant: str) -> None:
        """Note a tenant; a second time changes nothing."""
        await self._calls.read("register", "ZADD", keys.TENANTS, 0, keys.plain(tenant))

    async def remove(self, tenant: str) -> None:
        """Forget a tenant."""
        await self._calls.read("register", "ZREM", keys.TENANTS, tenant)

    async def page(self, after: str, limit: int) -> list[str]:
        """Tenants behind this one, by name."""
        lowest = f"({after}" if after else "-"
        words = (keys.TENANTS, lowest, "+", "LIMIT", 0, limit)
        found = await self._calls.read("register", "ZRANGEBYLEX", *words)
        return [name.decode() for name in found]

    async def all(self) -> list[str]:
        """All tenants, by name."""
        found = await self._calls.read("register", "ZRANGE", keys.TENANTS, 0, -1)
        return [name.decode() for name in found]
