"""May the caller do this with what others made or linked? By its key's scopes, or by a grant."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from schemas.connections import Connection
from schemas.grants import Allows, Place
from schemas.meetings import Ask, Meeting
from schemas.people import Scope
from schemas.places import about
from webhooks.api.operation import Call

EITHER = frozenset(Allows)


async def granted_on_meeting(
    call: Call[Any], meeting: Meeting, ask: Ask | None, by: Collection[Allows]
) -> bool:
    """Whether a grant of the caller's that allows one of these covers where the meeting stands."""
    if not by:
        return False
    host = ask.host if ask else None
    places = await call.front.store.grants.places(call.tenant, about(meeting), host)
    return await _granted(call, places, by)


async def may_use(call: Call[Any], connection: Connection) -> bool:
    """Whether the caller may ask for meetings over this connection: keys that manage connections
    may, and the application that linked it."""
    if not call.caller.scopes.isdisjoint({Scope.MANAGE, Scope.TENANT_WIDE}):
        return True
    if about(connection).application == call.caller.application:
        return True
    places = {Place(kind="connection", id=connection.id)}
    if connection.user is not None:
        places.add(Place(kind="user", id=connection.user))
    return await _granted(call, places, {Allows.USE})


async def _granted(call: Call[Any], places: Collection[Place], by: Collection[Allows]) -> bool:
    own = [call.caller.application]
    grants = call.front.store.grants
    for what in by:
        if await grants.permitted(call.tenant, own, places, what=what, now=call.now):
            return True
    return False
