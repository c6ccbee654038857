"""Where are callbacks sent? `tieline endpoints`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.api import Json
from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="Where callbacks are sent.")
COLUMNS = {"Endpoint": "id", "State": "state", "Address": "url", "Types": "types"}
Endpoint = Annotated[str, typer.Argument(help="Id of the endpoint, end_…")]
Kinds = Annotated[list[str] | None, typer.Option("--type", help="Only these types.")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All endpoints of the tenant."""
    show_all(ctx, ask(ctx, lambda api: pages(api, "/v1/endpoints")), COLUMNS)


@app.command("show")
def show_one(ctx: typer.Context, endpoint: Endpoint) -> None:
    """How an endpoint is called, and how it fares."""
    show(ctx, ask(ctx, lambda api: api.get(f"/v1/endpoints/{endpoint}")))


@app.command()
def add(ctx: typer.Context, url: str, kinds: Kinds = None) -> None:
    """Send callbacks to this address. Its secret is shown now and never again."""
    body = {"url": url, "types": kinds or []}
    _with_secret(ctx, ask(ctx, lambda api: api.post("/v1/endpoints", body)), "is made")


@app.command()
def change(
    ctx: typer.Context,
    endpoint: Endpoint,
    *,
    url: Annotated[str | None, typer.Option(help="Its new address.")] = None,
    kinds: Kinds = None,
    description: Annotated[str | None, typer.Option(help="Words of your own.")] = None,
    rate: Annotated[float | None, typer.Option(help="Attempts a second at most.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Attempts at once at most.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for an attempt.")] = None,
) -> None:
    """Change what is named, and nothing else."""
    facts = {
        "url": url,
        "types": kinds,
        "description": description,
        "rate_per_s": rate,
        "concurrency": concurrency,
        "timeout_s": timeout,
    }
    named = {name: value for name, value in facts.items() if value is not None}
    show(ctx, ask(ctx, lambda api: api.change(f"/v1/endpoints/{endpoint}", named)))


@app.command()
def rotate(
    ctx: typer.Context,
    endpoint: Endpoint,
    hours: Annotated[float, typer.Option(help="For how long the old secrets sign too.")] = 24,
) -> None:
    """Get a new secret. It is shown now and never again."""
    body = {"overlap_s": round(hours * 3600)}
    made = ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/secret", body))
    _with_secret(ctx, made, "has a new secret")


@app.command("test")
def send_example(
    ctx: typer.Context,
    endpoint: Endpoint,
    kind: Annotated[str, typer.Option("--type", help="Whose example.")] = "meeting.provisioned",
) -> None:
    """Send the example of a type there; `tieline callbacks attempts` tells how it went."""
    body = {"type": kind}
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/test", body)))


@app.command()
def challenge(ctx: typer.Context, endpoint: Endpoint) -> None:
    """Ask once more whether it may be called (CloudEvents' handshake)."""
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/challenge")))


@app.command()
def pause(ctx: typer.Context, endpoint: Endpoint) -> None:
    """Hold its callbacks until it is enabled."""
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/pause")))


@app.command()
def enable(
    ctx: typer.Context,
    endpoint: Endpoint,
    rate: Annotated[float | None, typer.Option(help="Held callbacks a second at most.")] = None,
) -> None:
    """Send what was held, and go on."""
    body = {} if rate is None else {"rate_per_s": rate}
    show(ctx, ask(ctx, lambda api: api.post(f"/v1/endpoints/{endpoint}/enable", body)))


@app.command()
def remove(ctx: typer.Context, endpoint: Endpoint) -> None:
    """Send nothing there any more."""
    ask(ctx, lambda api: api.delete(f"/v1/endpoints/{endpoint}"))
    show(ctx, {"removed": endpoint})


def _with_secret(ctx: typer.Context, made: Json, what: str) -> None:
    show(ctx, made, [f"{made['id']} {what}.", f"Its secret, shown once: {made['secret']}"])
