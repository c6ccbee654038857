"""How does a meeting stand, why, and what happened to it? `tieline meetings`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from infra.cli.conferences import PRESENT, host_link, read
from infra.cli.terminal import ask, pages, show, show_all

app = typer.Typer(no_args_is_help=True, help="Meetings, by your own ids or ours.")
TIMELINE = {"At": "at", "What": "what", "In words": "words", "Trace": "trace"}
Meeting = Annotated[str, typer.Argument(help="Your id of the meeting, or ours, mtg_…")]
Whose = Annotated[str, typer.Argument(help="A meeting as above, or our id of a calendar, cal_…")]


@app.command("show")
def show_one(ctx: typer.Context, meeting: Meeting) -> None:
    """How it stands."""
    show(ctx, ask(ctx, lambda api: api.get(f"/v1/meetings/{meeting}")))


@app.command()
def explain(
    ctx: typer.Context,
    meeting: Whose,
    event: Annotated[
        str | None, typer.Argument(help="Of a calendar: the provider's id of the event.")
    ] = None,
) -> None:
    """Why a meeting stands so, or why an event of a calendar has a conference or none."""
    path = f"/v1/meetings/{meeting}"
    if event is not None:
        path = f"/v1/calendars/{meeting}/events/{quote(event, safe='')}"
    told = ask(ctx, lambda api: api.get(f"{path}/explain"))
    show(ctx, told, told["sentences"])


@app.command()
def timeline(ctx: typer.Context, meeting: Whose) -> None:
    """All that happened to a meeting, or to a watched calendar, oldest first."""
    room = "calendars" if meeting.startswith("cal_") else "meetings"
    show_all(ctx, ask(ctx, lambda api: pages(api, f"/v1/{room}/{meeting}/timeline")), TIMELINE)


@app.command()
def start(ctx: typer.Context, meeting: Meeting) -> None:
    """A fresh link for the host. Hand it to nobody else."""
    told = ask(ctx, lambda api: host_link(api, f"/v1/meetings/{meeting}/start"))
    show(ctx, told, [told["url"]])


@app.command()
def attendees(ctx: typer.Context, meeting: Meeting) -> None:
    """Who was there."""
    path = f"/v1/meetings/{meeting}/attendees"
    show_all(ctx, ask(ctx, lambda api: read(api, path, "attendance", {}))["items"], PRESENT)


@app.command()
def cancel(ctx: typer.Context, meeting: Meeting) -> None:
    """Cancel it; its conference is torn down."""
    show(ctx, ask(ctx, lambda api: api.delete(f"/v1/meetings/{meeting}")))
