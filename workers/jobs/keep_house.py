"""What does the house keep in order? Endpoints' health, recoveries, lists that must not grow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import structlog

from infra.lanes import Claimed, Unit
from workers.jobs.recovering import recover
from workers.jobs.tending_endpoints import tend_endpoint
from workers.jobs.trimming import trim_undelivered
from workers.runtime import Handler, Runtime

log = structlog.get_logger("workers.house")

ROOMS: Final[Mapping[str, Handler]] = MappingProxyType(
    {"endpoint": tend_endpoint, "recovery": recover, "undelivered": trim_undelivered}
)
"""By how a lane's subject begins, before the first slash."""


async def keep_house(claimed: Claimed, runtime: Runtime) -> Unit:
    """Do what the subject of the lane asks for; a second run does as the room says."""
    room = claimed.lane.subject.partition("/")[0]
    handler = ROOMS.get(room)
    if handler is None:
        log.error("house.unknown_room", tenant=claimed.lane.tenant, lane=claimed.lane.name)
        return Unit(handled=[item.id for item in claimed.items])
    return await handler(claimed, runtime)
