"""How does an endpoint fare, and who must hear of it? Its house lane alone knows and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from infra.lanes import Claimed, Item, Unit
from schemas.callbacks import Callback, Cause, EndpointData
from schemas.endpoints import HOLDING, Endpoint, Health, state_of
from schemas.items import EndpointEnabled, Fared, ProofAsked
from workers.domain.faring import Said, closed_until, enabled, fare
from workers.jobs.callback_records import read_item
from workers.jobs.callback_turns import HOLD_FOR
from workers.jobs.proving import prove
from workers.outbox import announce_into
from workers.runtime import Runtime

log = structlog.get_logger("workers.house")

PROOF: Final = "proof"
"""Timer: make the handshake again."""


async def tend_endpoint(claimed: Claimed, runtime: Runtime) -> Unit:
    """Count how its attempts went, open or close its gate, warn, and disable it in the end.

    A second run begins with the health that is stored and judges the same items again; gates are
    set to the same again.
    """
    tenant = claimed.lane.tenant
    name = claimed.lane.subject.partition("/")[2]
    endpoint, stored = await asyncio.gather(
        runtime.store.documents.get(tenant, Endpoint, name),
        runtime.store.documents.get(tenant, Health, name),
    )
    unit = Unit(handled=[item.id for item in claimed.items])
    if endpoint is None:
        unit.drops += [stored] if stored else []
        return unit
    before = stored or Health(id=name)
    health, told = _read(before, claimed.items, runtime.settings.disable_endpoints_after)
    if PROOF in claimed.fired or any(_asks_for_proof(item) for item in claimed.items):
        health, wait = await prove(runtime, tenant, endpoint, health)
        unit.timers[PROOF] = wait
    asked = any(isinstance(read_item(item), EndpointEnabled) for item in claimed.items)
    await _set_gate(runtime, tenant, endpoint, (before, health), again=asked)
    health, callbacks = _callbacks(tenant, runtime.new_id("tr"), health, told)
    now = runtime.now()
    await announce_into(unit, runtime, tenant, callbacks, about=endpoint, now=now)
    if health != before:
        unit.puts.append(health)
    for said in told:
        log.info(said.type.value, tenant=tenant, endpoint=name, percent=said.percent)
    return unit


def _read(
    health: Health, items: Sequence[Item], disable_after: timedelta
) -> tuple[Health, list[Said]]:
    """The health after these items, and what is to be said."""
    told: list[Said] = []
    for item in items:
        match read_item(item):
            case Fared() as fared:
                health, said = fare(health, fared, disable_after)
                told += [said] if said else []
            case EndpointEnabled():
                health = enabled(health)
            case _:  # a handshake changes nothing before it is made
                pass
    return health, told


def _asks_for_proof(item: Item) -> bool:
    return isinstance(read_item(item), ProofAsked)


def _callbacks(
    tenant: str, trace: str, health: Health, told: Sequence[Said]
) -> tuple[Health, list[Callback]]:
    """What is said, numbered on, and the health that remembers the number."""
    callbacks = [
        Callback(
            type=said.type,
            data=EndpointData(
                tenant=tenant,
                subject=health.id,
                sequence=health.sequence + place,
                cause=Cause(by="worker", because=said.reason),
                trace_id=trace,
                endpoint=health.id,
                reason=said.reason,
                failing_since=said.failing_since,
                percent=said.percent,
            ),
        )
        for place, said in enumerate(told, start=1)
    ]
    return health.model_copy(update={"sequence": health.sequence + len(told)}), callbacks


async def _set_gate(
    runtime: Runtime,
    tenant: str,
    endpoint: Endpoint,
    change: tuple[Health, Health],
    *,
    again: bool,
) -> None:
    """One attempt at a time while the breaker probes; nothing before a rest is over; else as the
    endpoint said. A gate is opened only where this lane had it closed, or a person enables it: one
    that was closed for a `Retry-After` meanwhile must not be."""
    before, health = change
    lanes, state, now = runtime.store.lanes, state_of(endpoint, health), runtime.now()
    if again or bool(before.trips) != bool(health.trips):
        at_once = 1 if health.trips else endpoint.concurrency
        await lanes.limit_gate(tenant, endpoint.group, at_once)
    until = closed_until(health, now)
    was_closed = before.trips or state_of(endpoint, before) in HOLDING
    if state in HOLDING:
        reason = f"the endpoint is {state}"
        await lanes.close_gate(tenant, endpoint.group, HOLD_FOR, reason)
    elif until is not None:
        await lanes.close_gate(tenant, endpoint.group, until - now, health.reason)
    elif again or was_closed:
        await lanes.open_gate(tenant, endpoint.group)
