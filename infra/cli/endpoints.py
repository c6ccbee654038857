"""Where are callbacks sent? `tieline endpoints`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="Where callbacks are sent.")
COLUMNS = {"Endpoint": "id", "State": "state", "Address": "url", "Types": "types"}
Endpoint = Annotated[str, typer.Argument(help="Id of the endpoint, end_…")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All endpoints of the tenant."""
    show_all(ctx, ask(ctx, lambda api: pages(api, "/v1/endpoints")), COLUMNS)


@app.command()
def add(
    ctx: typer.Context,
    url: str,
    kinds: Annotated[list[str] | None, typer.Option("--type", help="Only these types.")] = None,
) -> None:
    """Send callbacks to this address. Its secret is shown now and never again."""
    body = {"url": url, "types": kinds or []}
    made = ask(ctx, lambda api: api.post("/v1/endpoints", body))
    show(ctx, made, [f"{made['id']} is made.", f"Its secret, shown once: {made['secret']}"])


@app.command()
def pause(ctx: typer.Context, endpoint: Endpoint) -> None:
    """Hold its callbacks until it is enabled."""
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/pause")))


@app.command()
def enable(ctx: typer.Context, endpoint: Endpoint) -> None:
    """Send what was held, and go on."""
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/enable")))


@app.command()
def remove(ctx: typer.Context, endpoint: Endpoint) -> None:
    """Send nothing there any more."""
    ask(ctx, lambda api: api.delete(f"/v1/endpoints/{endpoint}"))
    show(ctx, {"removed": endpoint})
