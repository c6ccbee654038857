"""Who may use or hear about what others made or linked? `tieline grants`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="What applications may use or hear about.")
COLUMNS = {
    "Grant": "id",
    "Application": "application",
    "Connection": "connection",
    "Calendar": "calendar",
    "User": "user",
    "Allows": "allows",
    "Until": "until",
    "In force": "in_force",
}
Connection = Annotated[str | None, typer.Option(help="This connection, con_…")]
Calendar = Annotated[str | None, typer.Option(help="This calendar, cal_…")]
User = Annotated[str | None, typer.Option(help="This user, by your id.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    *,
    application: Annotated[str | None, typer.Option(help="Of this application.")] = None,
    connection: Connection = None,
    calendar: Calendar = None,
    user: User = None,
) -> None:
    """Your application's grants; those of the whole tenant for keys that manage it."""
    query = _named(application=application, connection=connection, calendar=calendar, user=user)
    show_all(ctx, ask(ctx, lambda api: pages(api, "/v1/grants", **query)), COLUMNS)


@app.command()
def give(
    ctx: typer.Context,
    application: Annotated[str, typer.Argument(help="Id of the application, app_…")],
    *,
    connection: Connection = None,
    calendar: Calendar = None,
    user: User = None,
    allows: Annotated[
        list[str] | None, typer.Option("--allow", help="hear (the default), use, or both.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="When it ends, such as …T10:00:00Z.")] = None,
) -> None:
    """Let an application use or hear about one place, from now on."""
    place = _named(connection=connection, calendar=calendar, user=user, until=until)
    body = {"application": application, "allows": allows or ["hear"], **place}
    show(ctx, ask(ctx, lambda api: api.post("/v1/grants", body)))


@app.command()
def take(
    ctx: typer.Context, grant: Annotated[str, typer.Argument(help="Id of the grant, grt_…")]
) -> None:
    """Take a grant away: nothing that is announced from now on is heard by it."""
    ask(ctx, lambda api: api.delete(f"/v1/grants/{grant}"))
    show(ctx, {"taken": grant})


def _named(**words: str | None) -> dict[str, str]:
    return {name: word for name, word in words.items() if word is not None}
