"""A tenant and its partner, whichever vendors its people have accounts with."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from infra.cli.api import Api, Json
from infra.cli.moving_in import open_tenant
from infra.cli.partner import Partner, listening
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Sandbox

T = TypeVar("T")

WITHIN: Final = timedelta(seconds=60)
"""Patience with a busy machine; nothing here is about speed."""


TOMORROW: Final = (datetime.now(UTC) + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
"""The same for a whole run, or a test over a full hour would see two."""


def tomorrow(hours: int = 0) -> datetime:
    """A full hour of tomorrow, in UTC."""
    return TOMORROW + timedelta(hours=hours)


async def until(holds: Callable[[], Awaitable[T]], what: str = "it") -> T:
    """Wait until it holds, and return what it returned."""
    end = time.monotonic() + WITHIN.total_seconds()
    while not (found := await holds()):
        assert time.monotonic() < end, f"{what} did not come to hold in time"
        await asyncio.sleep(0.05)
    return found


@dataclass
class Tenancy:
    """The tenant, its application's key and its partner."""

    house: Rehearsal
    tenant: str
    api: Api
    partner: Partner
    key: str
    """Of the tenant's application."""

    @property
    def sandbox(self) -> Sandbox:
        """The vendors."""
        return self.house.sandbox

    async def tieline(self, *words: str) -> tuple[int, Any]:
        """Run a command with this key, as a process; its exit code and what it told."""
        where = ["--address", self.house.api, "--key", self.key, "--json"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from infra.cli import main; main()", *where, *words,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode or 0, orjson.loads(out or b"null")

    async def hears(self, kind: str, *, after: int = 0) -> dict[str, Any]:
        """Wait until the partner has heard a callback of this type; returns its data."""
        told = await self.partner.waits_for(kind, after=after, seconds=WITHIN.total_seconds())
        data: dict[str, Any] = told["data"]
        return data

    def heard(self) -> list[str]:
        """The types of the callbacks about meetings so far."""
        return [one["type"] for one in self.partner.heard if one["type"].startswith("meeting.")]

    async def meeting(self, id_: str) -> Json:
        """The meeting as a partner sees it."""
        return await self.api.get(f"/v1/meetings/{id_}")

    async def explained(self, id_: str) -> Json:
        """Why it stands as it does."""
        return await self.api.get(f"/v1/meetings/{id_}/explain")

    async def timeline(self, id_: str) -> list[dict[str, Any]]:
        """What happened to it."""
        told = await self.api.get(f"/v1/meetings/{id_}/timeline")
        items: list[dict[str, Any]] = told["items"]
        return items

    async def rests(self) -> None:
        """Wait until no notification is under way and nothing is said at the vendors any more."""
        before = -1
        quiet = 0
        while quiet < 3:
            await self.sandbox.settled()
            now = sum((await self.sandbox.all_calls()).values())
            quiet = quiet + 1 if now == before else 0
            before = now
            await asyncio.sleep(0.15)


@asynccontextmanager
async def let_in(house: Rehearsal) -> AsyncIterator[Tenancy]:
    """A fresh tenant for the block, whose partner hears everything."""
    tenant = f"t{secrets.token_hex(5)}"
    async with AsyncExitStack() as stack:
        partner = await stack.enter_async_context(listening())
        operator = Api(house.api, house.admin_key)
        stack.push_async_callback(operator.aclose)
        key = await open_tenant(operator, tenant)
        api = Api(house.api, key)
        stack.push_async_callback(api.aclose)
        endpoint = await api.post("/v1/endpoints", {"url": partner.url, "tenant_wide": True})
        partner.secret = endpoint["secret"]
        yield Tenancy(house, tenant, api, partner, key)
        await house.sandbox.lift()
