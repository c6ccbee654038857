"""Does a worker grow while it sends a hundred thousand undelivered callbacks again?

They are recovered over the API, whose answers tell how far it is; beside it the worker's memory is
looked at, from when it has warmed up.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psutil

from infra.lanes import Body, Unit
from schemas.callbacks import CallbackType
from schemas.deliveries import Undelivered
from tests.bench.callbacks import Partner as Ten
from tests.bench.callbacks import partner
from tests.bench.stand import Stand, load_average, python, running, stand
from tests.bench.tenancy import let_in
from tests.workers.partner import Partner
from tests.workers.stage import Stage
from webhooks.api.examples import example
from workers.outbox import list_undelivered

CALLBACKS: Final = 100_000
MEETINGS: Final = 2_000
A_UNIT: Final = 50
UNITS_AT_ONCE: Final = 32
WARM: Final = 0.05
"""Of the callbacks: what is loaded and buffered once is there by then."""
LOOK_EVERY: Final = 0.5  # seconds
KEEP: Final = timedelta(days=7)


async def measure() -> dict[str, Any]:
    """How much the worker has grown at most since it was warm, and how fast it went."""
    with stand() as place:
        async with partner() as ten, let_in(place) as asking:
            await _give_up(asking.stage, [await _endpoint(asking, url) for url in ten.urls])
            return await _recovered(place, ten, asking)


async def _endpoint(asking: Partner, url: str) -> str:
    return str((await asking.endpoint(url))["id"])


async def _give_up(stage: Stage, endpoints: list[str]) -> None:
    """Rows and bodies as used-up schedules leave them, in turns over endpoints and meetings."""
    lanes, step = stage.runtime.store.lanes, A_UNIT * UNITS_AT_ONCE
    for start in range(0, CALLBACKS, step):
        units = [_unit(endpoints, at) for at in range(start, min(start + step, CALLBACKS), A_UNIT)]
        await asyncio.gather(*(lanes.submit(stage.tenant, unit) for unit in units))


def _unit(endpoints: list[str], start: int) -> Unit:
    unit, now = Unit(), datetime.now(UTC)
    for number in range(start, min(start + A_UNIT, CALLBACKS)):
        meeting = f"mtg_{number % MEETINGS:024d}"
        told = example(CallbackType.MEETING_UPDATED)
        body = told.model_copy(
            update={
                "id": f"cb_{number:020d}",
                "timestamp": now,
                "data": {**told.data, "subject": meeting},
            }
        )
        unit.bodies.append(Body(f"callback/{body.id}", body.model_dump_json().encode(), KEEP))
        row = Undelivered(
            callback=body.id,
            endpoint=endpoints[number // MEETINGS % len(endpoints)],
            subject=meeting,
            meeting=meeting,
            type=told.type,
            reason="the endpoint answered 503; 10 attempts",
            announced_at=now,
            at=now,
        )
        list_undelivered(unit, row)
    return unit


async def _recovered(place: Stand, ten: Ten, asking: Partner) -> dict[str, Any]:
    """Ask for all of them, and look at worker and progress until they have arrived."""
    await ten.reset()
    asked = await asking.ask("/v1/recover")
    assert asked["expected"] == CALLBACKS
    async with running(*python("workers"), **place.environment) as worker:
        process, sizes, steps = psutil.Process(worker.pid), list[int](), set[int]()
        told = asked
        while told["state"] == "running":
            await asyncio.sleep(LOOK_EVERY)
            told = await asking.read(f"/v1/recoveries/{asked['id']}")
            steps.add(told["recovered"])
            if told["recovered"] >= WARM * CALLBACKS:
                sizes.append(process.memory_info().rss)
        rate = await ten.heard(CALLBACKS)
        sizes.append(process.memory_info().rss)
    return {
        "rss_growth_mb": round((max(sizes) - sizes[0]) / 1e6, 1),
        "raw": {
            "callbacks": told["recovered"],
            "delivered_per_s": round(rate),
            "worker_mb": [round(size / 1e6, 1) for size in (sizes[0], max(sizes), sizes[-1])],
            "steps_of_progress_seen": len(steps),
            "load": load_average(),
        },
    }
