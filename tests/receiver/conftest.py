"""What tests of the receiver share: one store, and a door with a tenant of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra import embedded
from infra.seal import KeyRing
from infra.settings import Settings
from infra.store import open_store
from tests.receiver.door import Door


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("receiver") / "var"
    server = embedded.start(directory)
    assert server is not None
    yield directory
    server.end()


@pytest.fixture
async def door(data_dir: Path) -> AsyncIterator[Door]:
    async with open_store(Settings(data_dir=data_dir)) as store:
        door = Door(store, KeyRing.fresh())
        yield door
        await door.http.aclose()
