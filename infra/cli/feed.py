"""What were partners told? `tieline feed` reads it, or follows it."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from infra.cli.api import Api, Json
from infra.cli.terminal import ask, session

WAIT: Final = "25"  # seconds; below what the API and the command's own patience allow


def feed(
    ctx: typer.Context,
    after: Annotated[str, typer.Option(help="A cursor; leave out to read all.")] = "",
    *,
    follow: Annotated[bool, typer.Option(help="Stay, and print what comes.")] = False,
) -> None:
    """The callbacks that your application may hear, oldest first, and the cursor behind them."""
    at = ask(ctx, lambda api: _read(api, ctx, after, follow=follow))
    if not session(ctx).as_json:
        typer.echo(f"To go on from here: tieline feed --after {at}")


async def _read(api: Api, ctx: typer.Context, after: str, *, follow: bool) -> str:
    """Print page after page; the last cursor."""
    while True:
        query = {"after": after} if after else {}
        page = await api.get("/v1/feed", **query, **({"wait": WAIT} if follow else {}))
        for item in page["items"]:
            typer.echo(_line(item, as_json=session(ctx).as_json))
        after = page["next"]
        if not (follow or page["more"]):
            return str(after)


def _line(item: Json, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(item)
    said = item["callback"]
    return f"{said['timestamp']}  {said['type']:<30}  {said['data']['subject']}  {said['id']}"
