"""Who has calendars and accounts? Tenants, linked through the API as anyone would link them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from infra.cli.api import Api
from infra.cli.moving_in import open_tenant
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Tokens
from schemas.providers import PROVIDERS
from tests.chaos.partner import Unreliable
from tests.chaos.vendors import GOOGLE_ZOOM, Host, Pair, side_of

__all__ = ["EVENTS_A_HOST", "Host", "open_tenants"]

HOSTS: Final = 6  # of a tenant: one of each pair, so that nobody's pace at GoTo is for many
EVENTS_A_HOST: Final = 50  # Zoom allows 100 writes a host and day
WATCHED_WITHIN: Final = 120.0
SECRET: Final = "zoom-webhook-secret"
EAGER: Final[dict[str, Any]] = {"retry_s": [1, 2, 4, 8, 15, 30, 60, 120, 300], "timeout_s": 5}
"""How the endpoints are called. Ours by default wait for five minutes after the second failure, and
whether a callback is lost or only late would show no sooner."""


async def open_tenants(
    house: Rehearsal,
    partner: Unreliable,
    hosts: int,
    *,
    each: int = HOSTS,
    pairs: Sequence[Pair] = GOOGLE_ZOOM,
) -> list[Host]:
    """Tenants of `each` hosts, so many in all, each host with the next pair of providers; each
    calendar watched, each callback wanted."""
    await house.sandbox.goto.settings(qps=True)
    operator = Api(house.api, house.admin_key)
    try:
        found: list[Host] = []
        while len(found) < hosts:
            numbers = range(len(found), min(hosts, len(found) + each))
            theirs = [pairs[number % len(pairs)] for number in numbers]
            found += await _open(house, operator, partner, f"t{len(found) // each}", theirs)
    finally:
        await operator.aclose()
    wanted = Counter(host.pair.calendar for host in found)
    async with asyncio.timeout(WATCHED_WITHIN):
        while not wanted <= await _watched(house):  # noqa: ASYNC110 - polled
            await asyncio.sleep(0.2)
    return found


async def _watched(house: Rehearsal) -> Counter[str]:
    channels, subscriptions = await asyncio.gather(
        house.sandbox.google.channels(), house.sandbox.graph.subscriptions()
    )
    return Counter(google=len(channels), graph=len(subscriptions))


async def _open(
    house: Rehearsal, operator: Api, partner: Unreliable, tenant: str, pairs: Sequence[Pair]
) -> list[Host]:
    key = await open_tenant(operator, tenant)
    api = Api(house.api, key)
    try:
        endpoint = {"url": f"{partner.url}/{tenant}", "tenant_wide": True, **EAGER}
        partner.secrets[tenant] = (await api.post("/v1/endpoints", endpoint))["secret"]
        moving = _Moving(house, api, key, tenant)
        found = [await moving.host(number, pair) for number, pair in enumerate(pairs)]
        rules = [{"keyword": one.keyword, "conferencing": one.conferencing} for one in found]
        await api.put("/v1/policy", {"rules": rules})
        for host in found:
            name = host.calendar if host.pair.calendar == "google" else "primary"
            wish = {"connection": host.connection, "provider_id": name}
            await api.post("/v1/calendars", wish)
        return found
    finally:
        await api.aclose()


@dataclass(slots=True)
class _Moving:
    """A tenant whose hosts move in, one by one."""

    house: Rehearsal
    api: Api
    key: str
    tenant: str
    clients: dict[str, str] = field(default_factory=dict)
    """Provider to our client there."""
    google: str = ""
    """The connection to the tenant's only account at Google, which has a calendar for each host."""

    async def host(self, number: int, pair: Pair) -> Host:
        """Another one."""
        keyword = f"room-{number:02}"
        if pair.calendar == "google":
            calendar = await self._google(keyword)
            owner, connection = self._google_account, self.google
        else:
            owner = calendar = await self._mailbox(f"cal{number}")
            connection = await self._link("graph", owner)
        user = await self._user(number, pair, owner)
        conferencing = await self._link(pair.conferencing, user)
        clients = self.clients[pair.calendar], self.clients[pair.conferencing]
        theirs = owner, connection, calendar
        return Host(pair, self.tenant, self.key, *theirs, *clients, user, conferencing, keyword)

    @property
    def _google_account(self) -> str:
        return f"{self.tenant}@example.org"

    async def _google(self, keyword: str) -> str:
        if not self.google:
            await self.house.sandbox.google.add_account(self._google_account)
            self.google = await self._link("google", self._google_account)
        return await self.house.sandbox.google.add_calendar(self._google_account, keyword)

    async def _mailbox(self, name: str) -> str:
        return await self.house.sandbox.graph.add_account(f"{name}@{self.tenant}.example.org")

    async def _user(self, number: int, pair: Pair, owner: str) -> str:
        """An account for conferences; a person's mailbox serves for Teams too."""
        sandbox, email = self.house.sandbox, f"host{number}@{self.tenant}.example.org"
        match pair.conferencing:
            case "zoom":
                return await sandbox.zoom.add_account(email, plan="pro")
            case "goto":
                return await sandbox.goto.add_organizer(email)
            case _ if pair.calendar == "graph":
                return owner
            case _:
                return await self._mailbox(f"host{number}")

    async def _link(self, provider: str, account: str) -> str:
        if provider not in self.clients:
            self.clients[provider] = await self._client(provider)
        name = f"ours-{self.tenant}" if provider == "goto" else ""
        oauth, side = PROVIDERS[provider].oauth, side_of(self.house.sandbox, provider)
        scopes = " ".join(oauth.scopes) if oauth and provider == "google" else ""
        grant = await side.sign_in(account, scopes=scopes, client=name)
        return await _connection(self.api, provider, self.clients[provider], grant)

    async def _client(self, provider: str) -> str:
        """Ours there. GoTo's pace is a client's, so each tenant has its own; Zoom knows where to
        push to."""
        vendor = "graph" if provider.startswith("teams") else provider
        if provider == "goto":
            name, secret = f"ours-{self.tenant}", f"{self.tenant}-secret"
            await self.house.sandbox.goto.add_client(name, secret)
        else:
            name, secret = f"sandbox-{vendor}", f"{vendor}-secret"
        more = {"webhook_secret": SECRET} if provider == "zoom" else {}
        ours = {"provider": provider, "client_id": name, "secret": secret, **more}
        client: Any = await self.api.post("/v1/clients", ours)
        if provider == "zoom":
            await self.house.sandbox.zoom.subscribe(client["notification_url"], SECRET)
        return str(client["id"])


async def _connection(api: Api, provider: str, client: str, grant: Tokens) -> str:
    tokens = {"access_token": grant.access, "refresh_token": grant.refresh}
    linked = await api.post("/v1/connections", {"provider": provider, "client": client, **tokens})
    return str(linked["id"])
