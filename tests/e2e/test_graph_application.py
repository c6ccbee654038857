"""Mailboxes that an organisation's administrator opens to our client, without their people."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from infra.cli.api import Problem
from infra.cli.moving_in import consent
from infra.cli.rehearsal import Rehearsal
from tests.e2e.tenancy import Tenancy, let_in, tomorrow, until

DIRECTORY = "contoso.example"
KEY = "the-secret-of-our-application"


@dataclass
class Organisation(Tenancy):
    """Its room, our client there, and a Zoom account."""

    client: str
    vendor_client: str
    zoomer: str
    room: str
    """The object id of its mailbox."""

    async def linked(self, mailbox: str = "") -> dict[str, Any]:
        """A connection to a mailbox: the room's unless said."""
        wish = {"provider": "graph", "client": self.client, "directory": DIRECTORY}
        told = await self.api.post("/v1/connections", {**wish, "mailbox": mailbox or self.room})
        link: dict[str, Any] = told
        return link

    async def watched(self, connection: str) -> dict[str, Any]:
        """Its calendar, watched, or looked at again."""
        wish = {"connection": connection, "provider_id": "primary"}
        calendar: dict[str, Any] = await self.api.post("/v1/calendars", wish)
        return calendar

    async def trouble(self, calendar: str) -> str:
        """Why the calendar cannot be read."""
        told = await self.api.get(f"/v1/calendars/{calendar}")
        return str(told["reason"]) if told["state"] == "failing" else ""

    async def provisioned(self, title: str = "Board") -> None:
        """Somebody puts an event into the room, and it gets its conference."""
        before = len(self.partner.heard)
        await self.sandbox.graph.add_event(
            self.room, title=title, starts=tomorrow(), location={"displayName": "Zoom"}
        )
        await self.hears("meeting.provisioned", after=before)
        await self.rests()


@pytest_asyncio.fixture(loop_scope="session")
async def organisation(house: Rehearsal) -> AsyncIterator[Organisation]:
    async with let_in(house) as home:
        mark, sandbox = secrets.token_hex(4), house.sandbox
        room = await sandbox.graph.add_account(f"room-{mark}@{DIRECTORY}", name="Blue")
        await sandbox.graph.add_client(f"app-{mark}", KEY, account=DIRECTORY)
        ours = {"provider": "graph", "client_id": f"app-{mark}", "secret": KEY}
        client = (await home.api.post("/v1/clients", ours))["id"]
        zoomer = f"zoomer-{mark}@example.org"
        await sandbox.zoom.add_account(zoomer)
        await sandbox.zoom.consent(account=zoomer)
        ours = {"provider": "zoom", "client_id": "sandbox-zoom", "secret": "zoom-secret"}
        zoom = await consent(
            home.api, (await home.api.post("/v1/clients", ours))["id"], back=home.partner.url
        )
        await home.api.put("/v1/policy", {"rules": [{"keyword": "zoom", "conferencing": zoom}]})
        facts = (home.house, home.tenant, home.api, home.partner, home.key)
        yield Organisation(
            *facts, client=client, vendor_client=f"app-{mark}", zoomer=zoomer, room=room
        )


async def test_a_mailbox_is_worked_in_without_its_person_and_its_token_renewed(
    organisation: Organisation,
) -> None:
    link = await organisation.linked()
    await organisation.watched(link["id"])
    await organisation.rests()

    await organisation.provisioned()
    await organisation.sandbox.graph.expire_access(f"application:{DIRECTORY}")
    await organisation.provisioned("Board again")

    assert (link["account"]["id"], link["directory"]) == (organisation.room, DIRECTORY)
    assert len(await organisation.sandbox.zoom.meetings(organisation.zoomer)) == 2
    assert (await organisation.api.get(f"/v1/connections/{link['id']}"))["state"] == "linked"
    assert KEY not in organisation.house.log.read_text()


async def test_a_mailbox_out_of_the_policy_is_not_permitted_at_the_link(
    organisation: Organisation,
) -> None:
    await organisation.sandbox.graph.permit(organisation.room, permitted=False)

    with pytest.raises(Problem, match="not permitted"):
        await organisation.linked()

    listed = (await organisation.api.get("/v1/connections"))["items"]
    assert [one["provider"] for one in listed] == ["zoom"]


async def test_a_mailbox_that_leaves_the_policy_is_not_permitted_until_it_is_asked_for_again(
    organisation: Organisation,
) -> None:
    calendar = await organisation.watched((await organisation.linked())["id"])
    await organisation.rests()
    await organisation.provisioned()

    await organisation.sandbox.graph.permit(organisation.room, permitted=False)
    await organisation.sandbox.graph.notify(organisation.room)

    async def said() -> bool:
        return "not permitted" in await organisation.trouble(calendar["id"])

    await until(said, "the refusal")
    await organisation.sandbox.graph.permit(organisation.room, permitted=True)
    asked = await organisation.watched((await organisation.linked())["id"])
    again = await organisation.watched(calendar["connection"])

    async def mended() -> bool:
        return await organisation.trouble(calendar["id"]) == ""

    assert await until(mended, "the reading")
    assert asked["id"] != calendar["id"]
    assert again["id"] == calendar["id"]


async def test_an_organisation_that_did_not_consent_refuses_in_words(
    organisation: Organisation,
) -> None:
    await organisation.sandbox.graph.add_client(organisation.vendor_client, KEY)

    with pytest.raises(Problem, match="administrator there has to consent"):
        await organisation.linked()


async def test_consent_that_is_withdrawn_is_said_and_not_asked_for_ever(
    organisation: Organisation,
) -> None:
    link = await organisation.linked()
    await organisation.watched(link["id"])
    await organisation.rests()

    await organisation.sandbox.graph.add_client(organisation.vendor_client, KEY)
    await organisation.sandbox.graph.expire_access(f"application:{DIRECTORY}")
    await organisation.sandbox.graph.add_event(organisation.room, title="Board")
    told = await organisation.hears("connection.needs_reauth")

    assert "administrator" in told["reason"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"directory": DIRECTORY}, "mailbox"),
        ({"mailbox": "room@contoso.example"}, "mailbox"),
        ({"directory": DIRECTORY, "mailbox": "room", "access_token": "t"}, "access_token"),
        ({"directory": "a/../b", "mailbox": "room"}, "directory"),
        ({"provider": "zoom", "directory": DIRECTORY, "mailbox": "room"}, "directory"),
        ({"provider": "jitsi", "directory": DIRECTORY, "mailbox": "room"}, "provider"),
    ],
)
async def test_what_does_not_fit_together_is_refused_by_its_field(
    organisation: Organisation, wish: dict[str, str], field: str
) -> None:
    asked = {"provider": "graph", "client": organisation.client, **wish}

    with pytest.raises(Problem, match=field):
        await organisation.api.post("/v1/connections", asked)
