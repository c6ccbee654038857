"""What came of one attempt, and what follows from it for the callback and for its endpoint?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from infra.errors import NotSent, Refused, Unknown
from infra.http.answers import Answer, Timing
from infra.lanes import Claimed, IndexDrop, Item, Lane, Post, RankDrop, Unit
from schemas.deliveries import Attempt, Why
from schemas.endpoints import waiting_for
from schemas.items import Fared, write_load
from workers.domain.delivering import (
    Again,
    Delivered,
    GivenUp,
    Reply,
    Retired,
    Verdict,
    failed,
    is_down,
    judge,
)
from workers.jobs.callback_records import give_up, keep_attempt
from workers.jobs.callback_request import Delivery, signed
from workers.jobs.callback_turns import HOLD_FOR, PACED
from workers.runtime import Runtime

log = structlog.get_logger("workers.callbacks")

ANSWER_AT_MOST: Final = 16 * 1024
EXCERPT: Final = 500
A_MILLISECOND: Final = timedelta(milliseconds=1)
PROBE_JUDGED: Final = timedelta(seconds=2)
"""Within so long the house lane says how long the endpoint rests; else the next lane probes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to; an answer is cut and never decoded."""

    verdict: Verdict
    error: str = ""
    status: int | None = None
    excerpt: str = ""
    timing: Timing | None = None


async def attempt(claimed: Claimed, runtime: Runtime, delivery: Delivery) -> Unit:
    """Send it once; the unit keeps the attempt and says what follows."""
    at, began, name = runtime.now(), time.monotonic(), runtime.new_id("att")
    result = await _post(runtime, delivery, name)
    took = timedelta(seconds=time.monotonic() - began)
    kept = _written(delivery, result, name, at=at, took=took)
    unit = Unit()
    if PACED in claimed.fired:
        unit.timers[PACED] = None
    keep_attempt(unit, runtime, delivery, kept)
    await _follow(unit, runtime, delivery, result)
    _tell_house(unit, runtime, delivery, result)
    log.info(
        "callback.attempted",
        tenant=delivery.tenant,
        callback=kept.callback,
        endpoint=kept.endpoint,
        attempt=kept.number,
        status=kept.status,
        took_ms=kept.took_ms,
        again_in_s=(kept.again_at - at).total_seconds() if kept.again_at else None,
    )
    return unit


async def _post(runtime: Runtime, delivery: Delivery, name: str) -> Result:
    now, number, dice, plan = runtime.now(), delivery.number, runtime.dice(), delivery.plan
    headers, body = signed(runtime, delivery, name, now)
    try:
        answer = await runtime.partners_wire.call(
            "POST",
            delivery.endpoint.url,
            headers.items(),
            body,
            name="callback.post",
            deadline=delivery.deadline,
            max_body=ANSWER_AT_MOST,
        )
    except Refused as refused:
        return Result(GivenUp(refused.reason, Why.REFUSED), error=refused.reason)
    except (NotSent, Unknown) as error:
        verdict: Verdict = failed(str(error), number=number, dice=dice, plan=plan)
        return Result(verdict, error=str(error))
    verdict = judge(_reply(answer), number=number, dice=dice, now=now, plan=plan)
    return Result(
        verdict,
        error="" if isinstance(verdict, Delivered) else verdict.reason,
        status=answer.status,
        excerpt=_excerpt(answer),
        timing=answer.timing,
    )


def _reply(answer: Answer) -> Reply:
    return Reply(
        answer.status, answer.header(b"retry-after"), answer.header(b"webhook-delivery") or ""
    )


def _excerpt(answer: Answer) -> str:
    body, coding = answer.body, answer.coding
    if coding.lower() != "identity":
        return f"({len(body)} bytes of the coding {coding[:40]!r}, which is not decoded)"
    return body[:EXCERPT].decode(errors="replace")


def _written(
    delivery: Delivery, result: Result, name: str, *, at: datetime, took: timedelta
) -> Attempt:
    verdict, said, timing = result.verdict, delivery.said, result.timing
    return Attempt(
        id=name,
        callback=said.callback,
        endpoint=delivery.endpoint.id,
        number=delivery.number,
        at=at,
        status=result.status,
        error=result.error,
        took_ms=_ms(took),
        queued_ms=max(0, _ms(at - said.at)) if said.at else None,
        connect_ms=_ms(timing.connect) if timing else None,
        first_byte_ms=_ms(timing.first_byte) if timing else None,
        excerpt=result.excerpt,
        again_at=at + took + verdict.wait if isinstance(verdict, Again) else None,
        delivered=isinstance(verdict, Delivered),
        redelivery=said.again,
    )


async def _follow(unit: Unit, runtime: Runtime, delivery: Delivery, result: Result) -> None:
    """Let the unit say what follows from the attempt."""
    match result.verdict:
        case Delivered(last=last):
            _tick_off(unit, delivery)
            if last:
                await _stop(unit, runtime, delivery, "the endpoint asked to be disabled")
        case Retired(reason=reason):
            await _stop(unit, runtime, delivery, reason)
        case GivenUp(reason=reason, why=why):
            unit.handled.append(delivery.item.id)
            give_up(unit, runtime, delivery, GivenUp(reason, why))
        case Again(reason=reason, wait=wait, rest=rest):
            unit.failed, unit.not_before = True, wait
            if rest is None and delivery.health is not None and delivery.health.trips:
                rest = PROBE_JUDGED  # or the next lane probes before the house has judged this one
            if rest is not None:
                group = delivery.endpoint.group
                await runtime.store.lanes.close_gate(delivery.tenant, group, rest, reason)


def _tick_off(unit: Unit, delivery: Delivery) -> None:
    endpoint, callback = delivery.endpoint.id, delivery.said.callback
    unit.handled.append(delivery.item.id)
    unit.rank.append(RankDrop(waiting_for(endpoint), callback))
    if delivery.said.again:
        unit.rank.append(RankDrop("undelivered", f"{endpoint}/{callback}"))
        unit.index.append(IndexDrop("undelivered", f"{endpoint}/{callback}"))


async def _stop(unit: Unit, runtime: Runtime, delivery: Delivery, reason: str) -> None:
    """Send nothing more; what was not delivered stays in its lanes, behind the gate."""
    group = delivery.endpoint.group
    await runtime.store.lanes.close_gate(delivery.tenant, group, HOLD_FOR, reason)
    unit.not_before = timedelta(0)


def _tell_house(unit: Unit, runtime: Runtime, delivery: Delivery, result: Result) -> None:
    """An item to the endpoint's house lane, which alone knows how the endpoint fares (ENGINE 9)."""
    verdict, health = result.verdict, delivery.health
    delivered = isinstance(verdict, Delivered)
    retired = isinstance(verdict, Retired) or (isinstance(verdict, Delivered) and verdict.last)
    ailing = health is not None and (health.failing_since is not None or health.told)
    if delivered and not retired and not ailing:
        return
    now = runtime.now()
    rest = verdict.rest if isinstance(verdict, Again) else None
    fared = Fared(
        ok=delivered and not retired,
        at=now,
        reason=result.error or "the endpoint asked to be disabled",
        unanswered=not delivered and is_down(result.status),
        asked_until=now + rest if rest and result.status else None,
        retired=retired,
    )
    lane = Lane(delivery.tenant, "house", f"endpoint/{delivery.endpoint.id}")
    unit.posts.append(Post(lane, Item(runtime.new_id("it"), write_load(fared))))


def _ms(span: timedelta) -> int:
    return round(span / A_MILLISECOND)
