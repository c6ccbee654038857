"""What is written down of a callback's way: attempts, timeline, what was given up and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog
from pydantic import ValidationError

from infra.lanes import Claimed, Entry, Item, Lane, Post, RankDrop, Unit
from schemas.deliveries import Attempt, Undelivered
from schemas.endpoints import waiting_for
from schemas.items import Announced, FanOut, Load, read_load
from workers.domain.delivering import GivenUp
from workers.jobs.callback_request import Delivery
from workers.jobs.meeting_timeline import note
from workers.outbox import list_undelivered
from workers.runtime import Runtime

log = structlog.get_logger("workers.callbacks")

TRIM: Final = "undelivered"
"""House lane of a tenant that takes expired rows off the list of undelivered callbacks."""


def read_item(item: Item) -> Load | None:
    """What the item says; None for what no release wrote (ENGINE 13)."""
    try:
        return read_load(item.body)
    except ValidationError:
        return None


def keep_attempt(unit: Unit, runtime: Runtime, delivery: Delivery, attempt: Attempt) -> None:
    """The attempt, in its callback's log and on the meeting's timeline."""
    body = attempt.model_dump_json().encode()
    unit.logs.append(Entry(f"attempts/{attempt.callback}", body, runtime.settings.keep_attempts))
    said = delivery.said
    if not said.meeting:
        return
    what = "callback.delivered" if attempt.delivered else "callback.failed"
    fields: dict[str, str | int] = {
        "callback": attempt.callback,
        "endpoint": attempt.endpoint,
        "attempt": attempt.number,
        "status": attempt.status or 0,
    }
    entry = note(runtime, said.meeting, what, attempt.error, trace=said.trace, **fields)
    unit.logs.append(entry)


def give_up(unit: Unit, runtime: Runtime, delivery: Delivery, given_up: GivenUp) -> None:
    """Keep the callback among the undelivered, until somebody recovers it; the lane goes on.

    What was sent by hand, outside the order, leaves the lists as they are.
    """
    said, endpoint, reason = delivery.said, delivery.endpoint.id, given_up.reason
    unit.logs.extend(_noted(runtime, said, "callback.undelivered", reason, endpoint=endpoint))
    log.warning(
        "callback.undelivered",
        tenant=delivery.tenant,
        callback=said.callback,
        endpoint=endpoint,
        why=given_up.why.value,
        reason=reason,
    )
    if not delivery.in_order:
        return
    unit.rank.append(RankDrop(waiting_for(endpoint), said.callback))
    row = Undelivered(
        callback=said.callback,
        endpoint=endpoint,
        subject=delivery.subject,
        meeting=said.meeting,
        type=said.type,
        why=given_up.why,
        reason=reason,
        announced_at=said.at,
        at=runtime.now(),
        trace=said.trace,
    )
    list_undelivered(unit, row)
    _have_trimmed(unit, runtime, delivery.tenant)


def delivered_otherwise(delivery: Delivery) -> Unit:
    """Let an item go whose callback was delivered by hand meanwhile."""
    said = delivery.said
    log.info("callback.settled", tenant=delivery.tenant, callback=said.callback)
    return Unit(handled=[delivery.item.id])


def leave_out(runtime: Runtime, delivery: Delivery) -> Unit:
    """Go on with a later state of the subject, as the endpoint asked for."""
    said, endpoint = delivery.said, delivery.endpoint.id
    row = RankDrop(waiting_for(endpoint), said.callback)
    unit = Unit(handled=[delivery.item.id], rank=[row])
    reason = "a later state of the same subject waits behind it"
    unit.logs.extend(_noted(runtime, said, "callback.left_out", reason, endpoint=endpoint))
    log.info("callback.left_out", tenant=delivery.tenant, callback=said.callback, endpoint=endpoint)
    return unit


def drop(claimed: Claimed, runtime: Runtime, said: Announced | FanOut, reason: str) -> Unit:
    """Let the head item go, for whose callback nothing can be done, and say so."""
    unit, lane = Unit(handled=[claimed.items[0].id]), claimed.lane
    endpoint = lane.subject.partition("/")[0]
    unit.rank.append(RankDrop(waiting_for(endpoint), said.callback))
    unit.logs.extend(_noted(runtime, said, "callback.dropped", reason, endpoint=endpoint))
    log.warning("callback.dropped", tenant=lane.tenant, callback=said.callback, reason=reason)
    return unit


def set_aside(claimed: Claimed, item: Item) -> Unit:
    """Go on without an item that cannot be read."""
    lane = claimed.lane
    log.error("item.unreadable", tenant=lane.tenant, lane=lane.name, item=item.id)
    return Unit(handled=[item.id])


def _have_trimmed(unit: Unit, runtime: Runtime, tenant: str) -> None:
    """See to it that the row leaves the list when its body is gone: one timer a day, since a timer
    that is set again is only put off."""
    keep = runtime.settings.keep_feed + timedelta(days=1)
    timer = f"trim-{runtime.now():%Y%m%d}"
    unit.posts.append(Post(Lane(tenant, "house", TRIM), timers={timer: keep}))


def _noted(
    runtime: Runtime, said: Announced | FanOut, what: str, reason: str, *, endpoint: str
) -> list[Entry]:
    """The entry for the meeting's timeline; a connection has none."""
    if not said.meeting:
        return []
    fields: dict[str, str | int] = {"callback": said.callback, "endpoint": endpoint}
    return [note(runtime, said.meeting, what, reason, trace=said.trace, **fields)]
