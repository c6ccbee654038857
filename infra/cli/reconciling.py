"""What differs from our books on a connection? `tieline reconcile` says it, and has it mended."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from infra.cli.api import Api, Json
from infra.cli.patience import settled
from infra.cli.terminal import ask, session, show, show_all

DRIFT = {
    "Kind": "kind",
    "Side": "side",
    "Id": "id",
    "Meeting": "meeting",
    "Ours": "held",
    "Mended": "mended",
    "In words": "words",
}


def reconcile(
    ctx: typer.Context,
    connection: Annotated[str, typer.Argument(help="Id of the connection, con_…")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Mend what the ledger holds.")] = False,
    limit: Annotated[int, typer.Option(help="Mend so many at most.")] = 20,
) -> None:
    """Compare an account, or its watched calendars, with our books. Without --apply nothing is
    changed; what the ledger does not hold never is."""
    path, body = f"/v1/connections/{connection}/reconcile", {"apply": apply, "limit": limit}
    told = ask(ctx, lambda api: _report(api, path, body))
    if session(ctx).as_json:
        show(ctx, told)
        return
    show_all(ctx, told["items"], DRIFT)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(told["counts"].items()))
    show(ctx, told, [counts or "Nothing differs from our books."])


async def _report(api: Api, path: str, body: dict[str, Any]) -> Json:
    told = await settled(api, await api.post(path, body))
    return told.get("drift") or told
