"""Steps that tests of the engine share."""

from __future__ import annotations

from redis.asyncio import Redis

from infra import keys
from infra.lanes import Claimed, Item, Kind, Lane, Lanes, Post, Unit

KIND: Kind = "meeting"


def lane_of(tenant: str, subject: str = "m", kind: Kind = KIND) -> Lane:
    return Lane(tenant, kind, subject)


async def post(lanes: Lanes, lane: Lane, *ids: str, group: str | None = None) -> None:
    for id_ in ids:
        await lanes.post(Post(lane, Item(id_), group=group))


async def claim(lanes: Lanes, slots: int = 10, *, empty: bool = False) -> list[Claimed]:
    return await lanes.claim(KIND, slots, empty=empty)


async def claim_one(lanes: Lanes, slots: int = 10, *, empty: bool = False) -> Claimed:
    [claimed] = await claim(lanes, slots, empty=empty)
    return claimed


async def finish(lanes: Lanes, claimed: Claimed) -> None:
    handled = [item.id for item in claimed.items]
    await lanes.commit(claimed, Unit(handled=handled, mark=claimed.mark or None))


async def turn_comes(client: Redis, *tenants: str) -> None:
    """What a second of waiting does: the tenants are looked at again."""
    await client.zadd(keys.turn(KIND), dict.fromkeys(tenants, 0))


async def lease_ends(client: Redis, *claims: Claimed) -> None:
    """What ten seconds without a heartbeat do."""
    for claimed in claims:
        lane = claimed.lane
        await client.zadd(keys.held(lane.tenant, lane.kind), {lane.name: 1})
        await turn_comes(client, lane.tenant)
