"""A tenant with a connection, a calendar and two applications: what tests of grants share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from infra.store import Store
from schemas.connections import Account, Calendar, Connection
from schemas.people import Actor, Scope
from schemas.providers import Role
from tests.api.stage import MakePartner

CONNECTION = "con_" + "b" * 20
CALENDAR = "cal_" + "b" * 20
NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
PLACES = [{"connection": CONNECTION}, {"calendar": CALENDAR}, {"user": "ada"}]


@dataclass
class Tenant:
    """An application that sees all of the tenant, and one that only asks for meetings."""

    chief: httpx.AsyncClient
    other: httpx.AsyncClient
    application: str
    """The other's."""

    async def give(self, **facts: object) -> httpx.Response:
        """Have the first give the other a grant."""
        return await self.chief.post("/v1/grants", json={"application": self.application, **facts})


async def application_of(store: Store, known: set[str]) -> str:
    """The application that was made since these were known."""
    [new] = set(await store.index.all("acme", "applications", 100)) - known
    return new


async def settled(make_partner: MakePartner, store: Store) -> Tenant:
    """The tenant, with a connection and a calendar."""
    chief = await make_partner("acme", *Scope)
    known = set(await store.index.all("acme", "applications", 100))
    other = await make_partner("acme", Scope.MEETINGS, Scope.START)
    await link(store)
    return Tenant(chief, other, await application_of(store, known))


async def link(store: Store) -> None:
    """A Zoom account of Ada, and a calendar that is watched."""
    given = {
        "id": CONNECTION,
        "provider": "zoom",
        "role": Role.CONFERENCING,
        "account": Account(id="user-1"),
        "user": "ada",
        "linked_at": NOON,
        "linked_by": Actor(kind="operator"),
    }
    await store.documents.put("acme", Connection.model_validate(given))
    await store.documents.put(
        "acme",
        Calendar(
            id=CALENDAR, connection=CONNECTION, provider="google", provider_id="p", created_at=NOON
        ),
    )


async def relink(store: Store, **facts: object) -> None:
    """Change the connection as its lane would."""
    connection = await store.documents.get("acme", Connection, CONNECTION)
    assert connection is not None
    await store.documents.put("acme", connection.model_copy(update=facts))
