"""A tenant with one person's calendar and Zoom account, linked over the real doors."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from infra.cli.api import Api, Json
from infra.cli.moving_in import consent, open_tenant
from infra.cli.partner import Partner, listening
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Event, Meeting
from tests.e2e.tenancy import WITHIN, Tenancy, tomorrow, until

__all__ = ["WITHIN", "Household", "moved_in", "tomorrow", "until"]


@dataclass
class Household(Tenancy):
    """Ada, with a calendar and a Zoom account of her own."""

    ada: str
    calendar: str
    """Google's id of her calendar."""
    watched: str
    """Ours."""
    google: str
    """The connection to her calendar."""
    zoom: str
    """The connection to her Zoom account."""
    clients: dict[str, str]
    """Provider to our client there."""

    async def event(self, title: str = "Standup", **facts: Json) -> Event:
        """Ada makes an event whose location says Zoom."""
        facts = {"location": "Zoom", "starts": tomorrow(), **facts}
        return await self.sandbox.google.add_event(self.calendar, title=title, **facts)

    async def shown(self, event: Event) -> Event:
        """The event as it stands in her calendar."""
        return await self.sandbox.google.event(self.calendar, event.id)

    async def conferences(self) -> list[Meeting]:
        """What exists at Zoom for her."""
        return await self.sandbox.zoom.meetings(self.ada)

    async def provisioned(self, title: str = "Standup", **facts: Json) -> tuple[Event, str]:
        """An event of hers that has its conference, and the meeting's id."""
        before = len(self.partner.heard)
        event = await self.event(title, **facts)
        data = await self.hears("meeting.provisioned", after=before)
        await self.rests()
        return event, data["meeting"]["id"]

    async def join_link_resolves(self, event: Event) -> bool:
        """Whether the link in the event is that of a conference which exists."""
        location = (await self.shown(event)).location
        return any(one.join_url in location for one in await self.conferences())

    async def links_again(self, provider: str, connection: str) -> None:
        """Ada authorises a connection again."""
        side = self.sandbox.zoom if provider == "zoom" else self.sandbox.google
        await side.consent(account=self.ada)
        client = self.clients[provider]
        await consent(self.api, client, back=self.partner.url, connection=connection)


@asynccontextmanager
async def moved_in(
    house: Rehearsal, *, ada: str | None = None, watched: bool = True
) -> AsyncIterator[Household]:
    """A fresh tenant for the block; `ada` may have accounts at the vendors already."""
    tenant = f"t{secrets.token_hex(5)}"
    async with AsyncExitStack() as stack:
        partner = await stack.enter_async_context(listening())
        operator = Api(house.api, house.admin_key)
        stack.push_async_callback(operator.aclose)
        key = await open_tenant(operator, tenant)
        api = Api(house.api, key)
        stack.push_async_callback(api.aclose)
        known = ada is not None
        person = ada or f"ada-{secrets.token_hex(4)}@example.org"
        if not known:
            await house.sandbox.google.add_account(person)
            await house.sandbox.zoom.add_account(person)
        clients = await _register(house, api)
        links = {
            name: await _link(house, api, partner, name, person, clients[name])
            for name in ("google", "zoom")
        }
        rules = [{"keyword": "zoom", "conferencing": links["zoom"]}]
        await api.put("/v1/policy", {"rules": rules, "default": links["zoom"]})
        endpoint = await api.post("/v1/endpoints", {"url": partner.url, "tenant_wide": True})
        partner.secret = endpoint["secret"]
        home = Household(
            house, tenant, api, partner, key, person, person, "",
            google=links["google"], zoom=links["zoom"], clients=clients,
        )  # fmt: skip
        if watched:
            await _watch(home)
        yield home
        await house.sandbox.lift()


async def _register(house: Rehearsal, api: Api) -> dict[str, str]:
    """Our clients at the vendors, and Zoom's subscription."""
    secret = secrets.token_hex(16)
    ours = {"provider": "google", "client_id": "sandbox-google", "secret": "google-secret"}
    google = await api.post("/v1/clients", ours)
    ours = {"provider": "zoom", "client_id": "sandbox-zoom", "secret": "zoom-secret"}
    zoom = await api.post("/v1/clients", {**ours, "webhook_secret": secret})
    await house.sandbox.zoom.subscribe(zoom["notification_url"], secret)
    return {"google": google["id"], "zoom": zoom["id"]}


async def _link(
    house: Rehearsal, api: Api, partner: Partner, provider: str, person: str, client: str
) -> str:
    side = house.sandbox.zoom if provider == "zoom" else house.sandbox.google
    await side.consent(account=person)
    return await consent(api, client, back=partner.url)


async def _watch(home: Household) -> None:
    wish = {"connection": home.google, "provider_id": home.calendar}
    home.watched = (await home.api.post("/v1/calendars", wish))["id"]

    async def open_channels() -> bool:
        channels = await home.sandbox.google.channels()
        return any(one["calendar"] == home.calendar for one in channels)

    await until(open_channels, "the calendar's channel")
    await home.rests()
