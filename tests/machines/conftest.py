"""What tests of the machines share: a directory with a store of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import uvloop
from redis.asyncio import Redis

from infra import embedded, valkey
from infra.settings import Settings

AS_WORKERS: Final = {"test_lines.py", "test_wire.py"}


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Workers run on uvloop, whose transports are its own; tests/security calls on asyncio's."""
    if item.path.name in AS_WORKERS:
        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


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
