"""Which API keys has an application? Made, seen, changed over and taken away."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pydantic import Field

from infra.lanes import IndexSet, Unit
from schemas.people import ApiKey, Application, Scope
from schemas.problems import ProblemType
from schemas.records import Moment
from webhooks.api.auth import digest, spell_key
from webhooks.api.lists import page_of, the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import Denied, not_found
from webhooks.api.shown_once import ShownOnce

ACTIVE_ALIKE: Final = 2
"""Keys of one application with the same scopes: the one in use, and the one to change over to."""
MOST_KEYS: Final = 1000


class NewKey(Shape):
    """What the key may do."""

    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))


class KeyView(Shape):
    """An API key, without its secret."""

    id: str
    application: str
    scopes: tuple[Scope, ...]
    created_at: Moment
    revoked_at: Moment | None
    last_used_at: Moment | None
    """To the minute; null if it was never used."""


class Keys(Shape):
    """A page of keys."""

    items: tuple[KeyView, ...]
    next: str | None


class KeyShown(Shape):
    """A new API key. `secret` is shown now and never again: a repeat has null in its place."""

    id: str
    application: str
    scopes: tuple[Scope, ...]
    secret: ShownOnce
    created_at: Moment


async def create_key(call: Call[NewKey]) -> Answer:
    """Each call makes one; only the hash of its secret is kept."""
    application = await the(call, Application, call.path["application"], "application")
    return await _make(call, application.id, tuple(dict.fromkeys(call.body.scopes)))


async def create_next_key(call: Call[None]) -> Answer:
    """The same scopes as the key that asks."""
    scopes = tuple(scope for scope in Scope if scope in call.caller.scopes)
    return await _make(call, call.caller.application, scopes)


async def list_keys(call: Call[None]) -> Answer:
    """In order of their ids, those taken away among them."""
    application = await the(call, Application, call.path["application"], "application")
    return await _list(call, application.id)


async def list_own_keys(call: Call[None]) -> Answer:
    """Of the application that asks."""
    return await _list(call, call.caller.application)


async def revoke_key(call: Call[None]) -> Answer:
    """At once and for good; revoked already is done."""
    return await _revoke(call, call.path["application"])


async def revoke_own_key(call: Call[None]) -> Answer:
    """Also the key that asks."""
    return await _revoke(call, call.caller.application)


async def _make(call: Call[Any], application: str, scopes: tuple[Scope, ...]) -> Answer:
    await _must_have_room(call, application, frozenset(scopes))
    secret = call.front.new_secret()
    key = ApiKey(
        id=call.front.new_id("key"),
        application=application,
        secret_sha256=digest(secret),
        scopes=scopes,
        created_at=call.now,
    )
    shown = KeyShown(
        id=key.id,
        application=application,
        scopes=key.scopes,
        secret=spell_key(call.tenant, key.id, secret),
        created_at=key.created_at,
    )
    listed = IndexSet(_of(application), key.id, "")
    return await call.submit(Unit(puts=[key], index=[listed]), Answer(shown))


async def _must_have_room(call: Call[Any], application: str, scopes: frozenset[Scope]) -> None:
    store = call.front.store
    ids = await store.index.all(call.tenant, _of(application), MOST_KEYS)
    keys = await store.documents.get_all(call.tenant, ApiKey, list(ids))
    alike = [key.id for key in keys if key.revoked_at is None and scopes == set(key.scopes)]
    if len(alike) >= ACTIVE_ALIKE:
        raise Denied(
            ProblemType.TOO_MANY_KEYS,
            f"{ACTIVE_ALIKE} keys with these scopes are active: {', '.join(sorted(alike))}."
            " Take the one away that nobody uses any more (`last_used_at` tells), then repeat.",
        )


async def _list(call: Call[None], application: str) -> Answer:
    found, more = await page_of(call, _of(application), ApiKey)
    used = await call.front.uses.last(call.tenant, [key.id for key in found])
    views = (
        KeyView(
            id=key.id,
            application=key.application,
            scopes=key.scopes,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
            last_used_at=last,
        )
        for key, last in zip(found, used, strict=True)
    )
    return Answer(Keys(items=tuple(views), next=more))


async def _revoke(call: Call[None], application: str) -> Answer:
    key = await the(call, ApiKey, call.path["key"], "key")
    if key.application != application:
        raise not_found("key")
    if key.revoked_at is None:
        revoked = key.model_copy(update={"revoked_at": call.now})
        await call.front.store.lanes.submit(call.tenant, Unit(puts=[revoked]))
    return Answer()


def _of(application: str) -> str:
    return f"keys:{application}"


_OPERATORS: Final = "/v1/tenants/{tenant}/applications/{application}/keys"
_row = partial(Operation[Any], room="Tenants", needs="operator")
_own = partial(Operation[Any], room="Keys", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="createKey",
        method="POST",
        path=_OPERATORS,
        says="Make an API key. Its secret is shown once; keep it like a password. Two keys with the"
        " same scopes may be active at a time.",
        handle=create_key,
        takes=NewKey,
        gives=KeyShown,
        status=201,
        problems=(ProblemType.TOO_MANY_KEYS,),
        harmless=True,
    ),
    _row(
        name="listKeys",
        method="GET",
        path=_OPERATORS,
        says="The keys of an application, and when each was last used.",
        handle=list_keys,
        gives=Keys,
        paged=True,
    ),
    _row(
        name="revokeKey",
        method="DELETE",
        path=f"{_OPERATORS}/{{key}}",
        says="Take a key away, at once and for good.",
        handle=revoke_key,
        status=204,
    ),
    _own(
        name="createNextKey",
        method="POST",
        path="/v1/keys",
        says="Make a second key with the scopes of this one: change over to it, then take this one"
        " away.",
        handle=create_next_key,
        gives=KeyShown,
        status=201,
        problems=(ProblemType.TOO_MANY_KEYS,),
        harmless=True,
    ),
    _own(
        name="listOwnKeys",
        method="GET",
        path="/v1/keys",
        says="The keys of your application, and when each was last used.",
        handle=list_own_keys,
        gives=Keys,
        paged=True,
    ),
    _own(
        name="revokeOwnKey",
        method="DELETE",
        path="/v1/keys/{key}",
        says="Take a key of your application away, at once and for good.",
        handle=revoke_own_key,
        status=204,
    ),
)
