"""Everything up once, for all tests of the whole path; each test has a tenant of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.cli.rehearsal import Rehearsal, rehearsing
from tests.e2e.household import Household, moved_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all of them share the loop that the processes are listened to on."""
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rehearsal]:
    """Store, receiver, API, worker and sandbox, as processes."""
    async with rehearsing(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def home(house: Rehearsal) -> AsyncIterator[Household]:
    """A tenant of this test alone."""
    async with moved_in(house) as home:
        yield home
