"""How does a test of the workers come in by the API, beside them?"""

from __future__ import annotations

import httpx
from starlette.applications import Starlette

from schemas.people import Scope
from tests.api.stage import ADMIN, client
from tests.workers.stage import Stage


async def partner(app: Starlette, stage: Stage, *scopes: Scope) -> tuple[httpx.AsyncClient, str]:
    """A partner's client, and the id of its application."""
    async with client(app, ADMIN) as operator:
        await operator.post("/v1/tenants", json={"id": stage.tenant, "name": "T"})
        listed = f"/v1/tenants/{stage.tenant}/applications"
        made = (await operator.post(listed, json={"name": "app"})).json()["id"]
        body = {"scopes": [*(scopes or [Scope.MEETINGS])]}
        key = (await operator.post(f"{listed}/{made}/keys", json=body)).json()["secret"]
    return client(app, key), made
