"""How does one callback reach more endpoints than one commit may hold? In steps, with a cursor."""

from __future__ import annotations

from typing import Final

from infra.lanes import Claimed, IndexDrop, IndexSet, Item, Unit
from schemas.callbacks import CallbackType, Envelope
from schemas.connections import Connection
from schemas.endpoints import About, Endpoint, about_blob
from schemas.items import FanOut
from schemas.meetings import Meeting
from schemas.places import Subject
from workers.audience import audience_of
from workers.jobs.callback_records import drop
from workers.outbox import posts_for
from workers.places import about_of
from workers.runtime import Runtime

AT_ONCE: Final = 48
CURSOR: Final = "fanout"
"""Index callback -> the last endpoint that has been served. Beside the item and not in it: an item
put back at the end of the lane would let the next callback overtake it."""


async def fan_out(claimed: Claimed, runtime: Runtime, item: Item, load: FanOut) -> Unit:
    """Post one callback to every endpoint that hears of it; the last step is returned.

    A second run goes on behind the last endpoint that was served.
    """
    tenant = claimed.lane.tenant
    body = await runtime.store.blobs.get(tenant, f"callback/{load.callback}")
    if body is None:
        return drop(claimed, runtime, load, f"the body of {load.callback} has expired")
    said = _completed(load, Envelope.model_validate_json(body))
    hearing = await _hearing(runtime, tenant, said)
    after = await runtime.store.index.get(tenant, CURSOR, load.callback) or ""
    left = [one for one in hearing if one.id > after]
    while len(left) > AT_ONCE:
        unit = await posts_for(runtime, tenant, left[:AT_ONCE], said)
        unit.index.append(IndexSet(CURSOR, load.callback, left[AT_ONCE - 1].id))
        claimed = await runtime.save(claimed, unit)
        left = left[AT_ONCE:]
    unit = await posts_for(runtime, tenant, left, said)
    unit.handled.append(item.id)
    unit.index.append(IndexDrop(CURSOR, load.callback))
    return unit


def _completed(load: FanOut, envelope: Envelope) -> FanOut:
    """What the first release's items did not say."""
    return load.model_copy(update={"type": envelope.type.value, "at": envelope.timestamp})


async def _hearing(runtime: Runtime, tenant: str, said: FanOut) -> list[Endpoint]:
    """Those that were to hear of it when it was announced, as far as they are still there."""
    audience = await audience_of(runtime, tenant)
    kept = await runtime.store.blobs.get(tenant, about_blob(said.callback))
    if kept is not None:
        known = About.model_validate_json(kept)
    else:  # what an earlier release announced
        about = await _subject(runtime, tenant, said)
        if about is None:
            return []
        known = await about_of(runtime, tenant, about, audience, now=runtime.now())
    return [one for one in audience.endpoints if one.hears(CallbackType(said.type), known)]


async def _subject(runtime: Runtime, tenant: str, said: FanOut) -> Subject | None:
    documents = runtime.store.documents
    if said.meeting:
        return await documents.get(tenant, Meeting, said.meeting)
    if said.subject.startswith("end_"):
        return await documents.get(tenant, Endpoint, said.subject)
    return await documents.get(tenant, Connection, said.subject)
