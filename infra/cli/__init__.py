"""What can be done from a terminal? It starts processes and talks to the HTTP API.

The sandbox and the demo are imported by their commands: no other command should wait for them.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console

from infra.cli import (
    callbacks,
    conferences,
    endpoints,
    grants,
    keys,
    meetings,
    organizers,
    parked,
    undelivered,
)
from infra.cli.certificates import certificate
from infra.cli.doctor import doctor
from infra.cli.feed import feed
from infra.cli.linking import link
from infra.cli.processes import NotStarted, Plan, ready, running
from infra.cli.reconciling import reconcile
from infra.cli.terminal import Session
from infra.errors import Refused
from infra.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Ties calendars to meetings.")
console = Console()

for name, group in (
    ("endpoints", endpoints.app),
    ("callbacks", callbacks.app),
    ("undelivered", undelivered.app),
    ("parked", parked.app),
    ("grants", grants.app),
    ("keys", keys.app),
    ("meetings", meetings.app),
    ("conferences", conferences.app),
    ("organizers", organizers.app),
):
    app.add_typer(group, name=name)
app.command()(feed)
app.command()(link)
app.command()(doctor)
app.command()(certificate)
app.command()(reconcile)
app.command("explain")(meetings.explain)
app.command("timeline")(meetings.timeline)


@app.callback()
def say_who(
    ctx: typer.Context,
    address: Annotated[
        str | None, typer.Option(help="The API's address; else TIELINE_PUBLIC_URL.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The API key; else TIELINE_API_KEY or TIELINE_ADMIN_KEY.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """What every command that speaks to the API needs to know."""
    ctx.obj = Session(address, SecretStr(key) if key else None, as_json)


@app.command()
def demo() -> None:
    """Play a story through the real path, on the sandbox; leaves nothing behind."""
    from infra.cli.demo import Untold, tell_story  # noqa: PLC0415 - see the top

    try:
        asyncio.run(tell_story(console))
    except Untold as broken:
        console.print(str(broken), markup=False, soft_wrap=True)
        raise typer.Exit(1) from broken


@app.command()
def up(
    data_dir: Annotated[Path, typer.Option(help="Where store and keys live.")] = Path("var"),
) -> None:
    """Run the processes of the Procfile until Ctrl-C."""
    try:
        asyncio.run(_up(data_dir.resolve()))
    except (NotStarted, Refused) as ended:
        console.print(str(ended), markup=False, soft_wrap=True)
        raise typer.Exit(1) from ended


@app.command()
def sandbox(port: Annotated[int, typer.Option(help="0 takes a free one.")] = 9090) -> None:
    """Play the vendors on this machine."""
    from infra.sandbox import server  # noqa: PLC0415 - see the top

    server.serve("127.0.0.1", port)


async def _up(data_dir: Path) -> None:
    settings = Settings.load()
    addresses = {
        "receiver": f"http://{settings.receiver_host}:{settings.receiver_port}",
        "api": f"http://{settings.api_host}:{settings.api_port}",
    }
    plan = Plan(data_dir, external_store=settings.valkey_url is not None)
    async with running(plan, _say) as processes:
        await ready(processes, addresses, within=timedelta(seconds=30))
        for name, address in addresses.items():
            print(f"{name} is ready at {address}", flush=True)
        print(f"The operator's API key is in {processes.keys.admin}", flush=True)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        ended = await processes.first_to_end(unless=stopped)
    if ended is None:
        return
    raise NotStarted(f"{ended} ended, so everything was stopped. Its lines above say why.")


def _say(name: str, line: str) -> None:
    """As it was said: a line for people may be wrapped, one for machines may not."""
    print(f"{name}: {line}", flush=True)


def main() -> None:
    """`tieline`."""
    app()
