"""How many items a second does one worker handle that has nothing to do for each?

Distinct lanes, one worker process, the file of the store flushed at each write. Beside it, on the
same store and in turns: plain arq, and BullMQ where Node is there. Once more with 5,000 tenants
(ENGINE 5).
"""

from __future__ import annotations

from typing import Any, Final

from infra import embedded
from tests.bench.node import peer, peers
from tests.bench.stand import ROUNDS, Stand, load_average, middle, python, stand, told

OURS: Final = 20_000
ARQ: Final = {"items": 2_000, "max_jobs": 100, "poll_delay": 0.01}
BULLMQ: Final = {"items": 10_000, "concurrency": 100}
MANY_TENANTS: Final = 5_000
MANY: Final = "ours, 5,000 tenants"


async def measure() -> dict[str, Any]:
    """The figures of issue `engine`: ours to each peer, medians of rounds in turns."""
    with_node = peers()
    with stand() as place:
        rounds = [await _round(place, with_node=with_node) for _ in range(ROUNDS)]

    def figure(name: str) -> dict[str, list[float]]:
        return {who: [each[who][name] for each in rounds] for who in rounds[0]}

    rate = figure("per_second")

    def ratio(name: str) -> float | None:
        if name not in rate:
            return None
        return middle(ours / theirs for ours, theirs in zip(rate["ours"], rate[name], strict=True))

    return {
        "ratio_arq": ratio("arq"),
        "ratio_bullmq": ratio("bullmq"),
        "raw": {
            **{
                name: {who: middle(values, 0) for who, values in figure(name).items()}
                for name in ("per_second", "cpu_us", "store_us")
            },
            "arq": ARQ | {"keep_result": 0},
            "bullmq": BULLMQ | {"removeOnComplete": True},
            "load": load_average(),
        },
    }


async def _round(place: Stand, *, with_node: bool) -> dict[str, dict[str, float]]:
    socket = str(embedded.socket_of(place.settings.data_dir))
    noop = python("tests.bench.noop")
    found = {
        "ours": await _run(place, *noop, given={"items": OURS, "tenants": 1}),
        "arq": await _run(
            place, *python("tests.bench.peers.plain_arq"), given=ARQ | {"socket": socket}
        ),
        MANY: await _run(place, *noop, given={"items": OURS, "tenants": MANY_TENANTS}),
    }
    if with_node:
        words = (socket, str(BULLMQ["items"]), str(BULLMQ["concurrency"]))
        found["bullmq"] = await _run(place, *peer("engine.mjs", *words), given=BULLMQ)
    return found


async def _run(place: Stand, *command: str, given: dict[str, Any]) -> dict[str, float]:
    """One contestant on an empty store; what it told, and the store's time for an item, filling
    included."""
    await place.clear()
    before = place.store_seconds()
    found: dict[str, float] = await told(*command, given=given, **place.environment)
    return found | {"store_us": 1e6 * (place.store_seconds() - before) / given["items"]}
