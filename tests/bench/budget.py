"""What may a notification, a callback and a change of a meeting cost the store and a provider?

Counts, which do not vary with the machine: `functions` of ours called, `commands` within and beside
them, `bytes` sent to the store. `budget.json` holds what they were when somebody last looked; more
is refused, and much less too, so that the file stays true.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

FILE: Final = Path(__file__).with_name("budget.json")
MARGIN: Final = 1.05
"""Ids and moments differ in length, and a look at the epoch may fall in between."""
SLACK: Final = 0.8


async def spent(
    client: Redis, act: Callable[[], Awaitable[object]], times: int
) -> dict[str, float]:
    """What the store was asked for one `act`."""
    await client.config_resetstat()
    for _ in range(times):
        await act()
    commands: dict[str, Any] = await client.info("commandstats")
    traffic = await client.info("stats")
    asked = {
        name.removeprefix("cmdstat_"): int(row["calls"])
        for name, row in commands.items()
        if not name.startswith(("cmdstat_info", "cmdstat_config", "cmdstat_client"))
    }
    return {
        "functions": round(asked.get("fcall", 0) / times, 1),
        "commands": round(sum(asked.values()) / times),
        "bytes": round(int(traffic["total_net_input_bytes"]) / times),
    }


def strays(what: str, found: dict[str, float]) -> list[str]:
    """Sentences about what is not as the budget says; none is what is wanted."""
    budget: dict[str, float] = json.loads(FILE.read_text("utf-8"))[what]
    return [
        f"{what}: {found.get(name, 0)} {name}, but {FILE.name} allows {allowed}"
        for name, allowed in budget.items()
        if not SLACK * allowed <= found.get(name, 0) <= MARGIN * allowed
    ] + [
        f"{what}: {found[name]} {name}, of which {FILE.name} says nothing"
        for name in sorted(found.keys() - budget.keys())
    ]
