"""What can be done with a linked account? `tieline conferences` and `tieline organizers`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, show, show_all

conferences = typer.Typer(no_args_is_help=True, help="Conferences of a linked account.")
organizers = typer.Typer(no_args_is_help=True, help="Organizers of a linked account.")

HELD = {"Conference": "id", "Title": "title", "Began": "starts_at", "Ended": "ends_at"}
COMING = {"Conference": "id", "Title": "title", "Starts": "starts_at", "Join": "join_url"}
PEOPLE = {"Key": "key", "Address": "email", "State": "state", "Products": "products"}
Connection = Annotated[str, typer.Argument(help="Id of the connection, con_…")]
Conference = Annotated[str, typer.Argument(help="The provider's id of the conference.")]
Organizer = Annotated[str, typer.Argument(help="The provider's key of the organizer.")]


@conferences.command("list")
def list_conferences(ctx: typer.Context, connection: Connection) -> None:
    """What is to come, or running."""
    told = ask(ctx, lambda api: api.get(_of(connection, "conferences")))
    show_all(ctx, told["items"], COMING)


@conferences.command("show")
def show_conference(ctx: typer.Context, connection: Connection, conference: Conference) -> None:
    """One, as the provider has it now."""
    show(ctx, ask(ctx, lambda api: api.get(_of(connection, f"conferences/{conference}"))))


@conferences.command("delete")
def delete_conference(ctx: typer.Context, connection: Connection, conference: Conference) -> None:
    """Delete one, whoever made it."""
    path = _of(connection, f"conferences/{conference}")
    told = ask(ctx, lambda api: api.delete(path))
    show(ctx, told, [told["message"]])


@conferences.command("history")
def history(ctx: typer.Context, connection: Connection, since: str, until: str) -> None:
    """What was held between two moments, such as 2027-01-01T00:00:00Z."""
    path = _of(connection, "history")
    told = ask(ctx, lambda api: api.get(path, since=since, until=until))
    show_all(ctx, told["items"], HELD)


@organizers.command("list")
def list_organizers(
    ctx: typer.Context,
    connection: Connection,
    email: Annotated[str, typer.Option(help="Only the one of this address.")] = "",
    group: Annotated[str, typer.Option(help="Only those of this group.")] = "",
) -> None:
    """Who may hold conferences, with the key that co-organizers are named by."""
    asked = {name: said for name, said in (("email", email), ("group", group)) if said}
    told = ask(ctx, lambda api: api.get(_of(connection, "organizers"), **asked))
    show_all(ctx, told["items"], PEOPLE)


@organizers.command("suspend")
def suspend(ctx: typer.Context, connection: Connection, organizer: Organizer) -> None:
    """Take all products, and with them the access."""
    path = _of(connection, f"organizers/{organizer}")
    show(ctx, ask(ctx, lambda api: api.put(path, {"suspended": True})))


@organizers.command("activate")
def activate(
    ctx: typer.Context,
    connection: Connection,
    organizer: Organizer,
    product: Annotated[str, typer.Option(help="G2M, G2W, G2T or OPENVOICE.")] = "G2M",
) -> None:
    """Give a product, which ends a suspension."""
    path = _of(connection, f"organizers/{organizer}")
    show(ctx, ask(ctx, lambda api: api.put(path, {"products": [product]})))


def _of(connection: str, what: str) -> str:
    return f"/v1/connections/{connection}/{what}"
