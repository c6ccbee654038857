"""What tests of the API share: a store, the app in front of it, keys, and a worker's side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from infra import embedded, seal, valkey
from infra.seal import KeyRing
from infra.settings import Settings
from infra.store import Store, open_store
from schemas.connections import Account, Connection
from schemas.people import Actor, Scope
from schemas.providers import Role
from tests.api.stage import ADMIN, ALL, DeskWorker, LinkUp, MakePartner, client
from webhooks.app import open_app


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One server and one set of keys for all tests here; each test begins with an empty store."""
    data_dir = tmp_path_factory.mktemp("api") / "var"
    for name in ("vault", "door"):
        seal.generate(data_dir / "keys" / f"{name}.private", data_dir / "keys" / f"{name}.public")
    server = embedded.start(data_dir)
    assert server is not None
    yield data_dir
    server.end()


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(
        data_dir=home,
        admin_key=SecretStr(ADMIN),
        public_url="http://api.test",
        receiver_url="https://hooks.test",
        rate_burst=1_000_000,
        provider_urls={"google": "http://google.test", "zoom": "http://zoom.test"},
    )


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    client = valkey.connect(settings)
    await client.flushall()
    await client.aclose()
    async with open_store(settings) as opened:
        yield opened


@pytest.fixture
async def app(settings: Settings, store: Store) -> AsyncIterator[Starlette]:
    async with open_app(settings) as opened:
        yield opened


@pytest.fixture
async def stranger(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Someone without a key."""
    async with client(app) as nobody:
        yield nobody


@pytest.fixture
async def operator(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Someone with the admin key."""
    async with client(app, ADMIN) as admin:
        yield admin


@pytest.fixture
async def make_partner(app: Starlette, operator: httpx.AsyncClient) -> AsyncIterator[MakePartner]:
    """Makes an application with a key, through the operator's door, and gives its client."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(tenant: str = "acme", *scopes: Scope) -> httpx.AsyncClient:
            await operator.post("/v1/tenants", json={"id": tenant, "name": tenant})
            applications = f"/v1/tenants/{tenant}/applications"
            application = (await operator.post(applications, json={"name": "app"})).json()
            key = await operator.post(
                f"{applications}/{application['id']}/keys", json={"scopes": [*(scopes or ALL)]}
            )
            return await stack.enter_async_context(client(app, key.json()["secret"]))

        yield make


@pytest.fixture
async def partner(make_partner: MakePartner) -> httpx.AsyncClient:
    """An application of the tenant `acme` with every scope but the tenant-wide one."""
    return await make_partner()


@pytest.fixture
def vault(home: Path) -> KeyRing:
    return KeyRing.load(home / "keys" / "vault.private")


@pytest.fixture
def door(home: Path) -> KeyRing:
    return KeyRing.load(home / "keys" / "door.private")


@pytest.fixture
async def worker(store: Store) -> AsyncIterator[DeskWorker]:
    """A worker on duty at the desk."""
    at_work = DeskWorker(store)
    await store.lanes.duty("desk", "the-tests-worker")
    task = asyncio.create_task(at_work.work())
    yield at_work
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def link_up(store: Store) -> LinkUp:
    """Stores a connection as the desk lane would have written it."""

    async def link(role: Role, provider: str, *, tenant: str = "acme", **more: str) -> str:
        id_ = f"con_{provider:a<20}"[:24]
        facts = {
            "id": id_,
            "provider": provider,
            "role": role,
            "account": Account(id="user-1", account_id="account-1", name="Ada"),
            "linked_at": "2027-01-01T00:00:00Z",
            "linked_by": Actor(kind="operator"),
        }
        connection = Connection.model_validate({**facts, **more})
        await store.documents.put(tenant, connection)
        return id_

    return link
