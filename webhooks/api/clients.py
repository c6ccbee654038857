"""Which apps of ours are registered at vendors? Their secrets go in, sealed, and never come out."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pydantic import Field, SecretStr

from infra.lanes import IndexSet, Unit
from schemas.connections import Client
from schemas.connections import Route as HookRoute
from schemas.people import Scope
from schemas.providers import PROVIDERS, Push
from schemas.records import Moment
from schemas.seals import Sealed
from webhooks.api.addresses import check_base_url, redirect_url
from webhooks.api.lists import page_of, the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape, version
from webhooks.api.problems import wrong_field

KEPT_SECRETS: Final = 2
"""Webhook secrets in force: the new one and the one before it."""


class NewClient(Shape):
    """An OAuth app that you registered at a vendor. Make it before you tell the vendor where to
    notify you: the answer has both addresses to register."""

    provider: str = Field(examples=["zoom"])
    client_id: str = Field(min_length=1, max_length=500)
    secret: SecretStr = Field(min_length=1, max_length=2000)
    name: str = Field(default="", max_length=100)
    """What you call it."""
    description: str = Field(default="", max_length=500)
    webhook_secret: SecretStr | None = Field(default=None, min_length=1, max_length=2000)
    """What the vendor signs its notifications with, where it signs them: Zoom's Secret Token, or
    the `value` of GoToWebinar's `POST /webhooks/secretkey`."""
    base_url: str | None = Field(default=None, max_length=500)
    """The provider at another address, such as a sandbox."""


class NewSecret(Shape):
    """A secret. It is sealed on arrival and cannot be read again."""

    secret: SecretStr = Field(min_length=1, max_length=2000)


class ClientView(Shape):
    """A client, and what to register at the vendor."""

    id: str
    provider: str
    name: str
    description: str
    client_id: str
    redirect_url: str
    notification_url: str | None
    """None where subscriptions have addresses of their own."""
    webhook_secrets: int
    """How many are in force."""
    base_url: str | None
    created_at: Moment


class Clients(Shape):
    """A page of clients."""

    items: tuple[ClientView, ...]
    next: str | None


async def create_client(call: Call[NewClient]) -> Answer:
    """Each call makes one, with the route that its vendor signs for, in one write."""
    front, body, id_ = call.front, call.body, call.front.new_id("cli")
    provider = PROVIDERS.get(body.provider)
    if provider is None or provider.oauth is None:
        raise wrong_field("provider", f"One of {_with_oauth()}; the others need no client.")
    check_base_url("base_url", body.base_url, front)
    signed = provider.push is Push.SIGNED
    client = Client(
        id=id_,
        provider=provider.name,
        client_id=body.client_id,
        name=body.name,
        description=body.description,
        secret_sealed=_seal_secret(call, id_, body.secret),
        webhook_secrets_sealed=_seal_for_door(call, id_, body.webhook_secret),
        route=front.new_secret()[:32] if signed else None,
        base_url=body.base_url,
        created_at=call.now,
    )
    unit = Unit(puts=[client, *_routes(client)], index=[IndexSet("clients", id_, "")])
    return await call.submit(unit, Answer(_shown(call, client)))


def _routes(client: Client) -> list[HookRoute]:
    """Where the client's vendor notifies us, if it signs with the client's secret."""
    if client.route is None:
        return []
    sealed = client.webhook_secrets_sealed
    return [
        HookRoute(
            id=client.route, provider=client.provider, client=client.id, secrets_sealed=sealed
        )
    ]


async def list_clients(call: Call[None]) -> Answer:
    """In order of their ids."""
    found, more = await page_of(call, "clients", Client)
    return Answer(Clients(items=tuple(_shown(call, client) for client in found), next=more))


async def read_client(call: Call[None]) -> Answer:
    """Never its secrets."""
    client = await the(call, Client, call.path["client"], "client")
    return Answer(_shown(call, client), headers=version(client))


async def replace_secret(call: Call[NewSecret]) -> Answer:
    """The same secret again is a new ciphertext, and no harm."""
    client = await the(call, Client, call.path["client"], "client")
    call.must_match(client.rev, "client")
    sealed = _seal_secret(call, client.id, call.body.secret)
    changed = client.model_copy(update={"secret_sealed": sealed})
    await call.front.store.lanes.submit(call.tenant, Unit(puts=[changed]))
    return Answer()


async def replace_webhook_secret(call: Call[NewSecret]) -> Answer:
    """The one before stays in force, so that no notification is lost while the vendor switches."""
    client = await the(call, Client, call.path["client"], "client")
    call.must_match(client.rev, "client")
    provider = PROVIDERS[client.provider]
    if provider.push is not Push.SIGNED:
        words = f"{provider.title} signs no notifications; there is nothing to set."
        raise wrong_field("secret", words)
    sealed = _seal_for_door(call, client.id, call.body.secret) + client.webhook_secrets_sealed
    kept = sealed[:KEPT_SECRETS]
    changed = client.model_copy(update={"webhook_secrets_sealed": kept})
    if client.route is None:  # made before we heard its vendor
        changed = changed.model_copy(update={"route": call.front.new_secret()[:32]})
        routes = _routes(changed)
    else:
        route = await the(call, HookRoute, client.route, "client")
        routes = [route.model_copy(update={"secrets_sealed": kept})]
    await call.front.store.lanes.submit(call.tenant, Unit(puts=[changed, *routes]))
    return Answer()


def _seal_secret(call: Call[NewClient] | Call[NewSecret], client: str, secret: SecretStr) -> str:
    context = Sealed.CLIENT_SECRET.of(call.tenant, client)
    return call.front.vault.seal(secret.get_secret_value().encode(), context=context)


def _seal_for_door(
    call: Call[NewClient] | Call[NewSecret], client: str, secret: SecretStr | None
) -> tuple[str, ...]:
    if secret is None:
        return ()
    context = Sealed.WEBHOOK_SECRET.of(call.tenant, client)
    return (call.front.door.seal(secret.get_secret_value().encode(), context=context),)


def _with_oauth() -> str:
    return ", ".join(name for name, row in PROVIDERS.items() if row.oauth is not None)


def _shown(call: Call[None] | Call[NewClient], client: Client) -> ClientView:
    settings = call.front.settings
    hooks = f"{settings.receiver_url.rstrip('/')}/hooks/{client.provider}"
    return ClientView(
        id=client.id,
        provider=client.provider,
        name=client.name,
        description=client.description,
        client_id=client.client_id,
        redirect_url=redirect_url(settings.public_url, client.provider),
        notification_url=f"{hooks}/{call.tenant}.{client.route}" if client.route else None,
        webhook_secrets=len(client.webhook_secrets_sealed),
        base_url=client.base_url,
        created_at=client.created_at,
    )


_row = partial(Operation[Any], room="Clients", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="createClient",
        method="POST",
        path="/v1/clients",
        says="Register your OAuth app of a vendor. The answer has the addresses that the vendor"
        " wants to know.",
        handle=create_client,
        takes=NewClient,
        gives=ClientView,
        status=201,
        harmless=True,
    ),
    _row(
        name="listClients",
        method="GET",
        path="/v1/clients",
        says="The clients of the tenant.",
        handle=list_clients,
        gives=Clients,
        paged=True,
    ),
    _row(
        name="readClient",
        method="GET",
        path="/v1/clients/{client}",
        says="A client with its redirect and notification addresses; never its secrets.",
        handle=read_client,
        gives=ClientView,
        versioned=True,
    ),
    _row(
        name="replaceClientSecret",
        method="PUT",
        path="/v1/clients/{client}/secret",
        says="Replace the OAuth client secret.",
        handle=replace_secret,
        takes=NewSecret,
        status=204,
        headers=("If-Match",),
    ),
    _row(
        name="replaceWebhookSecret",
        method="PUT",
        path="/v1/clients/{client}/webhook-secret",
        says="Set what the vendor signs its notifications with. The one before stays in force.",
        handle=replace_webhook_secret,
        takes=NewSecret,
        status=204,
        headers=("If-Match",),
    ),
)
