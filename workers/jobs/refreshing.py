"""How does a connection's token stay fresh? One refresh at a time, and never one that is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from pydantic import SecretStr

from infra.errors import ClaimLost, Conflict, Refused, StoreAway
from infra.seal import Unsealable
from infra.tokens import Dead, Granted
from schemas.connections import Tokens
from schemas.seals import Sealed
from workers.jobs.link_states import needs_reauth
from workers.jobs.tending import Tending
from workers.tokens import (
    Registration,
    on_its_own,
    opened,
    refresh,
    refresh_in,
    registration,
    sealed_tokens,
)

log = structlog.get_logger("workers.connections")

STORE_BACK: Final = timedelta(milliseconds=500)
SAVE_AGAIN: Final = 120
"""A rotated token that is not stored is a lost grant: a minute of an absent store is waited out."""


async def refresh_tokens(tending: Tending) -> None:
    """Renew the access token, and say on the connection when that can never work again.

    A provider that rotates kills the old refresh token with its answer. So the beginning is noted
    first, and a second run that finds the note knows that the token may be spent. Raises TryLater
    for everything that does not prove the grant dead: a 5xx or a page of XML kills no link (T9).
    """
    tokens = tending.tokens
    if tokens is None or not tending.connection.usable:
        return
    directory = tending.connection.directory
    if tokens.refresh_sealed is None and not directory:
        await needs_reauth(tending, "the link came without a refresh token, and has run out")
        return
    try:
        ours = await registration(tending.runtime, tending.tenant, tending.connection.client)
        token = _refresh_token(tending, tokens)
    except (Refused, Unsealable) as error:
        await needs_reauth(tending, str(error), by="worker")
        return
    interrupted = tokens.refresh_started_at is not None
    await _note_beginning(tending, tokens, ours)
    asked = (
        refresh(tending.runtime, ours, token)
        if token is not None
        else on_its_own(tending.runtime, ours, directory)
    )
    match await asked:
        case Dead(reason=reason):
            await _dead(tending, ours, reason, interrupted=interrupted)
        case Granted() as granted:
            await _keep(tending, granted)


def _refresh_token(tending: Tending, tokens: Tokens) -> SecretStr | None:
    """None for a link without a person: its client asks in its own name. Raises Unsealable."""
    if tokens.refresh_sealed is None:
        return None
    context = Sealed.REFRESH_TOKEN.of(tending.tenant, tending.connection.id)
    return opened(tending.runtime, tokens.refresh_sealed, context=context)


async def _note_beginning(tending: Tending, tokens: Tokens, ours: Registration) -> None:
    if ours.rotates:
        began = {"refresh_started_at": tending.runtime.now()}
        tending.tokens = tokens.model_copy(update=began)
    await tending.save()


async def _dead(tending: Tending, ours: Registration, reason: str, *, interrupted: bool) -> None:
    """The vendor calls the grant dead. It may have been renewed by a worker that lost this lane in
    mid-refresh: look once more before believing it (RELIABILITY §5.3)."""
    documents = tending.runtime.store.documents
    now = await documents.get(tending.tenant, Tokens, tending.connection.id)
    held = tending.tokens
    if now is not None and held is not None and now.serial > held.serial:
        tending.tokens = tending.stored_tokens = now
        _set_timer(tending, now)
        return
    title = ours.provider.title
    words = f"{title} takes the refresh token no more ({reason}): link the account again"
    if tending.connection.directory:
        words = (
            f"{title} gives our client no token any more ({reason}): its secret or the consent of"
            " the organisation's administrator is gone; mend that, then link again"
        )
    if interrupted:
        words = f"a refresh was cut off after {title} had spent the token: link the account again"
    await needs_reauth(tending, words)


async def _keep(tending: Tending, granted: Granted) -> None:
    """Store the new tokens before anyone uses them."""
    tending.tokens = sealed_tokens(
        tending.runtime, tending.tenant, tending.connection.id, granted, before=tending.tokens
    )
    _set_timer(tending, tending.tokens)
    renewed = tending.tokens
    unit = tending.settle()
    for _ in range(SAVE_AGAIN):
        try:
            tending.claimed = await tending.runtime.save(tending.claimed, unit)
            break
        except StoreAway:
            await asyncio.sleep(STORE_BACK.total_seconds())
        except (ClaimLost, Conflict):
            await _save_beside(tending, renewed)
            raise
    else:
        raise StoreAway("the store was away too long to keep a renewed token")
    if not await tending.runtime.store.epoch.replicated():
        log.warning("connection.token_not_replicated", connection=tending.connection.id)
    log.info("connection.refreshed", connection=tending.connection.id, serial=renewed.serial)


async def _save_beside(tending: Tending, renewed: Tokens) -> None:
    """The lane is another worker's by now, but the token it holds is dead and ours is not: the one
    case in which a document is written without its lane, guarded by its revision alone."""
    documents = tending.runtime.store.documents
    for _ in range(SAVE_AGAIN):
        stored = await documents.get(tending.tenant, Tokens, renewed.id)
        if stored is None or stored.serial >= renewed.serial:
            return
        with suppress(Conflict):  # the other worker noted its own beginning: once more
            await documents.put(tending.tenant, renewed.model_copy(update={"rev": stored.rev}))
            return


def _set_timer(tending: Tending, tokens: Tokens) -> None:
    now, dice = tending.runtime.now(), tending.runtime.dice()
    tending.unit.timers["refresh"] = refresh_in(tokens.expires_at, now, dice)
