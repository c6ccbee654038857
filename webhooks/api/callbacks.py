"""What became of one callback? Its body, where it went, each attempt; and it is sent once more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from infra.lanes import Item, Lane, Post, Unit
from schemas.callbacks import CallbackType, Envelope
from schemas.connections import Connection
from schemas.deliveries import Attempt
from schemas.endpoints import (
    HOLDING,
    About,
    Endpoint,
    Health,
    about_blob,
    group_of,
    state_of,
    waiting_for,
)
from schemas.items import Announced, write_load
from schemas.meetings import Meeting
from schemas.people import Scope
from schemas.records import Moment
from webhooks.api.endpoints import AT_MOST, ENDPOINTS
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import not_found
from webhooks.api.undelivered import UNDELIVERED

TEST_OF = "test-of/"
"""Blob beside the body of a test: the application that asked for it."""


class AttemptView(Shape):
    """One try to deliver it. Kept for seven days, unless the operator chose otherwise."""

    id: str
    """Sent along as `tieline-attempt`."""
    webhook_id: str
    """Sent along as `webhook-id`: the same for all attempts at this endpoint."""
    endpoint: str
    number: int
    at: Moment
    delivered: bool
    redelivery: bool
    status: int | None
    """None when there was no answer."""
    error: str
    queued_ms: int | None
    """From the announcement to this attempt."""
    connect_ms: int | None
    """Until there was a connection; 0 on one that was kept."""
    first_byte_ms: int | None
    """Until the answer began."""
    took_ms: int
    """Until its end."""
    excerpt: str
    """The answer's first 500 bytes; one in a coding is not decoded."""
    again_at: Moment | None


class Attempts(Shape):
    """A page of attempts, oldest first."""

    items: tuple[AttemptView, ...]
    next: str | None


class DeliveryView(Shape):
    """Where a callback stands at one endpoint."""

    endpoint: str
    state: Literal["waiting", "held", "delivered", "undelivered"]
    attempts: int
    last: AttemptView | None


class CallbackView(Shape):
    """A callback, as it is kept: seven days, unless the operator chose otherwise."""

    id: str
    type: CallbackType
    timestamp: Moment
    data: dict[str, Any]
    deliveries: tuple[DeliveryView, ...]


class Redelivery(Shape):
    """Where to send it again."""

    endpoint: str


class Sent(Shape):
    """What is on its way."""

    callback: str
    endpoint: str


async def read_callback(call: Call[None]) -> Answer:
    """Only to those who may see its subject."""
    envelope = await the_callback(call)
    tries = await _attempts(call, envelope)
    deliveries = [await _delivery(call, one, envelope, tries) for one in await _endpoints(call)]
    view = CallbackView(
        id=envelope.id,
        type=envelope.type,
        timestamp=envelope.timestamp,
        data=envelope.data,
        deliveries=tuple(one for one in deliveries if one is not None),
    )
    return Answer(view)


async def list_attempts(call: Call[None]) -> Answer:
    """At endpoints of those who may see them."""
    tries = await _attempts(call, await the_callback(call))
    start, limit = int(call.page.after or 0), call.page.limit
    shown = tuple(_shown(one) for one in tries[start : start + limit])
    more = str(start + limit) if len(tries) > start + limit else None
    return Answer(Attempts(items=shown, next=more))


async def redeliver(call: Call[Redelivery]) -> Answer:
    """Each call sends it once more, in a lane of its own: nothing waits for it, and it for nothing
    but the endpoint's limits."""
    envelope = await the_callback(call)
    endpoint = await the(call, Endpoint, call.body.endpoint, "endpoint")
    if not call.caller.sees(endpoint.application):
        raise not_found("endpoint")
    subject = str(envelope.data["subject"])
    said = Announced(
        callback=envelope.id,
        meeting=subject if subject.startswith("mtg_") else "",
        trace=call.trace,
        type=envelope.type.value,
        at=envelope.timestamp,
        again=True,
    )
    lane = Lane(call.tenant, "callback", f"{endpoint.id}/again/{envelope.id}")
    return await send_by_hand(call, lane, said, Unit())


async def send_by_hand(call: Call[Any], lane: Lane, said: Announced, unit: Unit) -> Answer:
    """Post one callback outside the order, with what else the unit says."""
    endpoint = lane.subject.partition("/")[0]
    item = Item(call.front.new_id("it"), write_load(said))
    unit.posts.append(Post(lane, item, group=group_of(endpoint)))
    where = {"Location": f"/v1/callbacks/{said.callback}"}
    sent = Sent(callback=said.callback, endpoint=endpoint)
    return await call.submit(unit, Answer(sent, headers=where))


async def the_callback(call: Call[Any]) -> Envelope:
    """The callback that the path names, as it is kept. Raises Denied when it is no longer, and when
    the caller may not see what it is about and had no grant for it when it was told."""
    id_ = call.path["callback"]
    blobs, tenant = call.front.store.blobs, call.tenant
    body, test_of, known = await asyncio.gather(
        blobs.get(tenant, f"callback/{id_}"),
        blobs.get(tenant, f"{TEST_OF}{id_}"),
        blobs.get(tenant, about_blob(id_)),
    )
    if body is None:
        raise not_found("callback")
    envelope = Envelope.model_validate_json(body)
    owner = test_of.decode() if test_of else await _owner(call, str(envelope.data["subject"]))
    granted = About.model_validate_json(known).granted if known else frozenset[str]()
    if not call.caller.sees(owner) and call.caller.application not in granted:
        raise not_found("callback")
    return envelope


async def _owner(call: Call[Any], subject: str) -> str | None:
    """The application whose meeting, connection or endpoint it is about."""
    documents, tenant = call.front.store.documents, call.tenant
    if subject.startswith("mtg_"):
        meeting = await documents.get(tenant, Meeting, subject)
        return meeting.application if meeting else None
    if subject.startswith("end_"):
        endpoint = await documents.get(tenant, Endpoint, subject)
        return endpoint.application if endpoint else None
    link = await documents.get(tenant, Connection, subject)
    return link.linked_by.id if link and link.linked_by.kind == "application" else None


async def _endpoints(call: Call[Any]) -> list[Endpoint]:
    """Those that the caller may see."""
    store, tenant = call.front.store, call.tenant
    names = sorted(await store.index.all(tenant, ENDPOINTS, AT_MOST))
    found = await store.documents.get_all(tenant, Endpoint, names)
    return [one for one in found if call.caller.sees(one.application)]


async def _attempts(call: Call[Any], envelope: Envelope) -> list[Attempt]:
    """Oldest first; only those at endpoints that the caller may see."""
    mine = {one.id for one in await _endpoints(call)}
    lines = await call.front.store.logs.read(
        call.tenant,
        f"attempts/{envelope.id}",
        since=envelope.timestamp.date(),
        until=call.now.date(),
    )
    tries = [Attempt.model_validate_json(line) for line in lines]
    return [one for one in tries if one.endpoint in mine]


async def _delivery(
    call: Call[Any], endpoint: Endpoint, envelope: Envelope, tries: Sequence[Attempt]
) -> DeliveryView | None:
    """Where it stands there; None if it was never meant for that endpoint."""
    store, tenant = call.front.store, call.tenant
    waits, given_up, health = await asyncio.gather(
        store.rank.score(tenant, waiting_for(endpoint.id), envelope.id),
        store.index.get(tenant, UNDELIVERED, f"{endpoint.id}/{envelope.id}"),
        store.documents.get(tenant, Health, endpoint.id),
    )
    here = [one for one in tries if one.endpoint == endpoint.id]
    state: Literal["waiting", "held", "delivered", "undelivered"]
    if waits is not None:
        state = "held" if state_of(endpoint, health) in HOLDING else "waiting"
    elif given_up is not None:
        state = "undelivered"
    elif any(one.delivered for one in here):
        state = "delivered"
    elif here:
        state = "waiting"
    else:
        return None
    last = _shown(here[-1]) if here else None
    return DeliveryView(endpoint=endpoint.id, state=state, attempts=len(here), last=last)


def _shown(attempt: Attempt) -> AttemptView:
    same = AttemptView.model_fields.keys() & Attempt.model_fields.keys()
    facts = {name: getattr(attempt, name) for name in same}
    return AttemptView(**facts, webhook_id=f"{attempt.callback}_{attempt.endpoint}")


_row = partial(Operation[Any], room="Callbacks sent", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="readCallback",
        method="GET",
        path="/v1/callbacks/{callback}",
        says="A callback, and where it stands at each endpoint.",
        handle=read_callback,
        gives=CallbackView,
    ),
    _row(
        name="listAttempts",
        method="GET",
        path="/v1/callbacks/{callback}/attempts",
        says="Every try to deliver it, with what came back and how long each part took.",
        handle=list_attempts,
        gives=Attempts,
        paged=True,
    ),
    _row(
        name="redeliverCallback",
        method="POST",
        path="/v1/callbacks/{callback}/redeliver",
        says="Send it once more, outside the order: same id, and `tieline-redelivery: true`.",
        handle=redeliver,
        takes=Redelivery,
        gives=Sent,
        status=202,
        harmless=True,
    ),
)
