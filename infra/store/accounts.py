"""Which connections, of which tenants, stand for a vendor's account? Outside every slot."""

from __future__ import annotations

from infra import keys
from infra.functions.calls import Calls


class Accounts:
    """(provider, account) -> (tenant, connection); a vendor's notification names the account."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def add(self, provider: str, account: str, tenant: str, connection: str) -> None:
        """The connection is linked to the account."""
        member = f"{tenant}/{connection}"
        await self._calls.read("accounts", "SADD", keys.accounts(provider, account), member)

    async def remove(self, provider: str, account: str, tenant: str, connection: str) -> None:
        """The connection is no longer linked to it."""
        member = f"{tenant}/{connection}"
        await self._calls.read("accounts", "SREM", keys.accounts(provider, account), member)

    async def linked(self, provider: str, account: str) -> set[tuple[str, str]]:
        """Tenant and connection of all that are linked to it."""
        found = await self._calls.read("accounts", "SMEMBERS", keys.accounts(provider, account))
        parts = [member.decode().partition("/") for member in found]
        return {(tenant, connection) for tenant, _, connection in parts}
