"""What tests of the machines share: a directory with a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from infra import embedded, valkey
from infra.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[embedded.Server]:
    """A store that has started to listen; before that it has no files and no socket."""
    server = embedded.start(settings.data_dir)
    assert server is not None
    client = valkey.connect(settings)
    await valkey.ready(client, within=timedelta(seconds=10))
    await client.aclose()
    yield server
    server.end()


@pytest.fixture
async def store(settings: Settings, server: embedded.Server) -> AsyncIterator[Redis]:
    client = valkey.connect(settings)
    yield client
    await client.aclose()
