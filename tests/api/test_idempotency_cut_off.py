"""What a keyed call leaves when it is cut off: by a kill, a lost store, a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from infra import points
from infra.errors import StoreAway
from infra.lanes import Unit
from infra.points import Fault
from infra.settings import Settings
from infra.store import Store
from schemas.connections import Client
from schemas.keyed import KeyedCall
from schemas.people import Actor
from tests.api.serving import served
from tests.api.stage import client, kind_of
from tests.api.test_idempotency import KEY, ZOOM, record_of
from webhooks.api.auth import Caller
from webhooks.api.mounting import mount
from webhooks.api.operation import Answer, Call, Operation
from webhooks.api.problems import HANDLERS
from webhooks.app import open_front


@pytest.fixture(autouse=True)
def _no_fault_stays_armed() -> Iterator[None]:
    yield
    points.arm()


async def age(store: Store, id_: str, tenant: str = "acme") -> KeyedCall:
    """Let the record be as old as if its process had died a minute ago."""
    call = await store.documents.get(tenant, KeyedCall, id_)
    assert call is not None
    aged = call.model_copy(update={"begun_at": call.begun_at - timedelta(minutes=1)})
    await store.lanes.submit(tenant, Unit(puts=[aged]))
    return aged


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_at_the_write_leaves_one_thing_and_one_answer(
    home: Path, store: Store, partner: httpx.AsyncClient, app: Starlette, when: str
) -> None:
    key = partner.headers["authorization"].removeprefix("Bearer ")
    fault = Fault.model_validate({"point": "store.submit", "when": when, "do": "kill", "nth": 2})
    async with served(home, faults=f"[{fault.model_dump_json()}]") as (process, address):
        async with httpx.AsyncClient(
            base_url=address, headers={"authorization": f"Bearer {key}"}, trust_env=False
        ) as doomed:
            with pytest.raises(httpx.TransportError):
                await doomed.post("/v1/clients", json=ZOOM, headers=KEY, timeout=60)
        assert await asyncio.to_thread(process.wait, 30) != 0
    made_before = await store.index.all("acme", "clients", 10)
    await age(store, (await the_record(store)).id)

    again = await partner.post("/v1/clients", json=ZOOM, headers=KEY)

    assert len(made_before) == {"before": 0, "after": 1}[when]
    assert again.status_code == 201
    assert [*await store.index.all("acme", "clients", 10)] == [again.json()["id"]]


async def the_record(store: Store) -> KeyedCall:
    (app,) = await store.index.all("acme", "applications", 10)
    caller = Caller(Actor(kind="application"), "acme", app)
    id_ = record_of(caller, "createClient", "/v1/clients")
    found = await store.documents.get("acme", KeyedCall, id_)
    assert found is not None
    return found


async def test_one_that_was_overtaken_writes_nothing(
    partner: httpx.AsyncClient, store: Store
) -> None:
    """The first is held up in mid-write, taken for dead, and repeated."""
    points.arm(Fault(point="store.submit", when="before", do="cut", nth=2))
    cut = await partner.post("/v1/clients", json=ZOOM, headers=KEY)
    overtaken = await age(store, (await the_record(store)).id)

    again = await partner.post("/v1/clients", json=ZOOM, headers=KEY)
    late = Unit(puts=[overtaken, Client.model_validate(LATE)])

    assert (cut.status_code, again.status_code) == (503, 201)
    with pytest.raises(Exception, match="written by another"):
        await store.lanes.submit("acme", late)
    assert [*await store.index.all("acme", "clients", 10)] == [again.json()["id"]]


LATE: dict[str, Any] = {
    "id": "cli_late",
    "provider": "zoom",
    "client_id": "x",
    "secret_sealed": "",
    "created_at": datetime(2027, 1, 1, tzinfo=UTC),
}


async def test_while_the_first_is_at_work_the_second_is_told_to_come_back(
    partner: httpx.AsyncClient, store: Store
) -> None:
    points.arm(Fault(point="store.submit", when="before", do="cut", nth=2))
    await partner.post("/v1/clients", json=ZOOM, headers=KEY)

    answer = await partner.post("/v1/clients", json=ZOOM, headers=KEY)

    assert (answer.status_code, kind_of(answer)) == (409, "under-way")
    assert answer.headers["retry-after"] == "2"


async def test_what_may_not_be_done_twice_says_that_its_outcome_is_unknown(
    settings: Settings, store: Store, partner: httpx.AsyncClient
) -> None:
    async def breaks(call: Call[None]) -> Answer:
        raise StoreAway("it went away in the middle")

    row = Operation[Any](
        name="breaks", method="POST", path="/v1/x", room="X", needs="key", says="", handle=breaks
    )
    routes = mount([row], open_front(settings, store))
    key = partner.headers["authorization"].removeprefix("Bearer ")
    async with client(Starlette(routes=routes, exception_handlers=HANDLERS), key) as one:
        broken = await one.post("/v1/x", headers=KEY)
        (app,) = await store.index.all("acme", "applications", 10)
        await age(
            store, record_of(Caller(Actor(kind="application"), "acme", app), "breaks", "/v1/x")
        )
        again = await one.post("/v1/x", headers=KEY)

    assert broken.status_code == 503
    assert (again.status_code, kind_of(again)) == (409, "outcome-unknown")
    assert "under a new key only if it is not there" in again.json()["detail"]
