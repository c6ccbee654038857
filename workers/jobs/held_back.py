"""What keeps a command from being sent for now, though nothing is wrong with it?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from infra.store.quotas import Refused as QuotaUsedUp
from schemas import commands as does
from schemas.policy import Link
from schemas.providers import PROVIDERS
from workers.runtime import Runtime

NO_REPLICA: Final = "no replica holds the intent yet"
REPLICA_BACK: Final = timedelta(seconds=5)


async def held_back(
    command: does.Act, runtime: Runtime, tenant: str, links: Mapping[str, Link]
) -> does.Later | None:
    """Why it waits, and until when; None when it may be sent."""
    match command:
        case does.ProvisionConference(connection=connection):
            alone = await _no_replica(runtime)
            return alone or await _over_quota(runtime, tenant, links[connection])
        case does.UpdateConference(conference=conference):
            return await _over_quota(runtime, tenant, links[conference.connection])
        case _:
            return None


async def _no_replica(runtime: Runtime) -> does.Later | None:
    """A create is not even begun while nobody could hold its intent through a failover, lest each
    look reserves another write of the host's."""
    if await runtime.store.epoch.replicated():
        return None
    return does.Later(reason=NO_REPLICA, until=runtime.now() + REPLICA_BACK)


async def _over_quota(runtime: Runtime, tenant: str, link: Link) -> does.Later | None:
    """Reserve one write of the host's day in the quota book (T22); tear-downs are not counted."""
    provider = PROVIDERS[link.provider]
    if provider.writes_a_day_per_host is None:
        return None
    now = runtime.now()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    reserved = await runtime.store.quotas.reserve(
        tenant,
        f"writes/{link.connection}/{link.host}",
        limit=provider.writes_a_day_per_host,
        until=midnight,
    )
    if not isinstance(reserved, QuotaUsedUp):
        return None
    reason = (
        f"{provider.title} allows {provider.writes_a_day_per_host} creates and updates a host and "
        f"day; they are used up until {midnight:%Y-%m-%d %H:%M} UTC"
    )
    return does.Later(reason=reason, until=midnight)
