"""For whom does a command speak, and how does it answer? Tables for people, JSON for programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from infra.cli.api import Api, Json, Problem
from infra.errors import Refused
from infra.settings import Settings

T = TypeVar("T")

REFUSED: Final = 1
UNREACHABLE: Final = 3  # 2 is a command that was not understood
OUT_OF_REACH: Final = 500
PAGE: Final = "200"
WIDTH: Final = 160  # where the output is no terminal: as if it were a wide one

NO_KEY: Final = (
    "No API key. Set TIELINE_API_KEY, or pass --key before the command. An operator makes one:"
    " tieline keys create TENANT APPLICATION"
)
NO_ADMIN_KEY: Final = "This needs the operator's key. Set TIELINE_ADMIN_KEY, or pass --key."


@dataclass(frozen=True, slots=True)
class Session:
    """What was said before the command; what is missing comes from the settings."""

    address: str | None = None
    key: SecretStr | None = None
    as_json: bool = False

    def key_of(self, settings: Settings, *, operator: bool) -> str:
        """The key to use. Raises Problem in words when there is none."""
        given = self.key or (settings.admin_key if operator else settings.api_key)
        if given is None:
            raise Problem(0, "no-key", NO_ADMIN_KEY if operator else NO_KEY)
        return given.get_secret_value()


def session(ctx: typer.Context) -> Session:
    """The session of this run."""
    found: Session = ctx.find_object(Session) or Session()
    return found


def ask(ctx: typer.Context, work: Callable[[Api], Awaitable[T]], *, operator: bool = False) -> T:
    """What the API answers to `work`; a refusal is told in words and ends the command."""
    at = session(ctx)
    try:
        settings = Settings.load()
        key = at.key_of(settings, operator=operator)
        return asyncio.run(_with(at.address or settings.public_url, key, work))
    except Refused as wrong:
        raise fail(ctx, Problem(0, "settings", f"The settings are wrong. {wrong}")) from None
    except Problem as problem:
        raise fail(ctx, problem) from problem


async def _with(address: str, key: str, work: Callable[[Api], Awaitable[T]]) -> T:
    api = Api(address, key)
    try:
        return await work(api)
    finally:
        await api.aclose()


def fail(ctx: typer.Context, problem: Problem) -> typer.Exit:
    """Say what is wrong, and what to do; the exit to raise."""
    if session(ctx).as_json:
        said = {"problem": problem.kind, "status": problem.status, "detail": str(problem)}
        typer.echo(json.dumps(said), err=True)
    else:
        Console(stderr=True).print(str(problem), markup=False, soft_wrap=True)
    away = problem.kind == "unavailable" or problem.status >= OUT_OF_REACH
    return typer.Exit(UNREACHABLE if away else REFUSED)


async def pages(api: Api, path: str, **query: str) -> list[Json]:
    """Everything that a list holds, page after page."""
    found: list[Json] = []
    after = ""
    while True:
        page = await api.get(path, **query, limit=PAGE, **({"after": after} if after else {}))
        found += page["items"]
        after = page["next"]
        if not after:
            return found


def show(ctx: typer.Context, told: Json, lines: Iterable[str] = ()) -> None:
    """One thing: as it is for programs, else in lines or by its fields."""
    if session(ctx).as_json:
        typer.echo(json.dumps(told))
        return
    for line in lines or (f"{name}: {_cell(value)}" for name, value in told.items()):
        _console().print(line, markup=False, soft_wrap=True)


def show_all(ctx: typer.Context, rows: list[Json], columns: Mapping[str, str]) -> None:
    """Many things: a list for programs, else a table of these columns."""
    if session(ctx).as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(row.get(field)) for field in columns.values()))
    _console().print(table if rows else "There is none.")


def _cell(value: Json) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
