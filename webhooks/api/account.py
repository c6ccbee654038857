"""How does the API ask about the account behind a connection? Shared by its conferences and people.

A query may name an organizer or a group; what comes back is what the worker found.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from schemas.account_asks import AccountAsk, Span, Whose
from schemas.accounts import Found
from schemas.problems import ProblemType
from schemas.providers import Role
from schemas.records import Moment, Schema
from webhooks.api.connections import usable
from webhooks.api.operation import Answer, Call
from webhooks.api.problems import wrong_field
from webhooks.api.requests import still_waiting

REFUSALS: Final = (
    ProblemType.NOT_LINKED,
    ProblemType.NOT_OFFERED,
    ProblemType.PROVIDER_REFUSED,
    ProblemType.ADMIN_ONLY,
    ProblemType.FREE_PLAN,
    ProblemType.MISSING_SCOPE,
    ProblemType.ORGANIZER_SUSPENDED,
)
KEY: Final = r"^[A-Za-z0-9_.-]*$"


class OfWhom(Schema):
    """Whose."""

    organizer: str = Field(
        default="", max_length=100, pattern=KEY, description="Key of an organizer; else your own."
    )
    group: str = Field(
        default="", max_length=100, pattern=KEY, description="Key of a group of organizers."
    )


class During(OfWhom):
    """Whose, and from when to when."""

    since: Moment = Field(description="From when on; required.")
    until: Moment = Field(description="Until when; required.")


async def asked(call: Call[Any], ask: AccountAsk, *, reads_only: bool = False) -> Found | Answer:
    """What a worker found, or the answer to give while it is at it. Raises Denied."""
    await usable(call, ask.connection, Role.CONFERENCING, "connection")
    heard = await call.ask(ask, group=f"connection:{ask.connection}", reads_only=reads_only)
    if heard.answer is None:
        return still_waiting(heard)
    return heard.answer.found or Found()


def whose(call: Call[Any]) -> Whose:
    """The organizer or the group that a query names, not both. Raises Denied."""
    query = call.query
    if not isinstance(query, OfWhom):
        return Whose()
    if query.organizer and query.group:
        raise wrong_field("group", "Name an organizer or a group, not both.")
    return Whose(organizer=query.organizer, group=query.group)


def span(call: Call[Any]) -> Span:
    """The span that a query names. Raises Denied."""
    query = call.query
    if not isinstance(query, During):
        raise TypeError("only a row that asks for a span has one")
    if query.until <= query.since:
        raise wrong_field("until", "Name a moment after `since`.")
    return Span(since=query.since, until=query.until)
