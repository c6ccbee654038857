"""How much later do nine endpoints hear when a tenth hangs beside them (F17)?

One worker, callbacks announced at a steady pace, once without and once with an endpoint that takes
every request and answers none. The partner takes the time from the announcement to the arrival.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

from tests.bench.callbacks import Partner as Ten
from tests.bench.callbacks import partner
from tests.bench.stand import ROUNDS, Stand, load_average, middle, python, running, stand
from tests.bench.tenancy import let_in
from tests.machines.peer import hangs, peer
from tests.workers.partner import Partner

MEETINGS: Final = 150
EVERY: Final = 0.1  # seconds between two announcements, each to all endpoints
WARM: Final = 20
"""Announcements before the figures begin: whatever is loaded on first use is loaded then."""
NINE: Final = 9


async def measure() -> dict[str, Any]:
    """Medians of rounds in turns; the ratio is of the 99th percentiles of a round."""
    with stand() as place:
        async with partner(waits=True) as ten:
            rounds = [
                {"alone": await _heard(place, ten), "beside": await _heard(place, ten, hanging=1)}
                for _ in range(ROUNDS)
            ]
    p99 = {who: middle(each[who]["p99_ms"] for each in rounds) for who in rounds[0]}
    hanging = middle((each["beside"]["hanging"] for each in rounds), 0)
    print(
        f"[F17] {NINE * MEETINGS} callbacks to nine endpoints: p99 {p99['alone']:.0f} ms, and"
        f" {p99['beside']:.0f} ms while {hanging:.0f} requests of a tenth's hang"
    )
    return {
        "ratio_p99": middle(each["beside"]["p99_ms"] / each["alone"]["p99_ms"] for each in rounds),
        "raw": {
            **{
                figure: {who: middle(each[who][figure] for each in rounds) for who in rounds[0]}
                for figure in ("p50_ms", "p99_ms", "hanging")
            },
            "callbacks": NINE * MEETINGS,
            "a_second": round(NINE / EVERY),
            "load": load_average(),
        },
    }


async def _heard(place: Stand, ten: Ten, *, hanging: int = 0) -> dict[str, float]:
    """How long the nine waited, and how many requests hung meanwhile."""
    await place.clear()
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(peer(hangs))
        theirs = await stack.enter_async_context(let_in(place))
        for url in [*ten.urls[:NINE], *[dead.url] * hanging]:
            await theirs.endpoint(url, timeout_s=20)
        await stack.enter_async_context(running(*python("workers"), **place.environment))
        await ten.reset()
        await _announce(theirs, WARM)
        await ten.heard(NINE * WARM)
        await ten.reset()
        await _announce(theirs, MEETINGS)
        await ten.heard(NINE * MEETINGS)
        return {**await ten.waits(), "hanging": len(dead.heads)}


async def _announce(theirs: Partner, meetings: int) -> None:
    """Something about one meeting after the other, at a pace."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for _ in range(meetings):
        await theirs.told()
        due += EVERY
        await asyncio.sleep(max(0.0, due - loop.time()))
