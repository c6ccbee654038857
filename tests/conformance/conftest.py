"""What the conformance suites share: one sandbox process, begun anew for each test, and a wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from infra.sandbox.process import serving


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
async def sandbox(address: str) -> AsyncIterator[Sandbox]:
    async with Sandbox.at(address) as sandbox:
        await sandbox.reset()
        yield sandbox


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.aclose()
