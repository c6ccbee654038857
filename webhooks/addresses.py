"""Whose is the address that was called, and who is linked to an account? The store knows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import SecretStr

from infra.lanes import Lane
from infra.seal import KeyRing, Unsealable
from infra.store import Store
from schemas.connections import Client, Connection, Route
from schemas.seals import Sealed
from webhooks.remembering import Remembered

log = structlog.get_logger()

ADDRESS: Final = re.compile(r"([a-z0-9-]{2,40})\.([A-Za-z0-9_-]{16,64})")
"""`<tenant>.<route id>`"""


@dataclass(frozen=True, slots=True)
class Address:
    """An address below /hooks, with the secrets that its notifications may be signed with."""

    tenant: str
    route: Route
    secrets: tuple[SecretStr, ...] = ()
    known: bool = True


def stranger(provider: str) -> Address:
    """An address that does not exist, but is verified like any other, in the same time."""
    route = Route(id="stranger", provider=provider, proof_sha256="no token has this digest")
    return Address("", route, (SecretStr("no notification is signed with this"),), known=False)


class Directory:
    """Looks up routes, accounts and the secrets that prove them; what it says may be 2 s old."""

    def __init__(self, store: Store, door: KeyRing) -> None:
        self._store = store
        self._door = door
        self._addresses: Remembered[tuple[str, str], Address] = Remembered(self._read_address)
        self._hearers: Remembered[tuple[str, str], tuple[Lane, ...]] = Remembered(
            self._read_hearers
        )
        self._secrets: Remembered[Lane, tuple[SecretStr, ...]] = Remembered(self._read_secrets)

    async def find(self, provider: str, address: str) -> Address:
        """The address, or a stranger's. Raises StoreAway."""
        return await self._addresses.get((provider, address))

    def known(self, provider: str, address: str) -> Address | None:
        """What `find` would say, if that is at hand."""
        return self._addresses.known((provider, address))

    def known_hearers(self, provider: str, account: str) -> tuple[Lane, ...] | None:
        """What `hearers` would say, if that is at hand."""
        return self._hearers.known((provider, account))

    async def hearers(self, provider: str, account: str) -> tuple[Lane, ...]:
        """The lanes of the connections that are linked to a vendor's account. Raises StoreAway."""
        return await self._hearers.get((provider, account))

    async def secrets(self, hearer: Lane) -> tuple[SecretStr, ...]:
        """What the client that a connection uses signs with. Raises StoreAway."""
        return await self._secrets.get(hearer)

    async def _read_address(self, key: tuple[str, str]) -> Address:
        provider, address = key
        parts = ADDRESS.fullmatch(address)
        if parts is None:
            return stranger(provider)
        tenant, name = parts.groups()
        route = await self._store.documents.get(tenant, Route, name)
        if route is None or route.provider != provider:
            return stranger(provider)
        return Address(tenant, route, self._open(tenant, route.client or "", route.secrets_sealed))

    async def _read_hearers(self, key: tuple[str, str]) -> tuple[Lane, ...]:
        provider, account = key
        linked = await self._store.accounts.linked(provider, account)
        return tuple(Lane(tenant, "connection", name) for tenant, name in sorted(linked))

    async def _read_secrets(self, hearer: Lane) -> tuple[SecretStr, ...]:
        documents = self._store.documents
        connection = await documents.get(hearer.tenant, Connection, hearer.subject)
        if connection is None or connection.client is None:
            return ()
        client = await documents.get(hearer.tenant, Client, connection.client)
        if client is None:
            return ()
        return self._open(hearer.tenant, client.id, client.webhook_secrets_sealed)

    def _open(self, tenant: str, client: str, sealed: Iterable[str]) -> tuple[SecretStr, ...]:
        """Open what can be opened: one secret under a lost key leaves the others in force."""
        context = Sealed.WEBHOOK_SECRET.of(tenant, client)
        opened = []
        for each in sealed:
            try:
                opened.append(SecretStr(self._door.open(each, context=context).decode()))
            except Unsealable as reason:
                log.warning("secret.unsealable", tenant=tenant, client=client, why=str(reason))
        return tuple(opened)
