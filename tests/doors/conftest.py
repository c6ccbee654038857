"""What tests at the doors share: one installation, started by `tieline up`, and one sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.sandbox.process import serving
from tests.doors.house import House, up
from tests.doors.play import Play, playing


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Iterator[House]:
    """All tests here use one; each has a tenant of its own."""
    with up(tmp_path_factory.mktemp("doors") / "var", sandbox_url) as house:
        yield house


@pytest.fixture
async def play(house: House) -> AsyncIterator[Play]:
    async with playing(house) as play:
        yield play
