"""Who may hold conferences in a linked account? `tieline organizers`."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlencode

import typer

from infra.cli.api import Api, Json, Problem
from infra.cli.conferences import Connection, named, of, one, read
from infra.cli.patience import all_of
from infra.cli.terminal import ask, fail, show, show_all

app = typer.Typer(no_args_is_help=True, help="Organizers of a linked account, and their groups.")

PEOPLE = {"Key": "key", "Address": "email", "State": "state", "Products": "products"}
GROUPS = {"Key": "key", "Name": "name", "Status": "status", "Organizers": "organizers"}
Organizer = Annotated[str, typer.Argument(help="The provider's key of the organizer.")]
Product = Annotated[str, typer.Option(help="G2M, G2W, G2T or OPENVOICE.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    connection: Connection,
    *,
    email: Annotated[str, typer.Option(help="Only the one of this address.")] = "",
    group: Annotated[str, typer.Option(help="Only those of this group.")] = "",
) -> None:
    """Who may hold conferences, with the key that co-organizers are named by."""
    query = named(email=email, group=group)
    told = ask(ctx, lambda api: read(api, of(connection, "organizers"), "organizers", query))
    show_all(ctx, told["items"], PEOPLE)


@app.command("show")
def show_one(ctx: typer.Context, connection: Connection, organizer: Organizer) -> None:
    """One, by key. Anybody may look at their own entry."""
    path = of(connection, f"organizers/{organizer}")
    show(ctx, one(ctx, "organizers", lambda api: api.get(path)))


@app.command()
def invite(
    ctx: typer.Context,
    connection: Connection,
    people: Annotated[list[str], typer.Argument(help='Each as "Eve Raju <eve@example.org>".')],
    *,
    product: Product = "G2M",
    group: Annotated[str, typer.Option(help="Key of the group they are to belong to.")] = "",
) -> None:
    """Invite people to become organizers. The provider mails them; they have no key before they
    accept."""
    invited = [{**_person(ctx, one), "product": product} for one in people]
    body = {"people": invited, **named(group=group)}

    async def post(api: Api) -> Json:
        return await all_of(api, await api.post(of(connection, "organizers"), body), "organizers")

    show_all(ctx, ask(ctx, post)["items"], PEOPLE)


@app.command()
def suspend(ctx: typer.Context, connection: Connection, organizer: Organizer) -> None:
    """Take all products, and with them the access."""
    _change(ctx, of(connection, f"organizers/{organizer}"), {"suspended": True})


@app.command()
def activate(
    ctx: typer.Context, connection: Connection, organizer: Organizer, *, product: Product = "G2M"
) -> None:
    """Give a product, which ends a suspension."""
    _change(ctx, of(connection, f"organizers/{organizer}"), {"products": [product]})


@app.command()
def delete(
    ctx: typer.Context,
    connection: Connection,
    organizer: Annotated[str, typer.Argument(help="Their key, or their address.")],
) -> None:
    """Delete one by key or by address, which also takes an open invitation back."""
    path = of(connection, f"organizers/{organizer}")
    if "@" in organizer:
        path = f"{of(connection, 'organizers')}?{urlencode({'email': organizer})}"
    told = one(ctx, "removed", lambda api: api.delete(path))
    show(ctx, told, [told["message"]])


@app.command()
def groups(ctx: typer.Context, connection: Connection) -> None:
    """The groups of the account."""
    told = ask(ctx, lambda api: read(api, of(connection, "groups"), "groups", {}))
    show_all(ctx, told["items"], GROUPS)


def _change(ctx: typer.Context, path: str, body: dict[str, Json]) -> None:
    show(ctx, one(ctx, "organizers", lambda api: api.put(path, body)))


def _person(ctx: typer.Context, said: str) -> dict[str, str]:
    """Somebody's address with their first and last name."""
    name, address = parseaddr(said)
    first, _, last = name.partition(" ")
    if not (last and address):
        words = f'Name {said} with first name, last name and address: "Eve Raju <eve@example.org>".'
        raise fail(ctx, Problem(0, "invalid-request", words))
    return {"email": address, "first_name": first, "last_name": last.strip()}
