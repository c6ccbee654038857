"""Which events deserve a conference? The tenant's rules, read and replaced as a whole."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from infra.lanes import Lane, Post, Unit
from schemas.connections import Connection
from schemas.people import Scope
from schemas.policy import KeywordRule, PolicyRules
from schemas.problems import ProblemType
from schemas.providers import Role
from webhooks.api.calendars import CALENDARS
from webhooks.api.meeting_bodies import must_lead
from webhooks.api.operation import Answer, Call, Operation, Row, Shape, etag
from webhooks.api.problems import wrong_field

POLICY: Final = "policy"
MARKED_AT_ONCE: Final = 256
_WORD: Final = re.compile(r"[^\s,;]{1,60}")


class Rule(Shape):
    """Events whose location holds the keyword, as a word of its own, get a conference."""

    keyword: str = Field(examples=["zoom"])
    conferencing: str = Field(examples=["default"], max_length=64)
    """Id of a conferencing connection, or `default`."""
    source_of_truth: Literal["calendar", "conference"] = "calendar"
    """Who is right about title, times and cancelling. `calendar`: what is changed at the
    conference's provider is put back. `conference`: it reaches the event."""

    @field_validator("keyword")
    @classmethod
    def _is_one_word(cls, keyword: str) -> str:
        if not _WORD.fullmatch(keyword):
            raise ValueError("One word of at most 60 letters, without spaces, commas, semicolons.")
        return keyword


class PolicyBody(Shape):
    """The rules in their order: the first that fits decides."""

    rules: tuple[Rule, ...] = Field(default=(), max_length=50)
    default: str | None = Field(default=None, max_length=64)
    """The conferencing connection that `default` means."""


async def read_policy(call: Call[None]) -> Answer:
    """A tenant that has none yet has the empty one, of version 0."""
    return _shown(await _current(call))


async def replace_policy(call: Call[PolicyBody]) -> Answer:
    """The same rules again are the same policy; over others' rules only with their ETag."""
    stored = await _current(call)
    call.must_match(stored.rev, "policy")
    body = call.body
    named = [(f"rules.{n}.conferencing", rule.conferencing) for n, rule in enumerate(body.rules)]
    for field, connection in [*named, ("default", body.default or "default")]:
        await _must_confer(call, field, connection)
    await _may_lead(call)
    rules = tuple(KeywordRule(**rule.model_dump()) for rule in body.rules)
    policy = stored.model_copy(update={"rules": rules, "default": body.default})
    if policy != stored:
        call.must_match(stored.rev, "policy", needed=stored.rev > 0)
        await call.front.store.lanes.submit(call.tenant, Unit(puts=[policy]))
        policy = policy.model_copy(update={"rev": policy.rev + 1})
        await _have_calendars_read(call)
    return _shown(policy)


async def _have_calendars_read(call: Call[PolicyBody]) -> None:
    """Let every watched calendar be read by the new rules now; one that is left out, should this
    process end here, is read by them with its next poll."""
    store = call.front.store
    calendars = sorted(await store.index.all(call.tenant, CALENDARS))
    for first in range(0, len(calendars), MARKED_AT_ONCE):
        chosen = calendars[first : first + MARKED_AT_ONCE]
        posts = [Post(Lane(call.tenant, "calendar", one), mark=True) for one in chosen]
        await store.lanes.post_many(call.tenant, posts)


async def _must_confer(call: Call[PolicyBody], field: str, connection: str) -> None:
    if connection == "default":
        return
    found = await call.front.store.documents.get(call.tenant, Connection, connection)
    if found is None or found.role is not Role.CONFERENCING:
        raise wrong_field(
            field, "Name a conferencing connection of this tenant, as GET /v1/connections lists it."
        )


async def _may_lead(call: Call[PolicyBody]) -> None:
    """A conference is the source of truth only where we hear of its changes."""
    for n, rule in enumerate(call.body.rules):
        named = call.body.default if rule.conferencing == "default" else rule.conferencing
        if rule.source_of_truth == "conference" and named is not None:
            await must_lead(call, f"rules.{n}.source_of_truth", named)


async def _current(call: Call[None] | Call[PolicyBody]) -> PolicyRules:
    stored = await call.front.store.documents.get(call.tenant, PolicyRules, POLICY)
    return stored or PolicyRules(id=POLICY)


def _shown(policy: PolicyRules) -> Answer:
    body = PolicyBody(
        rules=tuple(Rule(**rule.model_dump()) for rule in policy.rules), default=policy.default
    )
    return Answer(body, headers={"ETag": etag(policy.rev)})


_row = partial(Operation[Any], room="Policy", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="readPolicy",
        method="GET",
        path="/v1/policy",
        says="The rules that decide which calendar events get a conference.",
        handle=read_policy,
        gives=PolicyBody,
        versioned=True,
    ),
    _row(
        name="replacePolicy",
        method="PUT",
        path="/v1/policy",
        says="Replace all rules, with the ETag of those that are there as If-Match. Events are"
        " judged by them at once: every watched calendar is read anew.",
        handle=replace_policy,
        takes=PolicyBody,
        gives=PolicyBody,
        problems=(ProblemType.CHANGED, ProblemType.READ_FIRST),
        headers=("If-Match",),
    ),
)
