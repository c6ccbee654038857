"""How many deliveries a second come of changes that a hundred endpoints hear of?

More endpoints than one commit serves: each change goes through a lane that fans it out in steps.
"""

from __future__ import annotations

from typing import Any, Final

from tests.bench.callbacks import Partner, fill, partner
from tests.bench.stand import (
    ROUNDS,
    Stand,
    busy,
    load_average,
    middle,
    python,
    running,
    stand,
)

ENDPOINTS: Final = 100
CHANGES: Final = 30


async def measure() -> dict[str, Any]:
    """Medians of rounds."""
    with stand() as place:
        async with partner() as ten:
            rounds = [await _delivered(place, ten) for _ in range(ROUNDS)]
    return {
        "deliveries_per_s": middle((each["per_second"] for each in rounds), 0),
        "raw": {
            "cpu_us": middle((each["cpu_us"] for each in rounds), 0),
            "endpoints": ENDPOINTS,
            "changes": CHANGES,
            "load": load_average(),
        },
    }


async def _delivered(place: Stand, ten: Partner) -> dict[str, float]:
    """One worker process, from an outbox that is full."""
    urls = [f"{url}/{number}" for url in ten.urls for number in range(ENDPOINTS // len(ten.urls))]
    await place.clear()
    await fill(place, urls, CHANGES)
    await ten.reset()
    async with running(*python("workers"), **place.environment) as worker:
        await ten.heard(1)
        before = busy(worker.pid)
        rate = await ten.heard(ENDPOINTS * CHANGES)
        return {
            "per_second": rate,
            "cpu_us": 1e6 * (busy(worker.pid) - before) / (ENDPOINTS * CHANGES),
        }
