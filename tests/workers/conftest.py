"""What tests of the workers share: one store, one sandbox, and a runtime over both."""

from __future__ import annotations

import io
import random
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from infra import embedded, seal, valkey
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from infra.sandbox.process import serving
from infra.seal import KeyRing
from infra.settings import Settings
from infra.store import Store, open_store
from tests.logged import logged
from tests.workers.partner import ADMIN, Partner, at_the_door
from tests.workers.stage import Stage
from webhooks.app import open_app
from workers.main import new_id
from workers.providers import calendars, conferences
from workers.runtime import Runtime


def present() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("workers") / "var"
    server = embedded.start(directory)
    assert server is not None
    yield directory
    server.end()


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[Sandbox]:
    async with Sandbox.at(sandbox_url) as sandbox:
        await sandbox.reset()
        yield sandbox


@pytest.fixture
def settings(data_dir: Path, sandbox_url: str) -> Settings:
    return Settings(
        data_dir=data_dir,
        admin_key=SecretStr(ADMIN),
        allow_loopback_endpoints=True,
        provider_urls={
            name: f"{sandbox_url}/{name}" for name in ("zoom", "google", "graph", "goto")
        },
        quarantine_s={"zoom": 0.2},
    )


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """Empty: what one test leaves to be tried again later would be tried in another."""
    client = valkey.connect(settings)
    await client.flushall()
    await client.aclose()
    async with open_store(settings) as store:
        yield store


@pytest.fixture
async def runtime(store: Store, settings: Settings) -> AsyncIterator[Runtime]:
    vault = KeyRing.fresh()
    providers, partners = Wire.to_providers(settings), Wire.to_partners(settings)
    yield Runtime(
        store=store,
        settings=settings,
        vault=vault,
        vault_lock=vault.newest,
        reference_key=b"a key of this deployment",
        partners_wire=partners,
        calendars=calendars(providers, present),
        conferences=conferences(providers, present),
        providers_wire=providers,
        now=present,
        dice=random.Random(1).random,
        new_id=new_id,
    )
    await providers.aclose()
    await partners.aclose()


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What is logged from now on."""
    with logged(level="debug") as out:
        yield out


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """A tenant of this test alone."""
    return Stage(runtime, f"t-{secrets.token_hex(6)}")


@pytest.fixture
async def partner(stage: Stage) -> AsyncIterator[Partner]:
    """An application of the stage's tenant, over HTTP."""
    async with at_the_door(stage) as partner:
        yield partner


@pytest.fixture(scope="session")
def doors_settings(data_dir: Path) -> Settings:
    for name in ("vault", "door"):
        seal.generate(data_dir / "keys" / f"{name}.private", data_dir / "keys" / f"{name}.public")
    return Settings(data_dir=data_dir, admin_key=SecretStr(ADMIN))


@pytest.fixture
async def app(doors_settings: Settings, store: Store) -> AsyncIterator[Starlette]:
    async with open_app(doors_settings) as opened:
        yield opened
