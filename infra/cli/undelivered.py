"""What could not be delivered, and sending it again: `tieline undelivered`."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from infra.cli.api import Api, Json
from infra.cli.terminal import ask, pages, session, show, show_all

app = typer.Typer(no_args_is_help=True, help="Callbacks that were given up, and their recovery.")
COLUMNS = {"Callback": "callback", "Endpoint": "endpoint", "Type": "type", "Why": "detail"}
LOOK_EVERY: Final = timedelta(seconds=1)
Endpoint = Annotated[str | None, typer.Option(help="Only of this endpoint.")]
Kind = Annotated[str | None, typer.Option("--type", help="Only of this type.")]
Reason = Annotated[str | None, typer.Option(help="Only for this reason, such as `exhausted`.")]
Since = Annotated[str | None, typer.Option(help="Given up at or after this moment, with a zone.")]
Until = Annotated[str | None, typer.Option(help="Given up before this moment.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    *,
    endpoint: Endpoint = None,
    kind: Kind = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """All of them, oldest first, and why."""
    wanted = _wanted(endpoint=endpoint, type=kind, reason=reason, since=since, until=until)
    show_all(ctx, ask(ctx, lambda api: pages(api, "/v1/undelivered", **wanted)), COLUMNS)


@app.command()
def recover(
    ctx: typer.Context,
    *,
    endpoint: Endpoint = None,
    kind: Kind = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[bool, typer.Option(help="Only count them.")] = False,
) -> None:
    """Send them again, and show how far it is. Ctrl-C stops watching, not the recovery."""
    wanted = _wanted(endpoint=endpoint, type=kind, reason=reason, since=since, until=until)
    body = {**wanted, "dry_run": dry_run}
    told = ask(ctx, lambda api: _recover(api, body, silent=session(ctx).as_json))
    if dry_run:
        show(ctx, told, [f"{told['expected']} would be sent again."])
        return
    counts = f"{told['recovered']} of {told['expected']} are on their way again"
    show(ctx, told, [f"{told['id']} is {told['state']}: {counts}; {told['gone']} were gone."])


@app.command()
def cancel(ctx: typer.Context, recovery: str) -> None:
    """Stop a recovery where it is."""
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/recoveries/{recovery}/cancel")))


async def _recover(api: Api, body: Json, *, silent: bool) -> Json:
    told = await api.post("/v1/recover", body)
    with Progress(console=Console(stderr=True), disable=silent, transient=True) as progress:
        bar = progress.add_task("Sending again", total=told["expected"])
        while told["state"] == "running":
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            told = await api.get(f"/v1/recoveries/{told['id']}")
            progress.update(bar, completed=told["recovered"] + told["gone"])
    return told


def _wanted(**said: str | None) -> dict[str, str]:
    return {name: value for name, value in said.items() if value is not None}
