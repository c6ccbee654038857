"""How many instructions do the hot paths take? By callgrind, where valgrind is installed.

The machine's load does not matter to them. A receiver's notification, and bare Starlette's reply.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from infra.cli.ports import free_ports
from infra.store import open_store
from tests.bench import door
from tests.bench.counted import can_count, counting
from tests.bench.load import Job, Result
from tests.bench.stand import Stand, listening, python, stand, told

REQUESTS: Final = 400
CONNECTIONS: Final = 8
"""Few, since a process under valgrind must still answer within a second."""


async def measure() -> dict[str, Any]:
    """Instructions for a request, in user space."""
    if not can_count():
        return {"raw": {"not measured": "valgrind is not installed"}}
    with stand() as place:
        async with open_store(place.settings) as store:
            path = await door.furnish(place, store)
        ours, bare = free_ports(2)
        found = {
            "starlette": await _count(place, path, bare, python("tests.bench.bare", str(bare))),
            "ours": await _count(place, path, ours, python("webhooks.receiver")),
        }
    return {"door": found["ours"], "raw": {"instructions_a_request": found}}


async def _count(place: Stand, path: str, port: int, command: tuple[str, ...]) -> int:
    environment = place.environment | {"TIELINE_RECEIVER_PORT": str(port)}

    async def load() -> int:
        requests = place.home / "requests"
        # Of one account: fifty times slower, a receiver would have to ask for each of many again.
        door.write_requests(requests, path, REQUESTS, accounts=1)
        job = Job(
            port=port, requests=str(requests), connections=CONNECTIONS, seconds=60.0, rate=None
        )
        result: Result = await told(*python("tests.bench.load"), given=job)
        statuses = Counter(result["statuses"])
        if statuses["200"] != statuses.total():
            raise RuntimeError(f"not all were answered: {dict(statuses)}")
        return statuses.total()

    async with counting(place.home / f"counts-{port}", *command, **environment) as counted:
        await listening(port)
        await load()
        return await counted.instructions(load)
