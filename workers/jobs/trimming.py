"""Which rows of the undelivered callbacks are of no use any more? Those whose bodies are gone."""

from __future__ import annotations

from typing import Final

import structlog

from infra.lanes import Claimed, IndexDrop, RankDrop, Unit
from workers.runtime import Runtime

log = structlog.get_logger("workers.house")

AT_ONCE: Final = 200


async def trim_undelivered(claimed: Claimed, runtime: Runtime) -> Unit:
    """Take rows off that are older than callbacks are kept, some at a time.

    A second run takes off what the first did not.
    """
    tenant, kept = claimed.lane.tenant, runtime.settings.keep_feed
    oldest = (runtime.now() - kept).timestamp()
    while True:
        found = await runtime.store.rank.up_to(tenant, "undelivered", oldest, AT_ONCE)
        unit = Unit(handled=[item.id for item in claimed.items])
        for member in found:
            unit.rank.append(RankDrop("undelivered", member))
            unit.index.append(IndexDrop("undelivered", member))
        if found:
            log.info("undelivered.trimmed", tenant=tenant, count=len(found))
        if len(found) < AT_ONCE:
            return unit
        claimed = await runtime.save(claimed, unit)
