"""What does a partner hear, and what was it not told? Shared by the tests of callbacks."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Claimed, Lane
from schemas.deliveries import Undelivered
from schemas.endpoints import Endpoint
from tests.machines.peer import Peer, says
from tests.workers.stage import Stage

OK = says("204 No Content", body=b"")


def headers(peer: Peer, place: int) -> dict[str, str]:
    lines = peer.heads[place].split("\r\n")[1:]
    return {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


async def delivered(stage: Stage, endpoint: Endpoint, meeting: str) -> bool:
    return await stage.idle("callback", f"{endpoint.id}/{meeting}")


async def undelivered(stage: Stage) -> list[Undelivered]:
    rows = await stage.runtime.store.index.all(stage.tenant, "undelivered", 100)
    return [Undelivered.model_validate_json(row) for row in rows.values()]


async def claim(stage: Stage, lane: Lane) -> Claimed:
    """Claim this lane, as a worker would when it is its turn."""
    lanes = stage.runtime.store.lanes
    found: list[Claimed] = []
    while not found:
        claimed = await lanes.claim("callback", 50, empty=True)
        found = [one for one in claimed if one.lane == lane]
        for one in claimed:
            if one.lane != lane:
                await lanes.release(one, not_before=timedelta(seconds=5))
    return found[0]
