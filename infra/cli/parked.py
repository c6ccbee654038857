"""What waits for a person, and how does it go on? `tieline parked`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="Work that lies aside until somebody acts.")
COLUMNS = {"Lane": "lane", "Since": "since", "Items": "waiting", "Why": "reason"}


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All of it, longest first, and why."""
    show_all(ctx, ask(ctx, lambda api: pages(api, "/v1/parked")), COLUMNS)


@app.command()
def retry(
    ctx: typer.Context, lane: Annotated[str, typer.Argument(help="As `tieline parked list` says.")]
) -> None:
    """Try it again at once, from its first item on."""
    told = ask(ctx, lambda api: api.post("/v1/parked/retry", {"lane": lane}))
    show(ctx, told, [f"{lane} is tried again; {told['waiting']} items were waiting in it."])
