"""Who plays with the API in tests: partners over HTTP, and the worker at the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from starlette.applications import Starlette

from infra.lanes import Claimed, Unit
from infra.store import Store
from schemas.desk import DeskAnswer, DeskRequest
from schemas.people import Scope

ADMIN: Final = "the-admin-key-of-these-tests"
ALL: Final = tuple(scope for scope in Scope if scope is not Scope.TENANT_WIDE)
MEETING: Final = {
    "title": "Interview with Ada",
    "starts_at": "2027-01-05T10:00:00+01:00",
    "ends_at": "2027-01-05T11:00:00+01:00",
    "timezone": "Europe/Berlin",
}

MakePartner = Callable[..., Awaitable[httpx.AsyncClient]]
LinkUp = Callable[..., Awaitable[str]]


def client(app: Starlette, key: str | None = None) -> httpx.AsyncClient:
    """A client that sends this key. Follows no redirect, keeps cookies."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://api.test",
        headers={"authorization": f"Bearer {key}"} if key else {},
    )


def kind_of(answer: httpx.Response) -> str:
    """The last part of a problem's type."""
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).rpartition("/")[2]


Reply = Callable[[DeskRequest, str], dict[str, Any]]


@dataclass
class DeskWorker:
    """The worker's side of the desk: real lanes, answers as a test says."""

    store: Store
    reply: Reply = lambda request, tenant: {"state": "done"}
    asked: list[DeskRequest] = field(default_factory=list)

    async def work(self) -> None:
        lanes = self.store.lanes
        while True:
            await lanes.duty("desk", "the-tests-worker")
            for claimed in await lanes.claim("desk", 4, empty=True):
                await self._answer(claimed)
            await asyncio.sleep(0.01)

    async def _answer(self, claimed: Claimed) -> None:
        tenant, id_ = claimed.lane.tenant, claimed.lane.subject
        request = await self.store.documents.get(tenant, DeskRequest, id_)
        assert request is not None
        self.asked.append(request)
        answer = DeskAnswer(id=id_, **self.reply(request, tenant))
        done = [item.id for item in claimed.items]
        await self.store.lanes.commit(claimed, Unit(handled=done, puts=[answer]))
        await self.store.answers.ring(request.reply_to, id_)
