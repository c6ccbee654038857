"""With what may a provider be called? Opens a connection's token, and has a stale one refreshed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeVar

from infra.errors import NeedsReauth, RateLimited, StoreAway, TokenExpired, TryLater, Unknown
from infra.lanes import Body, Item, Lane, Post
from schemas.connections import Connection, Tokens
from schemas.items import RefreshAsked, write_load
from schemas.providers import PROVIDERS
from schemas.seals import Sealed
from workers.ports import Access
from workers.runtime import Runtime
from workers.tokens import provider_at
from workers.turns import OutOfTurn, turn_of

T = TypeVar("T")

STALE_BEFORE_END: Final = timedelta(seconds=10)
"""A token that ends within this is not sent out any more."""
REFRESH_WITHIN: Final = timedelta(seconds=10)
LONGEST_REST: Final = timedelta(minutes=2)
LOOK_EVERY: Final = (timedelta(milliseconds=20), timedelta(milliseconds=500))


async def access(runtime: Runtime, tenant: str, connection_id: str) -> Access:
    """What a call through this connection goes out with.

    Raises NeedsReauth in words when the link cannot be used, TryLater when a refresh takes long,
    RateLimited while the account rests.
    """
    _, granted = await _granted(runtime, tenant, connection_id)
    return granted


async def with_access(
    runtime: Runtime,
    tenant: str,
    connection_id: str,
    call: Callable[[str, Access], Awaitable[T]],
) -> T:
    """`call(provider name, access)`; once more with a newer token after a 401.

    Raises what `call` does, and RateLimited without a call while the account rests.
    """
    provider, granted = await _granted(runtime, tenant, connection_id)
    try:
        return await _heeding(runtime, tenant, connection_id, call(provider, granted))
    except TokenExpired:
        await _refreshed(runtime, tenant, connection_id, granted.serial)
    renewed = await access(runtime, tenant, connection_id)
    try:
        return await _heeding(runtime, tenant, connection_id, call(provider, renewed))
    except TokenExpired as error:  # no proof that the link is dead: only a refresh can tell that
        raise TryLater(f"{provider} refuses a token that it has just renewed") from error


async def _heeding(runtime: Runtime, tenant: str, connection_id: str, called: Awaitable[T]) -> T:
    """What the call brings; a rest that is asked for instead is kept from now on."""
    try:
        return await called
    except TryLater as later:
        if (until := _rest_asked(later, runtime.now())) is not None:
            await _rest(runtime, tenant, connection_id, until)
        raise


async def _demand_no_rest(runtime: Runtime, tenant: str, connection_id: str) -> None:
    """Nothing is sent while the account rests (T23). Raises RateLimited."""
    until = runtime.rests.get((tenant, connection_id))
    if until is None or until <= runtime.now():
        mark = await runtime.store.blobs.get(tenant, _mark_of(connection_id))
        until = datetime.fromisoformat(mark.decode()) if mark else None
    if until is not None and until > runtime.now():
        words = f"connection {connection_id} rests, as its provider asked of another call"
        raise RateLimited(words, until=until, scope=connection_id)


def _rest_asked(later: TryLater, now: datetime) -> datetime | None:
    """Until when the provider wants no call of this account (429): it names a moment or a wait.
    Our own pace, and a call that may have been done, say nothing about other calls."""
    if isinstance(later, RateLimited):
        return later.until
    if isinstance(later, Unknown | OutOfTurn) or later.after is None:
        return None
    return now + later.after


async def _rest(runtime: Runtime, tenant: str, connection_id: str, until: datetime) -> None:
    """Let the whole account rest, in every worker, for as long as the provider asks of one call. A
    long wait is a quota of what was asked, not a pace."""
    now = runtime.now()
    if not timedelta(0) < until - now <= LONGEST_REST:
        return
    for place in [place for place, end in runtime.rests.items() if end <= now]:
        del runtime.rests[place]
    runtime.rests[tenant, connection_id] = until
    mark = Body(_mark_of(connection_id), until.isoformat().encode(), until - now)
    with suppress(StoreAway):  # then each worker hears it from the provider
        await runtime.store.blobs.put(tenant, mark)


def _mark_of(connection_id: str) -> str:
    return f"rest/{connection_id}"


async def _granted(runtime: Runtime, tenant: str, connection_id: str) -> tuple[str, Access]:
    (connection, tokens), _ = await asyncio.gather(  # in one round trip
        _read(runtime, tenant, connection_id), _demand_no_rest(runtime, tenant, connection_id)
    )
    if tokens is not None and tokens.expires_at - runtime.now() < STALE_BEFORE_END:
        tokens = await _refreshed(runtime, tenant, connection_id, tokens.serial)
    return connection.provider, access_of(runtime, tenant, connection, tokens)


def access_of(
    runtime: Runtime, tenant: str, connection: Connection, tokens: Tokens | None
) -> Access:
    """The access that a connection and its tokens make; built-in providers have none."""
    context = Sealed.ACCESS_TOKEN.of(tenant, connection.id)
    opened = runtime.vault.open_often
    token = opened(tokens.access_sealed, context=context).decode() if tokens else ""
    provider = provider_at(runtime, connection.provider, connection.base_url)
    return Access(
        connection=connection.id,
        api=provider.urls.api or connection.room_url or connection.base_url or "",
        host=connection.account.id,
        token=token,
        serial=tokens.serial if tokens else 0,
        marks=connection.marks_titles,
        turn=turn_of(
            runtime, tenant, provider, client=connection.client, host=connection.account.id
        ),
    )


async def _read(
    runtime: Runtime, tenant: str, connection_id: str
) -> tuple[Connection, Tokens | None]:
    """The link and its tokens. Raises NeedsReauth with the reason and what to do."""
    [connection], tokens = await runtime.store.documents.get_beside(
        tenant, Connection, [connection_id], beside=(Tokens, connection_id)
    )
    if connection is None:
        raise NeedsReauth(f"connection {connection_id} does not exist")
    if not connection.usable:
        state = connection.state.value.replace("_", " ")
        because = f": {connection.reason}" if connection.reason else ""
        raise NeedsReauth(
            f"connection {connection_id} is {state}{because}", missing=connection.missing_scopes
        )
    if tokens is None and PROVIDERS[connection.provider].oauth is not None:
        raise NeedsReauth(f"connection {connection_id} has no tokens: link it again")
    return connection, tokens


async def _refreshed(runtime: Runtime, tenant: str, connection_id: str, serial: int) -> Tokens:
    """Tokens newer than `serial`. The connection's lane is the only one that refreshes; everyone
    else asks it and waits (T7)."""
    lane = Lane(tenant, "connection", connection_id)
    item = Item(runtime.new_id("it"), write_load(RefreshAsked(serial=serial)))
    await runtime.store.lanes.post(Post(lane, item))
    end = time.monotonic() + REFRESH_WITHIN.total_seconds()
    pause, slowest = (span.total_seconds() for span in LOOK_EVERY)
    while time.monotonic() < end:
        await asyncio.sleep(pause)
        pause = min(2 * pause, slowest)
        _, tokens = await _read(runtime, tenant, connection_id)
        if tokens is not None and tokens.serial > serial:
            return tokens
    raise TryLater(f"the refresh of connection {connection_id} takes long")
