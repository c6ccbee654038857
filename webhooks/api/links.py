"""How does a partner let a person link an account? With an address to open in their browser."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final

from pydantic import Field

from infra.lanes import Unit
from schemas.connections import Client, Connection, LinkRequest
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Provider
from schemas.records import Moment
from webhooks.api.addresses import check_page
from webhooks.api.auth import digest
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import wrong_field
from webhooks.api.shown_once import ShownOnce

LINK_WITHIN: Final = timedelta(minutes=10)


class NewLink(Shape):
    """Who is to link what, and where they go afterwards."""

    client: str = Field(max_length=64)
    """Whose app asks for the consent; it also says which provider."""
    return_url: str = Field(max_length=2000, examples=["https://partner.example/linked"])
    """Gets `connection=…` (and `warning=…`), or `error=…&detail=…`."""
    user: str | None = Field(default=None, min_length=1, max_length=200)
    """Your id of the user it will belong to; leave out if it belongs to the tenant."""
    connection: str | None = Field(default=None, max_length=64)
    """A connection to authorise again; leave out to make a new one."""
    more_scopes: tuple[str, ...] = Field(default=(), max_length=20, examples=[["identity:"]])
    """Scopes to ask for beyond the least: those that GET /v1/connections/{id}/offers misses. One
    that is linked again is asked for what it has."""
    name: str = Field(default="", max_length=100)
    """What you call it, beside others to the same account."""
    visible_reference: bool = True
    """GoTo Meeting: whether titles of its conferences may end in our reference. Without it "exactly
    one conference" is not promised."""
    expected_account: str | None = Field(default=None, max_length=200)
    """The vendor's id of the account; another one is refused."""


class LinkShown(Shape):
    """Where to send the person. The address is a secret, good once and for ten minutes. A repeat
    has null in its place: then make another."""

    id: str
    url: ShownOnce
    expires_at: Moment


async def create_link(call: Call[NewLink]) -> Answer:
    """Each call makes one; the browser that opens it is bound when it comes."""
    body, front = call.body, call.front
    client = await _checked(call)
    (role,) = PROVIDERS[client.provider].roles
    id_, secret = front.new_id("lr"), front.new_secret()
    request = LinkRequest(
        id=id_,
        provider=client.provider,
        role=role,
        client=client.id,
        user=body.user,
        connection=body.connection,
        expected_account=body.expected_account,
        more_scopes=body.more_scopes,
        name=body.name,
        marks_titles=body.visible_reference,
        return_url=body.return_url,
        verifier_sealed="",
        token_sha256=digest(secret),
        expires_at=call.now + LINK_WITHIN,
        actor=call.actor,
    )
    url = f"{front.settings.public_url.rstrip('/')}/connect/{call.tenant}.{id_}.{secret}"
    shown = LinkShown(id=id_, url=url, expires_at=request.expires_at)
    return await call.submit(Unit(puts=[request]), Answer(shown))


async def _checked(call: Call[NewLink]) -> Client:
    body = call.body
    client = await call.front.store.documents.get(call.tenant, Client, body.client)
    if client is None:
        raise wrong_field("client", "Name a client of this tenant, as GET /v1/clients lists it.")
    check_page("return_url", body.return_url)
    _check_scopes(body, PROVIDERS[client.provider])
    if body.connection is not None:
        await _must_fit(call, body.connection, client.provider)
    return client


def _check_scopes(body: NewLink, provider: Provider) -> None:
    known = provider.oauth.wider_scopes if provider.oauth else ()
    if strange := set(body.more_scopes) - set(known):
        listed = ", ".join(known) or "none"
        raise wrong_field(
            "more_scopes", f"{min(strange)} is not one of {provider.title}: {listed}."
        )


async def _must_fit(call: Call[NewLink], id_: str, provider: str) -> None:
    connection = await the(call, Connection, id_, "connection")
    if connection.provider != provider:
        raise wrong_field(
            "connection", f"It is of {connection.provider}, the client of {provider}."
        )


_row = partial(Operation[Any], room="Connections", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="createLink",
        method="POST",
        path="/v1/connections/link",
        says="Get an address where a person links an account; send them there.",
        handle=create_link,
        takes=NewLink,
        gives=LinkShown,
        status=201,
        problems=(ProblemType.NOT_FOUND,),
        harmless=True,
    ),
)
