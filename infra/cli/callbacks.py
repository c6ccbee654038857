"""What became of a callback? `tieline callbacks`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="Callbacks and the tries to deliver them.")
DELIVERIES = {"Endpoint": "endpoint", "State": "state", "Attempts": "attempts"}
ATTEMPTS = {"At": "at", "Endpoint": "endpoint", "Status": "status", "Error": "error"}
TYPES = {"Type": "type", "What it says": "says"}
Callback = Annotated[str, typer.Argument(help="Id of the callback, cb_…")]


@app.command("show")
def show_one(ctx: typer.Context, callback: Callback) -> None:
    """Where it stands at each endpoint."""
    told = ask(ctx, lambda api: api.get(f"/v1/callbacks/{callback}"))
    lines = (f"{one['endpoint']}: {one['state']}" for one in told["deliveries"])
    show(ctx, told, [f"{told['id']} {told['type']} at {told['timestamp']}", *lines])


@app.command()
def attempts(ctx: typer.Context, callback: Callback) -> None:
    """Every try, with what came back."""
    found = ask(ctx, lambda api: pages(api, f"/v1/callbacks/{callback}/attempts"))
    show_all(ctx, found, ATTEMPTS)


@app.command()
def redeliver(
    ctx: typer.Context,
    callback: Callback,
    endpoint: Annotated[str, typer.Option(help="Where to send it again.")],
) -> None:
    """Send it once more to an endpoint."""
    body = {"endpoint": endpoint}
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/callbacks/{callback}/redeliver", body)))


@app.command()
def types(ctx: typer.Context) -> None:
    """Every type there is."""
    show_all(ctx, ask(ctx, lambda api: api.get("/v1/callback-types"))["items"], TYPES)
