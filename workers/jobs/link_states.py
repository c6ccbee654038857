"""How does a link break, end and come back? Its state, its tokens, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from infra.errors import NeedsReauth, Refused, TokenExpired, TryLater, Vanished
from infra.lanes import IndexDrop, Lane
from infra.seal import Unsealable
from schemas.callbacks import CallbackType
from schemas.connections import Account, Calendar, LinkState, Reading
from schemas.items import LinkChanged
from schemas.people import Actor
from schemas.providers import Role
from schemas.seals import Sealed
from workers.access import access_of
from workers.jobs.ending_grants import end_grants
from workers.jobs.tending import Tending
from workers.tokens import give_back, opened, registration

log = structlog.get_logger("workers.connections")

JUST_LINKED: Final = timedelta(seconds=30)
"""What a call says that began before the link was renewed is said of the old link."""
AT_ONCE: Final = 40
TRIES_TO_REVOKE: Final = 3


async def needs_reauth(
    tending: Tending, reason: str, *, missing_scopes: Sequence[str] = (), by: str = "provider"
) -> None:
    """A person must link it again. Said once; work that needs it waits (T9)."""
    connection = tending.connection
    if not connection.usable:
        return
    tending.becomes(
        state=LinkState.NEEDS_REAUTH, reason=reason, missing_scopes=tuple(missing_scopes)
    )
    tending.unit.timers["refresh"] = None
    await tending.tell(CallbackType.CONNECTION_NEEDS_REAUTH, by=by, reason=reason)
    log.warning(
        "connection.needs_reauth", tenant=tending.tenant, connection=connection.id, reason=reason
    )


async def broken(tending: Tending, reason: str, missing_scopes: Sequence[str]) -> None:
    """A call met a broken link (T27)."""
    if tending.runtime.now() - tending.connection.linked_at > JUST_LINKED:
        await needs_reauth(tending, reason, missing_scopes=missing_scopes)


async def revoked(tending: Tending, reason: str) -> None:
    """Taken away at the vendor: tokens, grants and the person's name are deleted, conferences are
    not (S4-11). A second run goes on where the first was cut."""
    if tending.connection.state not in {LinkState.REVOKED, LinkState.UNLINKED}:
        await _leave_account(tending)
        tending.becomes(state=LinkState.REVOKED, reason=reason)
        _forget_name(tending)
        tending.tokens = None
        tending.unit.timers["refresh"] = None
        await tending.tell(CallbackType.CONNECTION_REVOKED, by="provider", reason=reason)
    await end_grants(tending)


async def unlink(tending: Tending, actor: Actor) -> None:
    """Taken away here: nothing more is created from now on, no conference is deleted, and the
    tokens are forgotten after they were given back (S4-9, S4-10).

    A second run goes on where the first was cut: the state is committed before anything is revoked.
    """
    if tending.connection.state is not LinkState.UNLINKED:
        await _leave_account(tending)
        for_whom = f" for {actor.on_behalf_of}" if actor.on_behalf_of else ""
        reason = f"unlinked by {actor.kind} {actor.id}".strip() + for_whom
        tending.becomes(state=LinkState.UNLINKED, reason=reason)
        tending.unit.timers["refresh"] = None
        _forget_name(tending)
        by = "application" if actor.kind == "application" else "operator"
        await tending.tell(CallbackType.CONNECTION_UNLINKED, by=by, reason=reason)
        await tending.save()
    await end_grants(tending)
    await _give_up_access(tending)
    tending.tokens = None
    await _wake_calendars(tending)


async def relinked(tending: Tending) -> None:
    """Let everything that waited for the link look again. Each step drops from the list what it
    wakes; who still has to wait lists itself again."""
    waiting = f"waiting:{tending.connection.id}"
    index = tending.runtime.store.index
    while names := list(await index.all(tending.tenant, waiting, AT_ONCE)):
        for name in names[:AT_ONCE]:
            _wake(tending, Lane(tending.tenant, "meeting", name))
            tending.unit.index.append(IndexDrop(waiting, name))
        await tending.save()
    await _wake_calendars(tending)


def _wake(tending: Tending, lane: Lane) -> None:
    changed = LinkChanged(connection=tending.connection.id, trace=tending.trace)
    tending.post(lane, tending.runtime.new_id("it"), changed)


async def _wake_calendars(tending: Tending) -> None:
    for name in await _calendars(tending):
        await tending.save_if_full()
        _wake(tending, Lane(tending.tenant, "calendar", name))


async def _calendars(tending: Tending) -> list[str]:
    index = tending.runtime.store.index
    name = f"calendars-of:{tending.connection.id}"
    return list(await index.all(tending.tenant, name))


async def _leave_account(tending: Tending) -> None:
    """No more notifications of the vendor's account for this connection."""
    connection = tending.connection
    await tending.runtime.store.accounts.remove(
        connection.provider, connection.account.account_id, tending.tenant, connection.id
    )


def _forget_name(tending: Tending) -> None:
    """The vendor's ids stay, so that a re-link can be compared."""
    account = tending.connection.account
    tending.becomes(account=Account(id=account.id, account_id=account.account_id))


async def _give_up_access(tending: Tending) -> None:
    """Stop the channels and revoke the tokens at the vendor, as far as the vendor lets us."""
    if tending.tokens is None:
        return
    try:
        await _stop_channels(tending)
        await _revoke(tending)
    except TryLater as later:
        if tending.claimed.failures < TRIES_TO_REVOKE:
            raise
        log.warning("tokens.not_revoked", connection=tending.connection.id, reason=str(later))
    except (NeedsReauth, Refused, TokenExpired, Unsealable) as error:
        log.info("tokens.not_revoked", connection=tending.connection.id, reason=str(error))


async def _stop_channels(tending: Tending) -> None:
    """Before the tokens go: a channel outlives its grant until it expires (calendars.md §1.6)."""
    if tending.connection.role is not Role.CALENDAR:
        return
    port = tending.runtime.calendars[tending.connection.provider]
    granted = access_of(tending.runtime, tending.tenant, tending.connection, tending.tokens)
    documents = tending.runtime.store.documents
    for name in await _calendars(tending):
        calendar = await documents.get(tending.tenant, Calendar, name)
        reading = await documents.get(tending.tenant, Reading, name)
        for one in reading.subscriptions if calendar and reading else ():
            if one.state != "retired" and one.resource is not None:
                try:
                    await port.stop(granted, channel=one.id, resource=one.resource)
                except Vanished:
                    continue


async def _revoke(tending: Tending) -> None:
    tokens, tenant, runtime = tending.tokens, tending.tenant, tending.runtime
    if tokens is None:
        return
    ours = await registration(runtime, tenant, tending.connection.client)
    sealed, what = tokens.refresh_sealed, Sealed.REFRESH_TOKEN
    if sealed is None:
        sealed, what = tokens.access_sealed, Sealed.ACCESS_TOKEN
    token = opened(runtime, sealed, context=what.of(tenant, tending.connection.id))
    await give_back(runtime, ours, token)
