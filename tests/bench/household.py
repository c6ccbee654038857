"""Everything up, as `tests/e2e` has it, for the benches that need the whole path."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from infra import valkey
from infra.cli.rehearsal import rehearsing
from infra.settings import Settings
from tests.e2e.household import Household, moved_in, tomorrow, until

UNLIMITED: Final = {"TIELINE_RATE_PER_S": "0"}


@asynccontextmanager
async def household(
    *, settings: Mapping[str, str] | None = None, copies: Mapping[str, int] | None = None
) -> AsyncIterator[tuple[Household, Redis]]:
    """A tenant whose processes are all up, and the store behind it."""
    with tempfile.TemporaryDirectory() as place:
        given = {**UNLIMITED, **(settings or {})}
        async with (
            rehearsing(Path(place), settings=given, copies=copies) as house,
            moved_in(house) as home,
        ):
            client = valkey.connect(Settings(data_dir=Path(place) / "var"))
            try:
                yield home, client
            finally:
                await client.aclose()


async def rooms(home: Household) -> str:
    """A connection that conferences without asking anybody: what is measured is ours alone."""
    wish = {"provider": "jitsi", "room_url": "https://meet.example.org"}
    return str((await home.api.post("/v1/connections", wish))["id"])


async def ask(home: Household, number: int, connection: str, title: str = "Interview") -> None:
    """A partner asks for a meeting, or changes what it asked for."""
    wish = {
        "title": title,
        "starts_at": tomorrow().isoformat(),
        "ends_at": tomorrow(1).isoformat(),
        "timezone": "Europe/Berlin",
        "conferencing": {"connection": connection},
    }
    await home.api.put(f"/v1/meetings/case-{number}", wish)


async def told(home: Household, kind: str, count: int) -> None:
    """Wait until the partner heard so many callbacks of the type."""

    async def all_heard() -> bool:
        return home.heard().count(kind) >= count

    await until(all_heard, f"{count} callbacks {kind}")
