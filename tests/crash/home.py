"""One host of one tenant in a house of its own: who pushes, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.cli.rehearsal import Rehearsal, rehearsing
from tests.chaos.partner import Unreliable, listening
from tests.chaos.tenants import Host, open_tenants


@dataclass
class Home:
    """One host of one tenant, in a house of its own."""

    house: Rehearsal
    partner: Unreliable
    host: Host

    async def notify(self) -> tuple[int, float]:
        """Push as Google does; what the receiver answered, and after how many seconds."""
        [channel] = await self.house.sandbox.google.channels()
        headers = {
            "X-Goog-Channel-ID": str(channel["id"]),
            "X-Goog-Channel-Token": str(channel["token"]),
            "X-Goog-Resource-ID": str(channel["resource"]),
            "X-Goog-Resource-State": "exists",
            "X-Goog-Message-Number": "5",
        }
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            began = time.monotonic()
            answer = await http.post(str(channel["address"]), headers=headers)
            return answer.status_code, time.monotonic() - began

    async def until_calls(self, operation: str, count: int, within: float = 60.0) -> float:
        """Wait until it was called so often; seconds that it took."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            while await self.house.sandbox.calls(operation) < count:  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def events(self, count: int) -> None:
        for number in range(count):
            await self.house.sandbox.google.add_event(
                self.host.calendar, title=f"Event {number}", location=self.host.keyword
            )

    async def announced(self, count: int) -> None:
        """Wait until the partner has heard of so many conferences."""
        async with asyncio.timeout(90):
            while len(self.partner.titles["meeting.provisioned"]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def at_home(place: Path) -> AsyncIterator[Home]:
    """Every process up, with all it keeps below `place`; the partner is reliable."""
    async with contextlib.AsyncExitStack() as stack:
        partner = await stack.enter_async_context(listening(random.Random(1)))
        partner.fails = partner.hangs = 0.0
        house = await stack.enter_async_context(rehearsing(place))
        [host] = await open_tenants(house, partner, 1)
        yield Home(house, partner, host)
