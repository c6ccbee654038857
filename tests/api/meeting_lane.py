"""The worker's side of a meeting: claims its lane and writes what it would have made."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from infra.lanes import Claimed, Unit
from infra.store import Store
from schemas.meetings import Ask, Conference, Meeting
from schemas.policy import Wish

NOW = datetime(2027, 1, 1, tzinfo=UTC)


async def take_lane(store: Store) -> Claimed:
    """The meeting lane that is due, as a worker would claim it."""
    async with asyncio.timeout(5):
        while True:
            for claimed in await store.lanes.claim("meeting", 1, empty=True):
                return claimed
            await asyncio.sleep(0.02)


async def provision(store: Store, tenant: str = "acme") -> Meeting:
    """What the worker of the meeting's lane would write once the conference exists."""
    claimed = await take_lane(store)
    ask = await store.documents.get(tenant, Ask, claimed.lane.subject)
    assert ask is not None
    stored = await store.documents.get(tenant, Meeting, ask.id)
    conference = Conference(
        provider="zoom",
        connection="con_zoom",
        id="85746065",
        host="user-1",
        join_url="https://zoom.test/j/85746065",
        reference="tl-abc",
        shown=ask.slot.fingerprint,
        slot=ask.slot,
        made_at=NOW,
    )
    wanted = not ask.cancelled
    meeting = Meeting(
        id=ask.id,
        rev=stored.rev if stored else 0,
        origin="application",
        identity=f"{ask.application}/{ask.external_id}",
        application=ask.application,
        wish=Wish(slot=ask.slot, connection="con_zoom") if wanted else None,
        because="the application asks for it" if wanted else "the application cancelled it",
        conference=conference if wanted else None,
        created_at=NOW,
        changed_at=datetime.now(UTC),
    )
    handled = [item.id for item in claimed.items]
    await store.lanes.commit(claimed, Unit(handled=handled, puts=[meeting]))
    return meeting
