"""May an endpoint be sent to? It is paused, enabled again, and asked whether it agrees."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final

from infra.lanes import Unit
from infra.records import saved
from schemas.endpoints import Resume
from schemas.items import EndpointEnabled, ProofAsked
from schemas.people import Scope
from webhooks.api.endpoint_bodies import Enabling, EndpointView
from webhooks.api.endpoint_views import shown, the_endpoint, to_house
from webhooks.api.operation import Answer, Call, Operation, Row

CLOSED_FOR: Final = timedelta(minutes=5)
"""A paused endpoint's gate opens by itself, so that no crash can leave it closed for ever; workers
see that it is paused and close it again."""


async def pause_endpoint(call: Call[None]) -> Answer:
    """A second time changes nothing. Attempts that are under way are finished."""
    endpoint = await the_endpoint(call)
    if endpoint.enabled:
        endpoint = endpoint.model_copy(update={"enabled": False})
        await call.front.store.lanes.submit(call.tenant, Unit(puts=[endpoint]))
        endpoint = saved(endpoint)
    lanes = call.front.store.lanes
    await lanes.close_gate(call.tenant, endpoint.group, CLOSED_FOR, "the endpoint is paused")
    return await shown(call, endpoint)


async def enable_endpoint(call: Call[Enabling]) -> Answer:
    """What is known of its failures is void from now on; a second time does the same again."""
    endpoint, rate = await the_endpoint(call), call.body.rate_per_s
    resume = Resume(at=call.now, rate_per_s=rate) if rate else None
    enabled = endpoint.model_copy(
        update={"enabled": True, "enabled_at": call.now, "resume": resume}
    )
    unit = Unit(puts=[enabled], posts=[to_house(call, endpoint, EndpointEnabled())])
    await call.front.store.lanes.submit(call.tenant, unit)
    await call.front.store.lanes.open_gate(call.tenant, endpoint.group)
    return await shown(call, saved(enabled))


async def ask_for_proof(call: Call[None]) -> Answer:
    """Each call has the handshake made once more."""
    endpoint = await the_endpoint(call)
    unit = Unit(posts=[to_house(call, endpoint, ProofAsked())])
    await call.front.store.lanes.submit(call.tenant, unit)
    return await shown(call, endpoint)


_row = partial(Operation[Any], room="Endpoints", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="pauseEndpoint",
        method="POST",
        path="/v1/endpoints/{endpoint}/pause",
        says="Send nothing for now. What is announced meanwhile is held.",
        handle=pause_endpoint,
        harmless=True,
        versioned=True,
        gives=EndpointView,
    ),
    _row(
        name="enableEndpoint",
        method="POST",
        path="/v1/endpoints/{endpoint}/enable",
        says="Send again, after a pause or when it was disabled; what was held comes first.",
        handle=enable_endpoint,
        takes=Enabling,
        body_optional=True,
        harmless=True,
        versioned=True,
        gives=EndpointView,
    ),
    _row(
        name="proveEndpoint",
        method="POST",
        path="/v1/endpoints/{endpoint}/challenge",
        says="Ask the endpoint once more whether we may call it (CloudEvents' OPTIONS handshake).",
        handle=ask_for_proof,
        harmless=True,
        versioned=True,
        gives=EndpointView,
        status=202,
    ),
)
