"""What does the API want of the account behind a connection? Who answers what, and how refusals
that concern one request leave the link alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final, TypeVar

from infra.errors import InSession, NeedsReauth, TryLater, Unknown
from infra.http.wire import Wire
from infra.lanes import Unit
from infra.records import saved
from schemas.account_asks import OfAccount
from schemas.accounts import Found
from schemas.connections import Connection
from schemas.desk import DeskAnswer
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Role
from workers.jobs.desk import Declined, Desk
from workers.jobs.questions import connection_of, through
from workers.ports import Access

T = TypeVar("T")
PASSING: Final = timedelta(seconds=1)
Port = TypeVar("Port")


async def at_account(
    desk: Desk,
    ask: OfAccount,
    clients: Callable[[Wire], Mapping[str, Port]],
    call: Callable[[Port, Access], Awaitable[T]],
) -> T:
    """The call's answer, through the client of the connection's provider.

    Raises Declined in words where the provider offers no such thing, misses a wider permission (the
    link itself is well then), or is in session.
    """
    connection = await linked(desk, ask)
    port = clients(desk.runtime.providers_wire).get(connection.provider)
    if port is None:
        title = PROVIDERS[connection.provider].title
        words = f"{title} offers nothing like this, or we cannot ask it for it yet."
        raise Declined(ProblemType.NOT_OFFERED, words)

    async def act(provider: str, access: Access) -> T:
        try:
            return await _patiently(lambda: call(port, access))
        except NeedsReauth as error:
            if error.missing and error.missing <= set(_wider(connection)):
                raise missing(connection, error.missing) from error
            raise

    try:
        return await through(desk, connection.id, act)
    except InSession as error:
        words = "It is in session: end it first, or wait until it has ended."
        raise Declined(ProblemType.IN_SESSION, words) from error


async def linked(desk: Desk, ask: OfAccount) -> Connection:
    """The connection, if it is one for conferences. Raises Declined."""
    connection = await connection_of(desk, ask.connection)
    if connection.role is not Role.CONFERENCING:
        words = f"Connection {connection.id} is a calendar's: it has no conferences."
        raise Declined(ProblemType.NOT_OFFERED, words)
    return connection


def missing(connection: Connection, scopes: frozenset[str]) -> Declined:
    """The refusal of what the link was not granted, with what to do about it."""
    title, names = PROVIDERS[connection.provider].title, ", ".join(sorted(scopes))
    words = (
        f"{title} was not asked for {names} when connection {connection.id} was linked. Add it to"
        f" your client at {title}, and link again with `more_scopes`."
    )
    return Declined(ProblemType.MISSING_SCOPE, words)


def lacks(connection: Connection, scope: str) -> bool:
    """Whether the link surely lacks a scope that only some links are asked for."""
    return scope in _wider(connection) and scope not in connection.scopes


async def once(desk: Desk, what: str, act: Callable[[], Awaitable[T]]) -> T:
    """Do what must not be done twice. A second run does not know what came of the first."""
    words = (
        f"{what} was sent, and no answer came that can be used: it may have been done. Look, before"
        " you ask again."
    )
    if desk.request.begun_at is not None:
        raise Declined(ProblemType.OUTCOME_UNKNOWN, words)
    begun = desk.request.model_copy(update={"begun_at": desk.runtime.now()})
    desk.claimed = await desk.runtime.save(desk.claimed, Unit(puts=[begun]))
    desk.request = saved(begun)
    try:
        return await act()
    except Unknown as error:
        raise Declined(ProblemType.OUTCOME_UNKNOWN, words) from error


def found(desk: Desk, ask: OfAccount, **facts: object) -> DeskAnswer:
    """The answer when it went well."""
    return desk.done(connection=ask.connection, found=Found.model_validate(facts))


async def _patiently(act: Callable[[], Awaitable[T]]) -> T:
    """A limit of calls a second has passed before anybody could be told to come again: what was
    refused for it was surely not done."""
    try:
        return await act()
    except TryLater as later:
        if type(later) is not TryLater or later.after is None or later.after > PASSING:
            raise
    await asyncio.sleep(PASSING.total_seconds())
    return await act()


def _wider(connection: Connection) -> tuple[str, ...]:
    oauth = PROVIDERS[connection.provider].oauth
    return oauth.wider_scopes if oauth else ()
