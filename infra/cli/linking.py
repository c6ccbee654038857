"""How is an account linked from a terminal? `tieline link` gives the address to open."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, show


def link(
    ctx: typer.Context,
    client: Annotated[str, typer.Argument(help="Your app at the vendor, cli_…")],
    return_url: Annotated[str, typer.Option(help="Where the person comes back to.")],
    user: Annotated[str | None, typer.Option(help="Your id of the user it belongs to.")] = None,
) -> None:
    """An address where a person links an account, good once and for ten minutes."""
    body = {"client": client, "return_url": return_url, "user": user}
    made = ask(ctx, lambda api: api.post("/v1/connections/link", body))
    show(ctx, made, [f"Open this before {made['expires_at']}:", made["url"]])
