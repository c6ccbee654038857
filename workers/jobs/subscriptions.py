"""Does the provider tell us of this calendar's changes? Row first, new before old (DESIGN §4)."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog

from infra.errors import NeedsReauth, Refused, Vanished
from infra.lanes import Unit
from infra.records import saved
from schemas.connections import Reading, Route, Subscription
from schemas.providers import PROVIDERS, Push
from workers.access import with_access
from workers.jobs.rounds import Round
from workers.ports import Access, Channel

log = structlog.get_logger("workers.subscriptions")

RENEW: Final = "renew"
RENEW_AT: Final = (0.55, 0.15)
"""Renewed at 55 to 70 % of its life; the spread keeps a fleet's renewals apart."""
UNANSWERED: Final = timedelta(days=8)
"""A channel that we asked for and heard nothing of may live this long (Google: a week)."""
TOKEN_BYTES: Final = 32
SCHEDULED: Final = frozenset({"poll", "full"})


async def keep_subscribed(turn: Round, *, renew: bool) -> None:
    """Make sure that a live channel exists; a new one is opened before the old one is stopped.

    A second run finds the row of the first: a channel that was asked for but never answered is
    retired, its route goes on recognising what it may still send.
    """
    if PROVIDERS[turn.calendar.provider].push is not Push.CHANNEL:
        return
    now = turn.runtime.now()
    live = [one for one in turn.reading.subscriptions if _alive(one, now)]
    if live and await _lives_on(turn, live[-1], renew=renew):
        await _note_heard(turn)
        return
    try:
        await _open(turn)
    except Refused as refused:  # a calendar that cannot be watched is read on schedule
        log.warning("subscription.refused", calendar=turn.calendar.id, reason=refused.reason)
        await _forget_refused(turn, refused.reason)
        return
    await _retire_all_but_newest(turn)


async def _forget_refused(turn: Round, reason: str) -> None:
    """The provider said no, so nothing will ever come to this address."""
    *others, asked = turn.reading.subscriptions
    route = await turn.runtime.store.documents.get(turn.tenant, Route, asked.route)
    kept = {"subscriptions": tuple(others), "refusal": reason}
    unit = Unit(drops=[route] if route is not None else [])
    await turn.save(unit, turn.reading.model_copy(update=kept))


async def _lives_on(turn: Round, one: Subscription, *, renew: bool) -> bool:
    """Whether the channel goes on. Where it can be renewed, each scheduled reading does so: a
    channel that was lost without a word is found by that, and the reading that follows fills the
    gap (T28). Where it cannot, it lives until another is due."""
    if not PROVIDERS[turn.calendar.provider].renews_channels:
        return not renew
    due = renew or SCHEDULED & set(turn.claimed.fired)
    if not due or one.resource is None:
        return True
    resource = one.resource

    async def live_on(provider: str, access: Access) -> Channel | None:
        port = turn.runtime.calendars[provider]
        return await port.renew(access, channel=one.id, resource=resource)

    channel = await with_access(turn.runtime, turn.tenant, turn.calendar.connection, live_on)
    if channel is None:
        log.warning("subscription.not_renewed", calendar=turn.calendar.id, channel=one.id)
        return False
    renewed = one.model_copy(update={"expires_at": channel.expires_at})
    await turn.save(_known(turn, channel), _with(turn.reading, renewed))
    return True


def _known(turn: Round, channel: Channel) -> Unit:
    """The appointment at which the channel is renewed again."""
    life = channel.expires_at - turn.runtime.now()
    return Unit(timers={RENEW: life * (RENEW_AT[0] + RENEW_AT[1] * turn.runtime.dice())})


async def stop_watching(turn: Round) -> None:
    """Stop every channel of a calendar that is watched no more; what still comes is recognised."""
    for one in turn.reading.subscriptions:
        if one.state != "retired":
            await _stop(turn, one)


def _alive(one: Subscription, now: datetime) -> bool:
    return one.state == "live" and one.expires_at is not None and one.expires_at > now


async def _note_heard(turn: Round) -> None:
    """Healthy means verified and recently heard: a hint led to this reading."""
    if not turn.was_told:
        return
    _note(turn, "heard_at")


def note_missed(turn: Round) -> None:
    """A reading on schedule, which no hint led to, shows what a live channel had not told of."""
    if turn.claimed.mark or turn.reading.full or "poll" not in turn.claimed.fired:
        return
    _note(turn, "missed_at")


def _note(turn: Round, when: Literal["heard_at", "missed_at"]) -> None:
    """Of every live channel, that it was now."""
    now = turn.runtime.now()
    noted = tuple(
        one.model_copy(update={when: now}) if _alive(one, now) else one
        for one in turn.reading.subscriptions
    )
    turn.reading = turn.reading.model_copy(update={"subscriptions": noted})


async def _open(turn: Round) -> None:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    channel_id = str(uuid.uuid4())
    route = Route(
        id=secrets.token_hex(16),
        provider=turn.calendar.provider,
        calendar=turn.calendar.id,
        subscription=channel_id,
        proof_sha256=hashlib.sha256(token.encode()).hexdigest(),
        expires_at=turn.runtime.now() + UNANSWERED,
    )
    asked = Subscription(id=channel_id, route=route.id, expires_at=route.expires_at)
    reading = _with(turn.reading, asked)
    await turn.save(Unit(puts=[route]), reading)
    channel = await _watch(turn, asked, token)
    live = asked.model_copy(
        update={"state": "live", "resource": channel.resource, "expires_at": channel.expires_at}
    )
    known = saved(route).model_copy(
        update={"resource": channel.resource, "expires_at": channel.expires_at}
    )
    unit = _known(turn, channel)
    unit.puts.append(known)
    await turn.save(unit, _with(turn.reading, live).model_copy(update={"refusal": ""}))


async def _watch(turn: Round, asked: Subscription, token: str) -> Channel:
    settings = turn.runtime.settings
    address = (
        f"{settings.receiver_url.rstrip('/')}/hooks/{turn.calendar.provider}"
        f"/{turn.tenant}.{asked.route}"
    )

    async def watch(provider: str, access: Access) -> Channel:
        return await turn.runtime.calendars[provider].watch(
            access, turn.calendar.provider_id, channel=asked.id, address=address, token=token
        )

    return await with_access(turn.runtime, turn.tenant, turn.calendar.connection, watch)


async def _retire_all_but_newest(turn: Round) -> None:
    *older, _newest = turn.reading.subscriptions
    for one in older:
        if one.state != "retired":
            await _stop(turn, one)
    await _forget_expired(turn)


async def _stop(turn: Round, one: Subscription) -> None:
    """Stop a channel at the provider and retire its route: late messages are answered 200, counted,
    and do nothing (T13). Where the link is down it ends by itself."""
    if one.resource is not None:
        resource = one.resource

        async def stop(provider: str, access: Access) -> None:
            port = turn.runtime.calendars[provider]
            await port.stop(access, channel=one.id, resource=resource)

        try:
            await with_access(turn.runtime, turn.tenant, turn.calendar.connection, stop)
        except Vanished:
            log.info("subscription.gone_already", calendar=turn.calendar.id, channel=one.id)
        except NeedsReauth:
            log.info("subscription.left", calendar=turn.calendar.id, channel=one.id)
    unit = Unit()
    route = await turn.runtime.store.documents.get(turn.tenant, Route, one.route)
    if route is not None:
        unit.puts.append(route.model_copy(update={"retired": True}))
    await turn.save(unit, _with(turn.reading, one.model_copy(update={"state": "retired"})))


async def _forget_expired(turn: Round) -> None:
    """Rows of channels that can send no more."""
    now = turn.runtime.now()
    over = [s for s in turn.reading.subscriptions if s.expires_at and s.expires_at <= now]
    if not over:
        return
    unit = Unit()
    for one in over:
        route = await turn.runtime.store.documents.get(turn.tenant, Route, one.route)
        if route is not None:
            unit.drops.append(route)
    kept = tuple(s for s in turn.reading.subscriptions if s not in over)
    await turn.save(unit, turn.reading.model_copy(update={"subscriptions": kept}))


def _with(reading: Reading, one: Subscription) -> Reading:
    others = tuple(s for s in reading.subscriptions if s.id != one.id)
    return reading.model_copy(update={"subscriptions": (*others, one)})
