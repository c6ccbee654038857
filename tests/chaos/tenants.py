"""Who has calendars and accounts? Tenants, linked through the API as anyone would link them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from infra.cli.api import Api
from infra.cli.moving_in import open_tenant
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Tokens
from schemas.providers import PROVIDERS
from tests.chaos.partner import Unreliable

HOSTS: Final = 20  # of a tenant; a policy holds 50 rules
EVENTS_A_HOST: Final = 50  # Zoom allows 100 writes a host and day
WATCHED_WITHIN: Final = 120.0
SECRET: Final = "zoom-webhook-secret"


@dataclass(frozen=True, slots=True)
class Host:
    """A calendar whose events get their conferences from one Zoom account."""

    tenant: str
    key: str
    """Of the tenant's application."""
    owner: str
    """Google's account."""
    connection: str
    """Ours to it."""
    calendar: str
    client: str
    """Ours at Zoom."""
    user: str
    """Zoom's."""
    conferencing: str
    """Our connection to that."""
    keyword: str


async def open_tenants(
    house: Rehearsal, partner: Unreliable, hosts: int, *, each: int = HOSTS
) -> list[Host]:
    """Tenants of `each` hosts, so many in all; each calendar watched, each callback wanted."""
    operator = Api(house.api, house.admin_key)
    try:
        found: list[Host] = []
        while len(found) < hosts:
            some = min(each, hosts - len(found))
            found += await _open(house, operator, partner, f"t{len(found) // each}", some)
    finally:
        await operator.aclose()
    async with asyncio.timeout(WATCHED_WITHIN):
        while len(await house.sandbox.google.channels()) < len(found):  # noqa: ASYNC110 - polled
            await asyncio.sleep(0.2)
    return found


async def _open(
    house: Rehearsal, operator: Api, partner: Unreliable, tenant: str, hosts: int
) -> list[Host]:
    key = await open_tenant(operator, tenant)
    api = Api(house.api, key)
    try:
        endpoint = {"url": f"{partner.url}/{tenant}", "tenant_wide": True}
        partner.secrets[tenant] = (await api.post("/v1/endpoints", endpoint))["secret"]
        return await _link(house, api, key, tenant, hosts)
    finally:
        await api.aclose()


async def _link(house: Rehearsal, api: Api, key: str, tenant: str, hosts: int) -> list[Host]:
    google, zoom = house.sandbox.google, house.sandbox.zoom
    email = await google.add_account(f"{tenant}@example.org")
    at_google = await _client(api, "google")
    at_zoom = await _client(api, "zoom", webhook_secret=SECRET)
    await zoom.subscribe(at_zoom["notification_url"], SECRET)
    oauth = PROVIDERS["google"].oauth
    grant = await google.sign_in(email, scopes=" ".join(oauth.scopes if oauth else ()))
    calendars = await _connection(api, "google", at_google["id"], grant)
    found, rules = [], []
    for number in range(hosts):
        user = await zoom.add_account(f"host{number}@{tenant}.example.org", plan="pro")
        grant = await zoom.sign_in(user)
        linked = await _connection(api, "zoom", at_zoom["id"], grant)
        keyword = f"zoom-{number:02}"
        rules.append({"keyword": keyword, "conferencing": linked})
        calendar = await google.add_calendar(email, keyword)
        ours = (calendars, calendar, at_zoom["id"], user, linked)
        found.append(Host(tenant, key, email, *ours, keyword))
    await api.put("/v1/policy", {"rules": rules})
    for host in found:
        await api.post("/v1/calendars", {"connection": calendars, "provider_id": host.calendar})
    return found


async def _client(api: Api, provider: str, **more: str) -> Any:  # noqa: ANN401  the API's JSON
    ours = {"client_id": f"sandbox-{provider}", "secret": f"{provider}-secret"}
    return await api.post("/v1/clients", {"provider": provider, **ours, **more})


async def _connection(api: Api, provider: str, client: str, grant: Tokens) -> str:
    tokens = {"access_token": grant.access, "refresh_token": grant.refresh}
    linked = await api.post("/v1/connections", {"provider": provider, "client": client, **tokens})
    return str(linked["id"])
