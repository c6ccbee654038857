"""How is an endpoint shown, together with what waits for it and how it fares?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.lanes import Item, Lane, Post
from schemas.endpoints import Endpoint, Health, waiting_for
from schemas.items import Load, write_load
from webhooks.api.endpoint_bodies import EndpointShown, EndpointView, view_of
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, etag


def to_house(call: Call[Any], endpoint: Endpoint, load: Load) -> Post:
    """An item for the endpoint's house lane, whose worker knows how it fares."""
    lane = Lane(call.tenant, "house", f"endpoint/{endpoint.id}")
    return Post(lane, Item(call.front.new_id("it"), write_load(load)))


async def the_endpoint(call: Call[Any]) -> Endpoint:
    """The endpoint that the path names. Raises Denied when the tenant has none such."""
    return await the(call, Endpoint, call.path["endpoint"], "endpoint")


async def views(call: Call[Any], endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    """The fields of their views."""
    store, tenant = call.front.store, call.tenant
    healths = await store.documents.get_many(tenant, Health, [one.id for one in endpoints])
    waiting = [await store.rank.size(tenant, waiting_for(one.id)) for one in endpoints]
    return [view_of(*each, call.now) for each in zip(endpoints, healths, waiting, strict=True)]


async def shown(call: Call[Any], endpoint: Endpoint, *, secret: str | None = None) -> Answer:
    """The endpoint as an answer; with a new secret, once."""
    [view] = await views(call, [endpoint])
    headers = {"ETag": etag(endpoint.rev)}
    if secret is not None:
        return Answer(EndpointShown(**view, secret=secret), headers=headers)
    return Answer(EndpointView(**view), headers=headers)
