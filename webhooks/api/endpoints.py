"""Where are callbacks sent? Partners' addresses: made, changed, taken away."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final

import orjson

from infra.lanes import IndexDrop, IndexSet, Unit
from infra.records import saved
from schemas.endpoints import Endpoint, Filters
from schemas.items import EndpointEnabled, ProofAsked
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.seals import Sealed
from webhooks.api.addresses import check_endpoint
from webhooks.api.endpoint_bodies import (
    ChangedEndpoint,
    Endpoints,
    EndpointShown,
    EndpointView,
    Manners,
    NewEndpoint,
    Rotation,
)
from webhooks.api.endpoint_secrets import key_rows, make_secret, owned, rotated, signature_of
from webhooks.api.endpoint_views import shown, the_endpoint, to_house, views
from webhooks.api.lists import page_of
from webhooks.api.operation import Answer, Call, Operation, Row
from webhooks.api.problems import Denied, wrong_field

ENDPOINTS: Final = "endpoints"
AT_MOST: Final = 1000
"""Endpoints of a tenant: every announcement looks through them."""
FILTERS: Final = tuple(Filters.model_fields)
AS_SAID: Final = (
    *("description", "metadata", "format", "head_of_line", "retry_s", "timeout_s"),
    *("rate_per_s", "concurrency", "challenge"),
)


async def create_endpoint(call: Call[NewEndpoint]) -> Answer:
    """Each call makes one."""
    body, front = call.body, call.front
    check_endpoint("url", body.url, front)
    await _check_room(call)
    _check_wide(call)
    _check_schedule(call, body)
    id_ = front.new_id("end")
    secret, once = make_secret(call, id_, body.signature)
    endpoint = Endpoint(
        id=id_,
        application=call.caller.application,
        url=body.url,
        secrets=(secret,),
        filters=Filters(**{name: getattr(body, name) for name in FILTERS}),
        tenant_wide=body.tenant_wide,
        created_at=call.now,
        **{name: getattr(body, name) for name in AS_SAID},
        **_sealed_headers(call, id_, body),
    )
    await _narrow(call, endpoint)
    unit = Unit(puts=[endpoint], index=[IndexSet(ENDPOINTS, id_, ""), *key_rows((), (secret,))])
    if endpoint.challenge:
        unit.posts.append(to_house(call, endpoint, ProofAsked()))
    return await call.submit(unit, await shown(call, saved(endpoint), secret=once))


async def list_endpoints(call: Call[None]) -> Answer:
    """In order of their ids."""
    found, more = await page_of(call, ENDPOINTS, Endpoint)
    items = tuple(EndpointView(**view) for view in await views(call, found))
    return Answer(Endpoints(items=items, next=more))


async def read_endpoint(call: Call[None]) -> Answer:
    """Never its secrets."""
    return await shown(call, await the_endpoint(call))


async def change_endpoint(call: Call[ChangedEndpoint]) -> Answer:
    """The same change again changes nothing; with If-Match only over the version read."""
    endpoint, body = await the_endpoint(call), call.body
    call.must_match(endpoint.rev, "endpoint")
    if body.url is not None:
        check_endpoint("url", body.url, call.front)
    _check_schedule(call, body)
    changed = endpoint.model_copy(update=_changes(call, endpoint))
    if changed == endpoint:
        return await shown(call, endpoint)
    await _narrow(call, changed)
    unit = Unit(puts=[changed])
    if changed.challenge and (not endpoint.challenge or changed.url != endpoint.url):
        unit.posts.append(to_house(call, changed, ProofAsked()))
    return await call.submit(unit, await shown(call, saved(changed)))


async def delete_endpoint(call: Call[None]) -> Answer:
    """What waits for it is dropped when its turn comes."""
    endpoint = await the_endpoint(call)
    unit = Unit(
        drops=[endpoint],
        index=[IndexDrop(ENDPOINTS, endpoint.id), *owned(endpoint)],
        posts=[to_house(call, endpoint, EndpointEnabled())],
    )
    lanes = call.front.store.lanes
    await lanes.submit(call.tenant, unit)
    await lanes.limit_gate(call.tenant, endpoint.group, None)
    await lanes.open_gate(call.tenant, endpoint.group)
    return Answer()


async def rotate_secret(call: Call[Rotation]) -> Answer:
    """Each call makes a new one; those before it sign on for the overlap."""
    endpoint, body = await the_endpoint(call), call.body
    signature = body.signature or signature_of(endpoint.secrets[0])
    secret, once = make_secret(call, endpoint.id, signature)
    overlap = timedelta(seconds=body.overlap_s)
    secrets = rotated(endpoint.secrets, secret, now=call.now, overlap=overlap)
    changed = endpoint.model_copy(update={"secrets": secrets})
    unit = Unit(puts=[changed], index=key_rows(endpoint.secrets, secrets))
    return await call.submit(unit, await shown(call, saved(changed), secret=once))


def _changes(call: Call[ChangedEndpoint], endpoint: Endpoint) -> dict[str, Any]:
    """Only what was named."""
    body = call.body
    named = body.model_fields_set
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in (*AS_SAID, "url") if name in named
    }
    if changes.get("url", "") is None:
        raise wrong_field("url", "An endpoint needs an address. Leave it out to keep the one.")
    filters = {name: getattr(body, name) for name in FILTERS if name in named}
    changes["filters"] = endpoint.filters.model_copy(update=filters)
    if "headers" in named:
        changes |= _sealed_headers(call, endpoint.id, body)
    return changes


def _sealed_headers(call: Call[Any], endpoint: str, body: Manners) -> dict[str, Any]:
    if not body.headers:
        return {"headers_sealed": None, "header_names": ()}
    context = Sealed.ENDPOINT_HEADERS.of(call.tenant, endpoint)
    sealed = call.front.vault.seal(orjson.dumps(body.headers), context=context)
    return {"headers_sealed": sealed, "header_names": tuple(sorted(body.headers))}


async def _check_room(call: Call[NewEndpoint]) -> None:
    if await call.front.store.index.size(call.tenant, ENDPOINTS) >= AT_MOST:
        raise Denied(
            ProblemType.ENDPOINT_REFUSED,
            f"A tenant has {AT_MOST} endpoints at most. Delete one that is not needed any more.",
        )


def _check_wide(call: Call[NewEndpoint]) -> None:
    if call.body.tenant_wide and Scope.TENANT_WIDE not in call.caller.scopes:
        raise Denied(
            ProblemType.FORBIDDEN,
            "`tenant_wide` needs a key with the scope `tenant`. Use such a key, or leave the field"
            " out: the endpoint then hears about what your application asked for or was granted.",
        )


def _check_schedule(call: Call[Any], body: Manners) -> None:
    kept = call.front.settings.keep_feed
    if timedelta(seconds=sum(body.retry_s or ())) > kept:
        days = kept / timedelta(days=1)
        raise wrong_field("retry_s", f"Callbacks are kept for {days:g} days; end before that.")


async def _narrow(call: Call[Any], endpoint: Endpoint) -> None:
    """Before the document is written: the limit of an endpoint that is not there harms nobody."""
    lanes = call.front.store.lanes
    await lanes.limit_gate(call.tenant, endpoint.group, endpoint.concurrency)


_row = partial(Operation[Any], room="Endpoints", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="createEndpoint",
        method="POST",
        path="/v1/endpoints",
        says="Tell us where to send callbacks. The answer has the secret that signs them, once.",
        handle=create_endpoint,
        takes=NewEndpoint,
        harmless=True,
        gives=EndpointShown,
        status=201,
        problems=(ProblemType.ENDPOINT_REFUSED,),
    ),
    _row(
        name="listEndpoints",
        method="GET",
        path="/v1/endpoints",
        says="The endpoints of the tenant.",
        handle=list_endpoints,
        gives=Endpoints,
        paged=True,
    ),
    _row(
        name="readEndpoint",
        method="GET",
        path="/v1/endpoints/{endpoint}",
        says="An endpoint and how it fares; never its secrets.",
        handle=read_endpoint,
        versioned=True,
        gives=EndpointView,
    ),
    _row(
        name="changeEndpoint",
        method="PATCH",
        path="/v1/endpoints/{endpoint}",
        says="Change what is named, and nothing else.",
        handle=change_endpoint,
        takes=ChangedEndpoint,
        versioned=True,
        gives=EndpointView,
        problems=(ProblemType.ENDPOINT_REFUSED,),
        headers=("If-Match",),
    ),
    _row(
        name="rotateEndpointSecret",
        method="POST",
        path="/v1/endpoints/{endpoint}/secret",
        says="Get a new secret. Those before it sign too, for as long as you say.",
        handle=rotate_secret,
        takes=Rotation,
        body_optional=True,
        harmless=True,
        gives=EndpointShown,
    ),
    _row(
        name="deleteEndpoint",
        method="DELETE",
        path="/v1/endpoints/{endpoint}",
        says="Send nothing there any more.",
        handle=delete_endpoint,
        status=204,
    ),
)
