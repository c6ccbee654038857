"""Who hears of a change? Turns what is announced into bodies, feed entries and posts of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from infra.lanes import Body, IndexSet, Item, Lane, Post, RankSet, Unit
from schemas.callbacks import DATA, Callback, CallbackType, Envelope
from schemas.deliveries import Undelivered, Why
from schemas.endpoints import (
    HELD_AT_MOST,
    HOLDING,
    About,
    Endpoint,
    Health,
    about_blob,
    group_of,
    state_of,
    waiting_for,
)
from schemas.items import Announced, FanOut, write_load
from schemas.meetings import Meeting
from schemas.places import Subject
from workers.audience import audience_of
from workers.places import about_of, remembered
from workers.runtime import Runtime

ENDPOINTS_A_COMMIT: Final = 16
"""More of them are served by a lane of their own, so that no commit grows with them (ENGINE 33)."""


async def announce_into(
    unit: Unit,
    runtime: Runtime,
    tenant: str,
    callbacks: Sequence[Callback],
    *,
    about: Subject,
    now: datetime,
) -> None:
    """Let the commit that changes `about` also post its callbacks: all of it, or nothing.

    Raises pydantic's ValidationError when a callback's data is not what its type promises.
    """
    if not callbacks:
        return
    audience = await audience_of(runtime, tenant)
    known = await about_of(runtime, tenant, about, audience, now=now)
    if audience.looks_at_places:
        unit.index += remembered(about, known, callbacks)
    for callback in callbacks:
        envelope = _envelope(callback, runtime.new_id("cb"), now)
        hearing = [one for one in audience.endpoints if one.hears(callback.type, known)]
        _keep(unit, runtime, envelope, known)
        if known.granted or len(hearing) > ENDPOINTS_A_COMMIT:
            unit.bodies.append(_known_then(runtime, envelope, known))
        posts = await _posts(runtime, tenant, hearing, said_of(envelope, about))
        unit.posts += posts.posts
        unit.rank += posts.rank
        unit.index += posts.index


def said_of(envelope: Envelope, about: Subject) -> FanOut:
    """What the items of a callback say of it, for all endpoints alike."""
    return FanOut(
        callback=envelope.id,
        subject=str(envelope.data["subject"]),
        meeting=about.id if isinstance(about, Meeting) else "",
        trace=str(envelope.data["trace_id"]),
        type=envelope.type.value,
        at=envelope.timestamp,
    )


async def posts_for(
    runtime: Runtime, tenant: str, endpoints: Sequence[Endpoint], said: FanOut
) -> Unit:
    """A unit that posts one callback for each endpoint; what is too much to hold is undelivered at
    once."""
    unit = Unit()
    healths = await runtime.store.documents.get_many(tenant, Health, [e.id for e in endpoints])
    for endpoint, health in zip(endpoints, healths, strict=True):
        if state_of(endpoint, health) in HOLDING:
            held = await runtime.store.rank.size(tenant, waiting_for(endpoint.id))
            if held >= HELD_AT_MOST:
                _too_many(unit, runtime, endpoint.id, said)
                continue
        add_post(unit, Lane(tenant, "callback", f"{endpoint.id}/{said.subject}"), said)
    return unit


def add_post(unit: Unit, lane: Lane, said: FanOut, *, again: bool = False) -> None:
    """Post one callback for one endpoint. That, and its row among the waiting, is all that delivery
    needs."""
    announced = Announced(
        callback=said.callback,
        meeting=said.meeting,
        trace=said.trace,
        type=said.type,
        at=said.at,
        again=again,
    )
    endpoint = lane.subject.partition("/")[0]
    item = Item(said.callback, write_load(announced))
    unit.posts.append(Post(lane, item, group=group_of(endpoint)))
    if said.at is not None:
        row = RankSet(waiting_for(endpoint), said.callback, said.at.timestamp())
        unit.rank.append(row)


def list_undelivered(unit: Unit, row: Undelivered) -> None:
    """Keep a callback among the undelivered, until somebody recovers it or it expires."""
    member = f"{row.endpoint}/{row.callback}"
    unit.rank.append(RankSet("undelivered", member, row.at.timestamp()))
    unit.index.append(IndexSet("undelivered", member, row.model_dump_json()))


async def _posts(runtime: Runtime, tenant: str, hearing: Sequence[Endpoint], said: FanOut) -> Unit:
    if len(hearing) <= ENDPOINTS_A_COMMIT:
        return await posts_for(runtime, tenant, hearing, said)
    lane = Lane(tenant, "callback", f"fanout/{said.subject}")
    return Unit(posts=[Post(lane, Item(said.callback, write_load(said)))])


def _envelope(callback: Callback, name: str, now: datetime) -> Envelope:
    of: CallbackType = callback.type
    data = DATA[of].model_validate_json(callback.data.model_dump_json())
    return Envelope(id=name, type=of, timestamp=now, data=data.model_dump(mode="json"))


def _keep(unit: Unit, runtime: Runtime, envelope: Envelope, known: About) -> None:
    """The body once, and the feed's entry that names it."""
    keep = runtime.settings.keep_feed
    body = envelope.model_dump_json().encode()
    unit.bodies.append(Body(f"callback/{envelope.id}", body, keep))
    entry = {
        "callback": envelope.id,
        "type": envelope.type.value,
        "subject": str(envelope.data["subject"]),
        "application": known.application or "",
    }
    if known.granted:
        entry["granted"] = " ".join(sorted(known.granted))
    unit.feed.append(entry)


def _known_then(runtime: Runtime, envelope: Envelope, known: About) -> Body:
    """What it was judged by: who was to hear of it stays so, whatever becomes of its places and of
    their grants meanwhile."""
    said = known.model_dump_json().encode()
    return Body(about_blob(envelope.id), said, runtime.settings.keep_feed)


def _too_many(unit: Unit, runtime: Runtime, endpoint: str, said: FanOut) -> None:
    row = Undelivered(
        callback=said.callback,
        endpoint=endpoint,
        subject=said.subject,
        meeting=said.meeting,
        type=said.type,
        why=Why.TOO_MANY_HELD,
        reason=f"{HELD_AT_MOST} callbacks are held for the endpoint already",
        announced_at=said.at,
        at=runtime.now(),
        trace=said.trace,
    )
    list_undelivered(unit, row)
