"""How does a partner use the API of a stage? Over HTTP, with a key of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from infra.http.guard import Guard
from infra.lanes import Lane
from infra.seal import KeyRing
from schemas.endpoints import Endpoint
from schemas.people import Scope
from tests.workers.stage import Stage, until
from webhooks.api.desk import Desk
from webhooks.api.front import Front
from webhooks.api.uses import Uses
from webhooks.app import build, new_secret

ADMIN = "the-admin-key-of-these-tests"


@dataclass
class Partner:
    """One application and its client."""

    client: httpx.AsyncClient
    application: str
    stage: Stage

    async def endpoint(self, url: str, **facts: object) -> dict[str, Any]:
        """A new endpoint, as the API shows it once."""
        answer = await self.client.post("/v1/endpoints", json={"url": url, **facts})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """What a GET answers."""
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def ask(self, path: str, **body: object) -> dict[str, Any]:
        """What a POST answers."""
        answer = await self.client.post(path, json=body)
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def told(self, count: int = 1, *, meetings: int = 1) -> list[list[str]]:
        """So many callbacks about each of some meetings of the application; their ids."""
        found = [await self.stage.meeting(application=self.application) for _ in range(meetings)]
        return [await self.stage.announce(meeting, count) for meeting in found]

    async def state(self, endpoint: str) -> str:
        """How an endpoint stands."""
        return str((await self.read(f"/v1/endpoints/{endpoint}"))["state"])

    async def waits_for(self, endpoint: str, state: str) -> None:
        """Until an endpoint is in this state."""

        async def there() -> bool:
            return await self.state(endpoint) == state

        await until(there)

    async def nothing_waits(self, endpoint: str) -> None:
        """Until everything for an endpoint was delivered or given up."""

        async def done() -> bool:
            return (await self.read(f"/v1/endpoints/{endpoint}"))["waiting"] == 0

        await until(done)

    async def hurry(self, endpoint: str, meeting: str) -> None:
        """Let a lane that backs off go on now, as an operator does."""
        lane = Lane(self.stage.tenant, "callback", f"{endpoint}/{meeting}")
        await self.stage.runtime.store.lanes.retry(lane)

    async def stored(self, endpoint: str) -> Endpoint:
        """The endpoint's document."""
        found = await self.stage.runtime.store.documents.get(self.stage.tenant, Endpoint, endpoint)
        assert found is not None
        return found


def front_of(stage: Stage) -> Front:
    """The API over the stage's own store and vault."""
    runtime = stage.runtime
    return Front(
        store=runtime.store,
        settings=runtime.settings,
        vault=runtime.vault_lock,
        door=runtime.vault_lock,
        desk=Desk(runtime.store, "web_1", KeyRing.fresh(), runtime.now, runtime.new_id),
        guard=Guard.of(runtime.settings),
        uses=Uses(runtime.store),
        now=runtime.now,
        new_id=runtime.new_id,
        new_secret=new_secret,
    )


@asynccontextmanager
async def at_the_door(stage: Stage, *scopes: Scope) -> AsyncIterator[Partner]:
    """A partner of the stage's tenant, admitted by the operator."""
    app = build(front_of(stage), pressed=lambda: False, health=[])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        operator = {"authorization": f"Bearer {ADMIN}"}
        tenant = {"id": stage.tenant, "name": "A tenant"}
        await client.post("/v1/tenants", json=tenant, headers=operator)
        applications = f"/v1/tenants/{stage.tenant}/applications"
        made = await client.post(applications, json={"name": "App"}, headers=operator)
        id_ = made.json()["id"]
        body = {"scopes": [*(scopes or (Scope.MANAGE, Scope.MEETINGS))]}
        key = await client.post(f"{applications}/{id_}/keys", json=body, headers=operator)
        client.headers["authorization"] = f"Bearer {key.json()['secret']}"
        yield Partner(client, id_, stage)
