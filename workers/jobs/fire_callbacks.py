"""Has the partner heard it? One attempt per head item, in order, each kept before the next."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from infra.lanes import Claimed, Unit
from schemas.deliveries import Why
from schemas.endpoints import HOLDING, Endpoint, HeadOfLine, Health, state_of, waiting_for
from schemas.items import Announced, FanOut
from workers.domain.delivering import GivenUp, superseded
from workers.jobs.callback_attempts import attempt
from workers.jobs.callback_records import (
    delivered_otherwise,
    drop,
    give_up,
    leave_out,
    read_item,
    set_aside,
)
from workers.jobs.callback_request import Delivery
from workers.jobs.callback_turns import RETRIES_WAIT, hold, retries_have_room, take_place
from workers.jobs.fan_out import fan_out
from workers.runtime import NotYet, Runtime

RUN_AT_MOST: Final = timedelta(seconds=8)
"""Then the lane is let go between two items, so that others and a stop are not kept waiting."""


async def fire_callback(claimed: Claimed, runtime: Runtime) -> Unit:
    """Deliver the items of one lane: of one endpoint and one subject, oldest first.

    A second run sends the head item again under the same id: partners hear at least once, and the
    id is how they know a repeat.
    """
    if not retries_have_room(claimed, runtime):
        wait = RETRIES_WAIT * (1 + runtime.dice())
        raise NotYet("fresh callbacks go before those that failed", after=wait)
    if not claimed.failures:
        return await _run(claimed, runtime)
    runtime.retrying.add(claimed.claim)
    try:
        return await _run(claimed, runtime)
    finally:
        runtime.retrying.discard(claimed.claim)


async def _run(claimed: Claimed, runtime: Runtime) -> Unit:
    fans_out = claimed.lane.subject.startswith("fanout/")
    began = time.monotonic()
    while claimed.items:
        unit = await (_serve_fan_out if fans_out else _serve)(claimed, runtime)
        late = time.monotonic() - began > RUN_AT_MOST.total_seconds()
        stays = unit.failed or not unit.handled or unit.not_before is not None
        if stays or late or len(claimed.items) == 1:
            return unit
        claimed = await runtime.save(claimed, unit)
    return Unit()


async def _serve_fan_out(claimed: Claimed, runtime: Runtime) -> Unit:
    item = claimed.items[0]
    load = read_item(item)
    if not isinstance(load, FanOut):
        return set_aside(claimed, item)
    return await fan_out(claimed, runtime, item, load)


async def _serve(claimed: Claimed, runtime: Runtime) -> Unit:
    """The unit after the head item: handled, or failed with a wait."""
    item, lane, store = claimed.items[0], claimed.lane, runtime.store
    said = read_item(item)
    if not isinstance(said, Announced):
        return set_aside(claimed, item)
    tenant = lane.tenant
    name, _, subject = lane.subject.partition("/")
    endpoint, health, body, waits = await store.documents.get_together(
        tenant,
        (Endpoint, name),
        (Health, name),
        blob=f"callback/{said.callback}",
        rank=(waiting_for(name), said.callback),
    )
    if endpoint is None:
        return drop(claimed, runtime, said, f"endpoint {name} was deleted")
    number = claimed.failures + 1
    delivery = Delivery(tenant, subject, endpoint, health, item, said, body or b"", number)
    if waits is None and delivery.in_order and said.at is not None:  # old items have no row
        return delivered_otherwise(delivery)
    if body is None:
        unit = Unit(handled=[item.id])
        expired = GivenUp("it waited longer than callbacks are kept", Why.EXPIRED)
        give_up(unit, runtime, delivery, expired)
        return unit
    return await _send(claimed, runtime, delivery)


async def _send(claimed: Claimed, runtime: Runtime, delivery: Delivery) -> Unit:
    """One attempt, if the endpoint's state, its policy and its rate let it go. Raises NotYet."""
    state = state_of(delivery.endpoint, delivery.health)
    if state in HOLDING:
        raise await hold(runtime, delivery.tenant, delivery.endpoint, state)
    if delivery.endpoint.head_of_line is HeadOfLine.COALESCE and superseded(_types(claimed)):
        return leave_out(runtime, delivery)
    await take_place(claimed, runtime, delivery)
    return await attempt(claimed, runtime, delivery)


def _types(claimed: Claimed) -> list[str]:
    loads = [read_item(item) for item in claimed.items]
    return [load.type if isinstance(load, Announced) else "" for load in loads]
