"""How many readings do ten thousand hints about one calendar cost?

The hints go over the receiver's wire from a process of their own, as fast as it takes them.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx

from tests.bench.household import household
from tests.bench.load import Job, Result
from tests.bench.stand import python, told
from tests.e2e.household import Household

HINTS: Final = 10_000
CONNECTIONS: Final = 64


async def measure() -> dict[str, Any]:
    """Reads of the calendar at the provider while and after the hints came.

    A reading that finds nothing is followed by another 15 s later (ENGINE 19); it counts too.
    """
    async with household() as (home, _):
        await home.provisioned()
        before = await home.sandbox.google.reads_of(home.calendar)
        result = await _send(await _hint(home))
        await home.rests()
        at_once = await home.sandbox.google.reads_of(home.calendar) - before
        await asyncio.sleep(20)
        reads = await home.sandbox.google.reads_of(home.calendar) - before
    return {
        "provider_reads": reads,
        "raw": {
            "hints": sum(result["statuses"].values()),
            "answered": result["statuses"],
            "hints_per_s": round(result["per_second"]),
            "reads_before_the_second_look": at_once,
        },
    }


async def _hint(home: Household) -> bytes:
    """A request as the provider sends it for the calendar's channel."""
    (channel,) = [
        one
        for one in await home.sandbox.google.channels()
        if one["calendar"] == home.calendar and not one["stopped"]
    ]
    url = httpx.URL(str(channel["address"]))
    lines = [
        f"POST {url.path} HTTP/1.1",
        f"host: {url.host}:{url.port}",
        f"x-goog-channel-id: {channel['id']}",
        f"x-goog-channel-token: {channel['token']}",
        f"x-goog-resource-id: {channel['resource']}",
        "x-goog-resource-state: exists",
        "x-goog-message-number: 7",
        "content-length: 0",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


async def _send(hint: bytes) -> Result:
    port = int(hint.split(b"host: ")[1].split(b"\r\n")[0].rpartition(b":")[2])
    with tempfile.TemporaryDirectory() as place:
        requests = Path(place) / "requests"
        one = len(hint).to_bytes(4, "big") + hint
        await asyncio.to_thread(requests.write_bytes, one * HINTS)
        job = Job(
            port=port,
            requests=str(requests),
            connections=CONNECTIONS,
            seconds=120.0,
            rate=None,
        )
        found: Result = await told(*python("tests.bench.load"), given=job)
    return found
