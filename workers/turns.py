"""When may a call go? In its turn: a provider's pace and limits, shared by all workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from infra.errors import RateLimited, StoreAway, TryLater
from infra.store.quotas import Crowd, Entry
from schemas.providers import Provider
from workers.ports import Turn, at_once
from workers.runtime import Runtime

TURN_WITHIN: Final = timedelta(seconds=5)
UNEVENLY: Final = 1.25
"""Calls bunch up on their way, so they leave a little farther apart than they may arrive."""
HELD: Final = timedelta(seconds=30)
"""Longer than any call takes: the place of a worker that died is free again then."""
WINDOW: Final = timedelta(minutes=10)
LOOK_EVERY: Final = (timedelta(milliseconds=10), timedelta(milliseconds=160))


class OutOfTurn(TryLater):
    """Our turn is far off. Nothing was sent, and the provider has asked for nothing."""


def turn_of(
    runtime: Runtime, tenant: str, provider: Provider, *, client: str | None, host: str
) -> Turn:
    """The turn of each call of a client to a provider, or of each call to one of its mailboxes,
    whichever worker makes them. Until it is known whose mailbox it is, nothing is counted."""
    if provider.calls_a_second is not None:
        return _paced(runtime, tenant, provider, f"{provider.name}/{client}")
    if provider.calls_at_once is not None and host:
        # The vendor counts a mailbox, whichever role it is called in.
        return _counted(runtime, tenant, provider, f"{provider.urls.api}/{host.casefold()}")
    return at_once


def _paced(runtime: Runtime, tenant: str, provider: Provider, name: str) -> Turn:
    calls = provider.calls_a_second or 1

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        every = timedelta(seconds=UNEVENLY / calls)
        wait = await runtime.store.quotas.pace(tenant, name, every=every)
        if wait > TURN_WITHIN:
            words = f"{calls} calls a second are allowed, and many wait"
            raise OutOfTurn(words, after=wait)
        await asyncio.sleep(wait.total_seconds())
        yield

    return turn


def _counted(runtime: Runtime, tenant: str, provider: Provider, name: str) -> Turn:
    quotas = runtime.store.quotas

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        holder = runtime.new_id("turn")
        await _enter(runtime, tenant, provider, name=name, holder=holder)
        try:
            yield
        finally:
            with suppress(StoreAway):  # it is free again by itself
                await quotas.leave(tenant, name, holder)

    return turn


async def _enter(
    runtime: Runtime, tenant: str, provider: Provider, *, name: str, holder: str
) -> None:
    """Wait for a place. Raises OutOfTurn when it takes long, RateLimited when none is left in the
    window."""
    most, window = provider.calls_at_once or 1, provider.calls_in_ten_minutes or 1
    end = time.monotonic() + TURN_WITHIN.total_seconds()
    pause, slowest = (span.total_seconds() for span in LOOK_EVERY)
    while time.monotonic() < end:
        until = _window_end(runtime.now())
        rule = Crowd(at_once=most, held=HELD, window=window, until=until)
        match await runtime.store.quotas.enter(tenant, name, holder, rule):
            case Entry.TAKEN:
                return
            case Entry.USED_UP:
                words = f"{provider.title} allows {window} calls of a mailbox in ten minutes"
                raise RateLimited(words, until=until, scope=name)
            case Entry.NONE_FREE:
                await asyncio.sleep(pause)
                pause = min(2 * pause, slowest)
    words = f"{provider.title} allows {most} calls of a mailbox at once, and many wait"
    raise OutOfTurn(words, after=timedelta(seconds=1))


def _window_end(now: datetime) -> datetime:
    """Windows stand on the clock, so that all workers count in the same one."""
    seconds = WINDOW.total_seconds()
    return datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, UTC)
