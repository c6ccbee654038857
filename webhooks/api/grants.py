"""Which applications may use or hear about what others made or linked? Given, seen, taken away."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from infra.errors import Conflict
from infra.lanes import IndexDrop, IndexSet, Unit
from infra.records import saved
from schemas.connections import Calendar, Connection, LinkState
from schemas.grants import (
    GRANTEES,
    GRANTS,
    Allows,
    Grant,
    Grantees,
    grant_id,
    write_row,
)
from schemas.people import Application, Scope
from schemas.places import about
from schemas.problems import ProblemType
from webhooks.api.grant_bodies import Grants, GrantsAsked, GrantView, NewGrant, shown
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, version
from webhooks.api.problems import Denied, changed, not_found, wrong_field

AT_MOST: Final = 10_000
TURNS: Final = 5
"""How often it is tried again when somebody else wrote first."""


async def give(call: Call[NewGrant]) -> Answer:
    """The id follows from application and place: given again it has the terms that are said now."""
    body = call.body
    await _must_be_given(call, body)
    for _ in range(TURNS):
        known = await _stored(call, grant_id(body.application, body.place))
        call.must_match(known.rev if known else 0, "grant")
        grant = _grant(call, known)
        same = {"given_by": grant.given_by, "given_at": grant.given_at}
        if known is not None and known.model_copy(update=same) == grant:
            return Answer(shown(known, call.now), status=200, headers=version(known))
        unit = await _giving(call, grant)
        answer = Answer(
            shown(grant, call.now),
            status=200 if known else 201,
            headers=version(saved(grant)),
        )
        try:
            return await call.submit(unit, answer)
        except Conflict:
            continue
    raise changed("grant")


async def list_grants(call: Call[None]) -> Answer:
    """In order of their ids. Keys that do not manage see those of their own application."""
    asked = call.asked(GrantsAsked)
    if not _manages(call):
        if asked.application not in {None, call.caller.application}:
            return Answer(Grants(items=(), next=None))
        asked = asked.model_copy(update={"application": call.caller.application})
    rows = await call.front.store.index.all(call.tenant, GRANTS)
    rest = sorted(id_ for id_, row in rows.items() if id_ > asked.after and asked.fits(row))
    chosen = rest[: asked.limit]
    found = await call.front.store.documents.get_all(call.tenant, Grant, chosen)
    more = chosen[-1] if len(rest) > len(chosen) else None
    return Answer(Grants(items=tuple(shown(one, call.now) for one in found), next=more))


async def read_grant(call: Call[None]) -> Answer:
    """Another application's is there for keys that manage only."""
    grant = await the(call, Grant, call.path["grant"], "grant")
    if not _manages(call) and grant.application != call.caller.application:
        raise not_found("grant")
    return Answer(shown(grant, call.now), headers=version(grant))


async def take(call: Call[None]) -> Answer:
    """What was announced before is still delivered: it was for the application when it was told."""
    grant = await the(call, Grant, call.path["grant"], "grant")
    call.must_match(grant.rev, "grant")
    unit = Unit(drops=[grant], index=[IndexDrop(GRANTS, grant.id)])
    await call.front.store.lanes.submit(call.tenant, unit)
    return Answer()


async def _must_be_given(call: Call[NewGrant], body: NewGrant) -> None:
    """Is everything there, and the caller's to give? Raises Denied."""
    if body.until is not None and body.until <= call.now:
        raise wrong_field("until", "Name a moment that is still to come, or leave it out.")
    documents, tenant = call.front.store.documents, call.tenant
    owner = None
    if body.connection is not None:
        owner = await _owner(call, body.connection, "connection")
    if body.calendar is not None:
        calendar = await documents.get(tenant, Calendar, body.calendar)
        if calendar is None or not calendar.watched:
            raise wrong_field("calendar", "Name a calendar of this tenant that is watched.")
        owner = await _owner(call, calendar.connection, "calendar")
    if await documents.get(tenant, Application, body.application) is None:
        raise wrong_field("application", "Name an application of this tenant, app_….")
    if Scope.TENANT_WIDE not in call.caller.scopes and owner != call.caller.application:
        raise Denied(
            ProblemType.FORBIDDEN,
            "Your application may give what it linked itself. To give this, use a key with the"
            " scope `tenant`.",
        )


async def _owner(call: Call[NewGrant], connection: str, field: str) -> str | None:
    """The application that linked it, if one did."""
    found = await call.front.store.documents.get(call.tenant, Connection, connection)
    if found is None or found.state is LinkState.UNLINKED:
        raise wrong_field(field, "Name one of a connection of this tenant that is linked.")
    return about(found).application


def _grant(call: Call[NewGrant], known: Grant | None) -> Grant:
    body = call.body
    return Grant(
        id=grant_id(body.application, body.place),
        rev=known.rev if known else 0,
        application=body.application,
        place=body.place,
        allows=tuple(one for one in Allows if one in body.allows),
        given_by=call.actor,
        given_at=call.now,
        until=body.until,
    )


async def _giving(call: Call[NewGrant], grant: Grant) -> Unit:
    """What stores it, and lets announcements find it. Raises Denied."""
    store = call.front.store
    if grant.rev == 0 and await store.index.size(call.tenant, GRANTS) >= AT_MOST:
        raise Denied(
            ProblemType.TOO_MANY_GRANTS,
            f"A tenant has {AT_MOST} grants at most. Take one away that is not needed any more, or"
            " give one for a whole connection or user.",
        )
    unit = Unit(puts=[grant], index=[IndexSet(GRANTS, grant.id, write_row(grant))])
    grantees = await store.documents.get(call.tenant, Grantees, GRANTEES)
    known = grantees or Grantees(id=GRANTEES)
    if grant.application not in known.applications:
        applications = (*known.applications, grant.application)
        unit.puts.append(known.model_copy(update={"applications": applications}))
    return unit


async def _stored(call: Call[Any], id_: str) -> Grant | None:
    return await call.front.store.documents.get(call.tenant, Grant, id_)


def _manages(call: Call[Any]) -> bool:
    return Scope.MANAGE in call.caller.scopes


_row = partial(Operation[Any], room="Grants")

ROWS: tuple[Row, ...] = (
    _row(
        name="giveGrant",
        method="POST",
        path="/v1/grants",
        needs=Scope.MANAGE,
        says="Let an application use or hear about a connection, a calendar or a user's meetings,"
        " from now on. Given again for the same place, it has the terms that you say now. What your"
        " application did not link itself, only keys with the scope `tenant` may give.",
        handle=give,
        takes=NewGrant,
        gives=GrantView,
        status=201,
        harmless=True,
        also={200: "It had one for that place; these are its terms from now on."},
        problems=(ProblemType.TOO_MANY_GRANTS,),
        headers=("If-Match",),
    ),
    _row(
        name="listGrants",
        method="GET",
        path="/v1/grants",
        needs="key",
        says="The grants of your application; with the scope `manage`, of all of the tenant.",
        handle=list_grants,
        gives=Grants,
        asks=GrantsAsked,
        paged=True,
    ),
    _row(
        name="readGrant",
        method="GET",
        path="/v1/grants/{grant}",
        needs="key",
        says="A grant of your application; with the scope `manage`, of any of the tenant.",
        handle=read_grant,
        gives=GrantView,
        versioned=True,
    ),
    _row(
        name="takeGrant",
        method="DELETE",
        path="/v1/grants/{grant}",
        needs=Scope.MANAGE,
        says="Take a grant away. Nothing that is announced from now on reaches the application by"
        " it, and nothing more is made by it. What was announced before is still delivered and"
        " stays in its feed; meetings that it made stay its own.",
        handle=take,
        status=204,
        headers=("If-Match",),
    ),
)
