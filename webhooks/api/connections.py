"""Which accounts are linked, how well, and how are they linked and let go?"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pydantic import Field, SecretStr, model_validator

from infra.lanes import Item, Lane, Post
from schemas.connections import Account, Client, Connection, LinkState
from schemas.desk import CalendarListed, LinkGiven, ListCalendars
from schemas.items import UnlinkAsked, write_load
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Provider, Role
from schemas.records import Moment
from schemas.seals import Sealed
from webhooks.api.addresses import check_base_url, check_page
from webhooks.api.lists import page_of, the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape, version
from webhooks.api.problems import Denied, wrong_field
from webhooks.api.requests import WAITING, still_waiting

BY_PASSWORD: Final = frozenset({"password", "username", "user_id"})
NO_PASSWORDS: Final = (
    "Login by password is gone at the vendors (GoTo called it Direct Login), and we keep none. Send"
    " the person to the `url` of POST /v1/connections/link."
)


class NewConnection(Shape):
    """An account to link: with tokens that you bring, or a built-in provider that needs none."""

    provider: str = Field(max_length=40, examples=["jitsi"])
    client: str | None = Field(default=None, max_length=64)
    user: str | None = Field(default=None, min_length=1, max_length=200)
    """Your id of the user it belongs to; leave out if it belongs to the tenant."""
    access_token: SecretStr | None = Field(default=None, min_length=1, max_length=8000)
    refresh_token: SecretStr | None = Field(default=None, min_length=1, max_length=8000)
    scopes: tuple[str, ...] = Field(default=(), max_length=100)
    room_url: str | None = Field(default=None, max_length=500)
    """Static: the room's address. Jitsi: the server."""
    base_url: str | None = Field(default=None, max_length=500)
    expected_account: str | None = Field(default=None, max_length=200)
    """The vendor's id of the account; another one is refused."""
    directory: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]{1,100}$")
    """Microsoft, without a person: the organisation whose administrator consented to the client's
    application permissions, by its id or domain. Names the `mailbox` beside it."""
    mailbox: str | None = Field(default=None, pattern=r"^[^\s/?#]{1,200}$")
    """The mailbox to work in: its object id, or its address. One connection a mailbox."""

    @model_validator(mode="before")
    @classmethod
    def _takes_no_password(cls, said: Any) -> Any:  # noqa: ANN401 - what was sent may be anything
        """Such as GoTo's Direct Login once took (S2-27)."""
        if isinstance(said, dict) and not said.keys().isdisjoint(BY_PASSWORD):
            raise ValueError(NO_PASSWORDS)
        return said


class ConnectionView(Shape):
    """A link to an account."""

    id: str
    provider: str
    role: Role
    client: str | None
    user: str | None
    name: str
    account: Account
    directory: str
    """The organisation that lets our client in without a person; empty where a person did."""
    exactly_one: bool
    """Whether a meeting can be promised exactly one conference: a provider must hold our reference
    for that, and be allowed to."""
    state: LinkState
    reason: str
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    room_url: str | None
    linked_at: Moment


class Connections(Shape):
    """A page of connections."""

    items: tuple[ConnectionView, ...]
    next: str | None


class CalendarsFound(Shape):
    """The calendars that the account can see."""

    items: tuple[CalendarListed, ...]


async def create_connection(call: Call[NewConnection]) -> Answer:
    """Tokens are sealed before anything is written; a worker tries them and links."""
    provider = await _checked(call)
    body, id_ = call.body, call.front.new_id("con")
    (role,) = provider.roles
    ask = LinkGiven(
        connection=id_,
        provider=provider.name,
        role=role,
        client=body.client,
        user=body.user,
        access_sealed=_seal(call, Sealed.ACCESS_TOKEN, id_, body.access_token),
        refresh_sealed=_seal(call, Sealed.REFRESH_TOKEN, id_, body.refresh_token),
        scopes=body.scopes,
        room_url=body.room_url,
        base_url=body.base_url,
        expected_account=body.expected_account,
        directory=body.directory or "",
        mailbox=body.mailbox or "",
    )
    heard = await call.ask(ask, group=f"connection:{id_}")
    if heard.answer is None:
        return still_waiting(heard)
    linked = await the(call, Connection, heard.answer.connection or id_, "connection")
    return Answer(shown(linked))


async def list_connections(call: Call[None]) -> Answer:
    """In order of their ids."""
    found, more = await page_of(call, "connections", Connection)
    return Answer(Connections(items=tuple(shown(one) for one in found), next=more))


async def read_connection(call: Call[None]) -> Answer:
    """Never its tokens."""
    connection = await the(call, Connection, call.path["connection"], "connection")
    return Answer(shown(connection), headers=version(connection))


async def unlink(call: Call[None]) -> Answer:
    """The connection's lane takes the link away; asking again is harmless."""
    connection = await the(call, Connection, call.path["connection"], "connection")
    call.must_match(connection.rev, "connection")
    if connection.state is not LinkState.UNLINKED:
        load = write_load(UnlinkAsked(actor=call.actor))
        lane = Lane(call.tenant, "connection", connection.id)
        await call.front.store.lanes.post(Post(lane=lane, item=Item(call.trace, load)))
    return Answer(shown(connection))


async def list_provider_calendars(call: Call[None]) -> Answer:
    """Read afresh at the provider."""
    connection = await usable(call, call.path["connection"], Role.CALENDAR, "connection")
    ask = ListCalendars(connection=connection.id)
    heard = await call.ask(ask, group=f"connection:{connection.id}", reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(CalendarsFound(items=heard.answer.calendars))


async def usable(call: Call[Any], id_: str, role: Role, field: str) -> Connection:
    """The connection, if it is linked in this role. Raises Denied."""
    connection = await the(call, Connection, id_, "connection")
    if connection.role is not role:
        raise wrong_field(field, f"Name a connection of the role `{role}`.")
    if not connection.usable:
        why = connection.reason or f"it is {connection.state}"
        raise Denied(
            ProblemType.NOT_LINKED,
            f"Connection {id_} cannot be used: {why}. Link it again"
            " (POST /v1/connections/link with its id), then repeat.",
        )
    return connection


def shown(connection: Connection) -> ConnectionView:
    """The connection as partners see it."""
    provider = PROVIDERS[connection.provider]
    marked = connection.marks_titles or not provider.reference_in_title
    names = set(ConnectionView.model_fields) - {"exactly_one"}
    facts = {name: getattr(connection, name) for name in names}
    return ConnectionView(**facts, exactly_one=provider.holds_reference and marked)


async def _checked(call: Call[NewConnection]) -> Provider:
    """The provider, if what it needs is there and nothing else. Raises Denied."""
    body = call.body
    provider = PROVIDERS.get(body.provider)
    if provider is None:
        raise wrong_field("provider", f"One of {', '.join(PROVIDERS)}.")
    check_base_url("base_url", body.base_url, call.front)
    if provider.oauth is None:
        _check_built_in(body)
        return provider
    _check_own_name(body, provider)
    if (body.access_token is None and body.directory is None) or body.client is None:
        raise wrong_field(
            "access_token",
            "Bring `access_token` and `client`, or let the person link it"
            " (POST /v1/connections/link).",
        )
    client = await call.front.store.documents.get(call.tenant, Client, body.client)
    if client is None or client.provider != provider.name:
        raise wrong_field("client", f"Name a client of this tenant for {provider.title}.")
    return provider


def _check_own_name(body: NewConnection, provider: Provider) -> None:
    if (body.directory is None) is not (body.mailbox is None):
        raise wrong_field("mailbox", "Name both `directory` and `mailbox`, or neither.")
    if body.directory is None:
        return
    if provider.oauth is None or not provider.oauth.application_scope:
        raise wrong_field("directory", f"{provider.title} is linked by people only.")
    if body.access_token or body.refresh_token:
        raise wrong_field("access_token", "A client in its own name brings no tokens.")


def _check_built_in(body: NewConnection) -> None:
    if body.access_token or body.refresh_token or body.client or body.directory:
        raise wrong_field("provider", f"{body.provider} takes no client and no tokens.")
    if body.room_url is not None:
        check_page("room_url", body.room_url)
    elif body.provider == "static":
        raise wrong_field("room_url", "Say where the room is.")


def _seal(
    call: Call[NewConnection], what: Sealed, connection: str, secret: SecretStr | None
) -> str | None:
    if secret is None:
        return None
    context = what.of(call.tenant, connection)
    return call.front.vault.seal(secret.get_secret_value().encode(), context=context)


_row = partial(Operation[Any], room="Connections", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="createConnection",
        method="POST",
        path="/v1/connections",
        says="Link an account with tokens that you bring, or a built-in provider.",
        handle=create_connection,
        takes=NewConnection,
        gives=ConnectionView,
        status=201,
        harmless=True,
        also=WAITING,
        problems=(ProblemType.LINK_REFUSED, ProblemType.PROVIDER_REFUSED),
    ),
    _row(
        name="listConnections",
        method="GET",
        path="/v1/connections",
        says="The connections of the tenant.",
        handle=list_connections,
        gives=Connections,
        paged=True,
    ),
    _row(
        name="readConnection",
        method="GET",
        path="/v1/connections/{connection}",
        says="A connection, and why it cannot be used if so.",
        handle=read_connection,
        gives=ConnectionView,
        versioned=True,
    ),
    _row(
        name="unlinkConnection",
        method="DELETE",
        path="/v1/connections/{connection}",
        says="Take the link away. No conference is deleted; its tokens are forgotten.",
        handle=unlink,
        gives=ConnectionView,
        status=202,
        headers=("If-Match",),
    ),
    _row(
        name="listProviderCalendars",
        method="GET",
        path="/v1/connections/{connection}/calendars",
        says="Which calendars of the account could be watched.",
        handle=list_provider_calendars,
        gives=CalendarsFound,
        also=WAITING,
        problems=(ProblemType.NOT_LINKED, ProblemType.PROVIDER_REFUSED),
    ),
)
