"""A tenant whose people work with Microsoft 365, linked over the real doors."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from infra.cli.api import Json
from infra.cli.moving_in import consent
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Entry, Meeting
from infra.sandbox.documents import Doc
from tests.e2e.tenancy import Tenancy, let_in, tomorrow, until

WORDS: Final = {"zoom": "zoom", "teams": "teams", "online": "teams-event"}
"""Keyword in an event's location to who makes its conference."""


@dataclass
class Office(Tenancy):
    """Ada, with a mailbox and a Zoom account of her own."""

    ada: str
    """Her address."""
    mailbox: str
    """The object id of her mailbox."""
    watched: str
    """Our id of her calendar."""
    links: dict[str, str]
    """Provider to her connection: `graph`, `zoom`, `teams`, `teams-event`."""

    async def event(self, title: str = "Standup", place: str = "Zoom", **facts: Json) -> Entry:
        """Ada makes an event; its location names who makes the conference."""
        told: dict[str, Json] = {"location": {"displayName": place}, "starts": tomorrow(), **facts}
        return await self.sandbox.graph.add_event(self.mailbox, title=title, **told)

    async def shown(self, event: Entry) -> Entry:
        """The event as it stands in her calendar."""
        return await self.sandbox.graph.event(self.mailbox, event.id)

    async def at_zoom(self) -> list[Meeting]:
        """What exists at Zoom for her."""
        return await self.sandbox.zoom.meetings(self.ada)

    async def at_teams(self) -> list[Doc]:
        """The meetings at Teams that stand by themselves."""
        return await self.sandbox.graph.meetings(self.mailbox)

    async def provisioned(
        self, title: str = "Standup", place: str = "Zoom", **facts: Json
    ) -> tuple[Entry, str]:
        """An event of hers that has its conference, and the meeting's id."""
        before = len(self.partner.heard)
        event = await self.event(title, place, **facts)
        data = await self.hears("meeting.provisioned", after=before)
        await self.rests()
        return event, data["meeting"]["id"]


@asynccontextmanager
async def opened(house: Rehearsal, words: Mapping[str, str] = WORDS) -> AsyncIterator[Office]:
    """A fresh tenant for the block, whose Ada has gone through each provider's consent; `words` are
    those in a location that say who makes the conference."""
    sandbox, ada = house.sandbox, f"ada-{secrets.token_hex(4)}@example.org"
    async with let_in(house) as tenancy:
        mailbox = await sandbox.graph.add_account(ada, name="Ada")
        await sandbox.zoom.add_account(ada)
        await sandbox.goto.add_organizer(ada)
        linked = ("graph", *words.values())
        links = {name: await _linked(tenancy, name, ada) for name in linked}
        rules = [{"keyword": word, "conferencing": links[name]} for word, name in words.items()]
        await tenancy.api.put("/v1/policy", {"rules": rules})
        wish = {"connection": links["graph"], "provider_id": "primary"}
        watched = (await tenancy.api.post("/v1/calendars", wish))["id"]

        async def subscribed() -> bool:
            rows = await sandbox.graph.subscriptions()
            return any(row["mailbox"] == mailbox for row in rows)

        await until(subscribed, "the mailbox's subscription")
        await tenancy.rests()
        facts = (tenancy.house, tenancy.tenant, tenancy.api, tenancy.partner, tenancy.key)
        yield Office(*facts, ada=ada, mailbox=mailbox, watched=watched, links=links)


async def _linked(tenancy: Tenancy, provider: str, ada: str) -> str:
    """Ada says yes at the provider's consent page; Teams is a client of Microsoft's too."""
    vendor = "graph" if provider.startswith("teams") else provider
    sandbox = tenancy.sandbox
    side = {"zoom": sandbox.zoom, "goto": sandbox.goto}.get(vendor, sandbox.graph)
    ours = {"provider": provider, "client_id": f"sandbox-{vendor}", "secret": f"{vendor}-secret"}
    client = await tenancy.api.post("/v1/clients", ours)
    await side.consent(account=ada)
    return await consent(tenancy.api, client["id"], back=tenancy.partner.url)
