"""How is a link stored? Connection, tokens, lists, callback and timers: in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from infra.lanes import IndexSet, Item, Lane, Post, Unit
from infra.tokens import Granted
from schemas.callbacks import Callback, CallbackType, Cause, ConnectionData
from schemas.connections import Account, Connection, LinkRequest, LinkState, Tokens
from schemas.desk import DeskAnswer
from schemas.items import LinkChanged, write_load
from schemas.people import Actor
from schemas.providers import PROVIDERS, Role
from workers.jobs.desk import Desk
from workers.jobs.offers import OFFERS
from workers.outbox import announce_into
from workers.tokens import refresh_in, sealed_tokens

NOBODY: Final = Account(id="")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A link that is to be, or to be renewed."""

    id: str
    provider: str
    role: Role
    client: str | None
    user: str | None
    actor: Actor
    account: Account = NOBODY
    granted: Granted | None = None
    scopes: tuple[str, ...] = ()
    base_url: str | None = None
    room_url: str | None = None
    directory: str = ""
    name: str = ""
    marks_titles: bool = True
    warning: str = ""


async def keep_link(desk: Desk, proposal: Proposal, request: LinkRequest | None) -> DeskAnswer:
    """Have the answer's commit create the link, or renew it in place, and say that it did.

    The vendor's account is mapped to the connection first: a row too many is harmless, one too few
    would lose notifications.
    """
    account = proposal.account
    if account.account_id:
        await desk.runtime.store.accounts.add(
            proposal.provider, account.account_id, desk.tenant, proposal.id
        )

    async def fill(unit: Unit) -> None:
        if request is not None:
            unit.puts.append(request)
        await _fill(desk, proposal, unit)

    desk.fill = fill
    sentences = (proposal.warning,) if proposal.warning else ()
    return desk.done(connection=proposal.id, sentences=sentences)


async def linked_before(desk: Desk, proposal: Proposal) -> Connection | None:
    """The connection of this tenant, user and client that the account is linked by already: to link
    it again is to renew it, for some vendors then end the older tokens (Zoom 4741)."""
    accounts, documents = desk.runtime.store.accounts, desk.runtime.store.documents
    if not proposal.account.account_id:
        return None
    linked = await accounts.linked(proposal.provider, proposal.account.account_id)
    for tenant, name in sorted(linked):
        found = await documents.get(tenant, Connection, name) if tenant == desk.tenant else None
        if found is not None and _is_same(found, proposal):
            return found
    return None


def _is_same(connection: Connection, proposal: Proposal) -> bool:
    return (
        connection.account.id == proposal.account.id
        and (connection.client, connection.user) == (proposal.client, proposal.user)
        and connection.role is proposal.role
    )


async def _fill(desk: Desk, proposal: Proposal, unit: Unit) -> None:
    documents, runtime = desk.runtime.store.documents, desk.runtime
    before = await documents.get(desk.tenant, Connection, proposal.id)
    connection = _connection(desk, proposal, before)
    unit.puts.append(connection)
    unit.index.append(IndexSet("connections", connection.id, ""))
    timers: dict[str, timedelta] = {}
    if proposal.granted is not None:
        held = await documents.get(desk.tenant, Tokens, proposal.id)
        tokens = sealed_tokens(runtime, desk.tenant, proposal.id, proposal.granted, before=held)
        unit.puts.append(tokens)
        if tokens.refresh_sealed is not None or proposal.directory:
            due = refresh_in(tokens.expires_at, runtime.now(), runtime.dice())
            timers["refresh"] = due
    if PROVIDERS[proposal.provider].is_polled:
        timers |= {"poll": timedelta(0), "harvest": timedelta(0)}
    if proposal.role is Role.CALENDAR:
        timers[OFFERS] = timedelta(0)
    _wake(desk, connection, unit, timers, renewed=before is not None)
    callback = _linked(desk, connection)
    await announce_into(unit, runtime, desk.tenant, [callback], about=connection, now=runtime.now())


def _connection(desk: Desk, proposal: Proposal, before: Connection | None) -> Connection:
    """The connection as it is from now on; a renewed one keeps its id and what it knows."""
    now = desk.runtime.now()
    facts: dict[str, object] = {
        "client": proposal.client,
        "account": proposal.account,
        "state": LinkState.LINKED,
        "reason": "",
        "scopes": proposal.scopes,
        "missing_scopes": (),
        "base_url": proposal.base_url,
        "linked_at": now,
        "linked_by": proposal.actor,
    }
    if before is not None:
        return before.model_copy(update={**facts, "sequence": before.sequence + 1})
    return Connection.model_validate(
        {
            **facts,
            "id": proposal.id,
            "provider": proposal.provider,
            "role": proposal.role,
            "user": proposal.user,
            "room_url": proposal.room_url,
            "directory": proposal.directory,
            "name": proposal.name,
            "marks_titles": proposal.marks_titles,
            "reconciled_epoch": str(desk.runtime.store.epoch.current),
            "sequence": 1,
        }
    )


def _wake(
    desk: Desk,
    connection: Connection,
    unit: Unit,
    timers: dict[str, timedelta],
    *,
    renewed: bool,
) -> None:
    """The lane of the connection keeps the tokens fresh, and wakes what waited for a re-link."""
    changed = write_load(LinkChanged(connection=connection.id))
    item = Item(desk.request.id, changed) if renewed else None
    if item is not None or timers:
        lane = Lane(desk.tenant, "connection", connection.id)
        unit.posts.append(Post(lane, item, timers=timers))


def _linked(desk: Desk, connection: Connection) -> Callback:
    actor = desk.request.actor
    data = ConnectionData(
        tenant=desk.tenant,
        subject=connection.id,
        sequence=connection.sequence,
        cause=Cause(by=actor.kind, because=f"linked by {actor.kind} {actor.id}".strip()),
        trace_id=desk.runtime.new_id("tr"),
        connection=connection.id,
        provider=connection.provider,
        account=connection.account.name,
    )
    return Callback(type=CallbackType.CONNECTION_LINKED, data=data)
