"""Who may come in? `tieline keys`: the operator's, or an application's own."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="API keys.")
COLUMNS = {
    "Key": "id",
    "Scopes": "scopes",
    "Made": "created_at",
    "Last used": "last_used_at",
    "Revoked": "revoked_at",
}
Tenant = Annotated[str | None, typer.Option(help="Of this tenant (operators).")]
Application = Annotated[str | None, typer.Option(help="Of this application (operators).")]


@app.command("list")
def list_(ctx: typer.Context, tenant: Tenant = None, application: Application = None) -> None:
    """Your application's keys, or those of another for operators."""
    path, operator = _path(tenant, application)
    show_all(ctx, ask(ctx, lambda api: pages(api, path), operator=operator), COLUMNS)


@app.command()
def create(
    ctx: typer.Context,
    tenant: str,
    application: str,
    scopes: Annotated[list[str] | None, typer.Option("--scope")] = None,
) -> None:
    """Make a key for an application (operators). Its secret is shown once."""
    path, _ = _path(tenant, application)
    body = {"scopes": scopes or ["meetings", "manage"]}
    _shown(ctx, ask(ctx, lambda api: api.post(path, body), operator=True))


@app.command("next")
def next_(ctx: typer.Context) -> None:
    """Make a second key like the one in use, to change over to."""
    _shown(ctx, ask(ctx, lambda api: api.post("/v1/keys")))


@app.command()
def revoke(
    ctx: typer.Context, key: str, tenant: Tenant = None, application: Application = None
) -> None:
    """Take a key away, at once and for good."""
    path, operator = _path(tenant, application)
    ask(ctx, lambda api: api.delete(f"{path}/{key}"), operator=operator)
    show(ctx, {"revoked": key})


def _path(tenant: str | None, application: str | None) -> tuple[str, bool]:
    if (tenant is None) != (application is None):
        raise typer.BadParameter("name both --tenant and --application, or neither")
    if tenant is None:
        return "/v1/keys", False
    return f"/v1/tenants/{tenant}/applications/{application}/keys", True


def _shown(ctx: typer.Context, made: dict[str, str]) -> None:
    show(ctx, made, [f"{made['id']} is made.", f"Its secret, shown once: {made['secret']}"])
