"""What does a linked account hold, and what is to become of it? `tieline conferences`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import typer

from infra.cli.api import Api, Json
from infra.cli.patience import all_of, one_of, settled
from infra.cli.terminal import ask, session, show, show_all

app = typer.Typer(no_args_is_help=True, help="Conferences of a linked account, ours or not.")

HELD = {"Conference": "id", "Title": "title", "Began": "starts_at", "Ended": "ends_at"}
COMING = {"Conference": "id", "Title": "title", "Starts": "starts_at", "Join": "join_url"}
PRESENT = {
    "Name": "name",
    "Address": "email",
    "Joined": "joined_at",
    "Left": "left_at",
    "Conference": "conference",
}
OFFERS = {"What": "name", "Works": "offered", "Why not": "because"}
Connection = Annotated[str, typer.Argument(help="Id of the connection, con_…")]
Conference = Annotated[str, typer.Argument(help="The provider's id of the conference.")]
Begins = Annotated[str, typer.Argument(help="Such as 2027-01-01T10:00:00Z.")]
Ends = Annotated[str, typer.Argument(help="Likewise.")]
Title = Annotated[str, typer.Argument(help="What it is called.")]
Kind = Annotated[str, typer.Option(help="scheduled, recurring or immediate.")]
CallInfo = Annotated[str, typer.Option(help="PSTN, Free, Hybrid, Private, VoIP, or your own text.")]
Password = Annotated[bool, typer.Option("--password", help="Nobody joins without it.")]
CoOrganizers = Annotated[
    list[str] | None, typer.Option("--co-organizer", help="Their key or address; more than once.")
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for co-organizers who have not accepted yet.")
]
OfOrganizer = Annotated[str, typer.Option("--organizer", help="Key of another organizer.")]
OfGroup = Annotated[str, typer.Option("--group", help="Key of a group of organizers.")]


@app.command("list")
def list_(
    ctx: typer.Context, connection: Connection, *, organizer: OfOrganizer = "", group: OfGroup = ""
) -> None:
    """What is to come, or running."""
    query = named(organizer=organizer, group=group)
    told = ask(ctx, lambda api: read(api, of(connection, "conferences"), "conferences", query))
    show_all(ctx, told["items"], COMING)


@app.command("show")
def show_one(ctx: typer.Context, connection: Connection, conference: Conference) -> None:
    """One, as the provider has it now."""
    path = of(connection, f"conferences/{conference}")
    show(ctx, one(ctx, "conferences", lambda api: api.get(path)))


@app.command()
def create(  # noqa: PLR0913 - an option for each fact
    ctx: typer.Context,
    connection: Connection,
    title: Title,
    *,
    starts: Begins,
    ends: Ends,
    kind: Kind = "scheduled",
    call_info: CallInfo = "Hybrid",
    password: Password = False,
    co_organizer: CoOrganizers = None,
    wait: Wait = False,
) -> None:
    """Make one. It belongs to no meeting of ours."""
    facts = {"title": title, "starts_at": starts, "ends_at": ends, "kind": kind}
    body = facts | _terms(call_info, co_organizer, password=password, wait=wait)
    path = of(connection, "conferences")
    show(ctx, one(ctx, "conferences", lambda api: api.post(path, body)))


@app.command()
def update(  # noqa: PLR0913 - likewise
    ctx: typer.Context,
    connection: Connection,
    conference: Conference,
    title: Title,
    *,
    starts: Begins,
    ends: Ends,
    kind: Kind = "scheduled",
    call_info: CallInfo = "Hybrid",
    password: Password = False,
    co_organizer: CoOrganizers = None,
    wait: Wait = False,
) -> None:
    """Let it be like this, whole: what is not named is not kept from before."""
    facts = {"title": title, "starts_at": starts, "ends_at": ends, "kind": kind}
    body = facts | _terms(call_info, co_organizer, password=password, wait=wait)
    path = of(connection, f"conferences/{conference}")
    show(ctx, one(ctx, "conferences", lambda api: api.put(path, body)))


@app.command()
def delete(ctx: typer.Context, connection: Connection, conference: Conference) -> None:
    """Delete one, whoever made it."""
    path = of(connection, f"conferences/{conference}")
    told = one(ctx, "removed", lambda api: api.delete(path))
    show(ctx, told, [told["message"]])


@app.command()
def start(ctx: typer.Context, connection: Connection, conference: Conference) -> None:
    """A fresh link for the host, with a code that works once. Hand it to nobody else."""
    path = of(connection, f"conferences/{conference}/start")
    told = ask(ctx, lambda api: host_link(api, path))
    show(ctx, told, [told["url"]])


@app.command()
def history(
    ctx: typer.Context,
    connection: Connection,
    *,
    since: Begins,
    until: Ends,
    organizer: OfOrganizer = "",
    group: OfGroup = "",
) -> None:
    """What was held between two moments, from when on nothing is missing, and what still runs."""
    query = {"since": since, "until": until, **named(organizer=organizer, group=group)}
    told = ask(ctx, lambda api: read(api, of(connection, "history"), "conferences", query))
    _show_span(ctx, told, HELD, [f"{one} still runs: ask again later." for one in told["running"]])


@app.command()
def attendees(
    ctx: typer.Context,
    connection: Connection,
    conference: Annotated[
        str | None, typer.Argument(help="Of this one; without it, of a span.")
    ] = None,
    *,
    since: Annotated[str, typer.Option(help="From when on, such as …T10:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Until when.")] = "",
    organizer: OfOrganizer = "",
    group: OfGroup = "",
) -> None:
    """Who was in a conference, or in all of a span: your own, an organizer's or a group's."""
    path, query = of(connection, f"conferences/{conference}/attendees"), dict[str, str]()
    if conference is None:
        path = of(connection, "attendees")
        query = named(since=since, until=until, organizer=organizer, group=group)
    told = ask(ctx, lambda api: read(api, path, "attendance", query))
    _show_span(ctx, told, PRESENT, [])


@app.command()
def offers(ctx: typer.Context, connection: Connection) -> None:
    """What the connection can be used for, and why not for the rest. Tried now."""
    told = ask(ctx, lambda api: read(api, of(connection, "offers"), "offers", {}))
    show_all(ctx, told["items"], OFFERS)


def _show_span(ctx: typer.Context, told: Json, columns: dict[str, str], more: list[str]) -> None:
    if session(ctx).as_json:
        show(ctx, told)
        return
    show_all(ctx, told["items"], columns)
    known = told.get("complete_from")
    lines = [f"Nothing is missing from {known} on."] if known else []
    if lines or more:
        show(ctx, told, [*lines, *more])


def _terms(
    call_info: str, co_organizers: list[str] | None, *, password: bool, wait: bool
) -> dict[str, Json]:
    """Who leads it beside the organizer, and how people get in."""
    people = {"co_organizers": co_organizers or [], "wait_for_organizers": wait}
    return {**people, "call_info": call_info, "password_required": password}


async def host_link(api: Api, path: str) -> Json:
    """A link for the host, however long it takes."""
    told = await settled(api, await api.get(path))
    return {"url": told.get("url") or told["host_link"]}


def one(ctx: typer.Context, kind: str, call: Callable[[Api], Awaitable[Json]]) -> Json:
    """What a call says of one thing of an account, however long it takes."""

    async def settle(api: Api) -> Json:
        return await one_of(api, await call(api), kind)

    return ask(ctx, settle)


async def read(api: Api, path: str, kind: str, query: Mapping[str, str]) -> Json:
    """A list of an account, however long it takes."""
    return await all_of(api, await api.get(path, **query), kind)


def named(**words: str) -> dict[str, str]:
    """What was said of a query."""
    return {name: word for name, word in words.items() if word}


def of(connection: str, what: str) -> str:
    """The address of something of an account."""
    return f"/v1/connections/{connection}/{what}"
