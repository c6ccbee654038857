"""What do people do in their calendars, and what stands at the vendors? The same words for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import orjson
from typing_extensions import override

from infra.sandbox.client import Sandbox
from infra.sandbox.documents import section, text
from infra.sandbox.google.client import GoogleSide
from infra.sandbox.goto.client import GoToSide
from infra.sandbox.graph.client import GraphSide
from infra.sandbox.zoom.client import ZoomSide
from schemas.providers import PROVIDERS

CREATES: Final = ("zoom.create", "goto.create", "graph.create")
"""Where conferences are made that stand by themselves."""
PATCHES: Final = ("google.patch", "graph.patch")
"""Where links are written, and where a conference is made that lives in its event."""
MARK: Final = " [tl-"
"""What stands behind a subject at GoTo."""


class Pair(NamedTuple):
    """The provider of a calendar, and of the conferences of its events."""

    calendar: str
    conferencing: str

    @override
    def __str__(self) -> str:
        return f"{self.calendar} x {self.conferencing}"


GOOGLE_ZOOM: Final = (Pair("google", "zoom"),)
MIXED: Final = (
    Pair("google", "zoom"),
    Pair("graph", "goto"),
    Pair("graph", "zoom"),
    Pair("google", "goto"),
    Pair("graph", "teams"),
    Pair("graph", "teams-event"),
)


@dataclass(frozen=True, slots=True)
class Host:
    """A calendar whose events get their conferences from one account."""

    pair: Pair
    tenant: str
    key: str
    """Of the tenant's application."""
    owner: str
    """The account at the calendar's provider."""
    connection: str
    """Ours to it."""
    calendar: str
    """At Google its id; at Graph that of the mailbox whose default calendar it is."""
    registration: str
    """Our client at the calendar's provider."""
    client: str
    """Ours at the conferences' provider."""
    user: str
    """The account there."""
    conferencing: str
    """Our connection to that."""
    keyword: str


class Conference(NamedTuple):
    """One at a vendor, by the title of its event."""

    title: str
    link: str
    deleted: bool = False


def quarantines(seconds: float) -> dict[str, str]:
    """The setting that lets every create of unknown outcome wait so long."""
    waits = {row.name: seconds for row in PROVIDERS.values() if row.quarantine}
    return {"TIELINE_QUARANTINE_S": orjson.dumps(waits).decode()}


def side_of(sandbox: Sandbox, provider: str) -> GoogleSide | GraphSide | ZoomSide | GoToSide:
    """The vendor that a provider is of; Teams is Microsoft's."""
    match provider:
        case "google":
            return sandbox.google
        case "zoom":
            return sandbox.zoom
        case "goto":
            return sandbox.goto
        case _:
            return sandbox.graph


def title_of(number: int) -> str:
    """By which an event of a storm is known everywhere."""
    return f"Event {number}"


async def add_event(sandbox: Sandbox, host: Host, title: str, starts: datetime) -> str:
    """Somebody makes an event that is to have a conference; its id."""
    if host.pair.calendar == "google":
        event = await sandbox.google.add_event(
            host.calendar, title=title, location=host.keyword, starts=starts
        )
        return event.id
    place = {"displayName": host.keyword}
    entry = await sandbox.graph.add_event(host.calendar, title=title, location=place, starts=starts)
    return entry.id


async def move_event(sandbox: Sandbox, host: Host, event: str, starts: datetime) -> None:
    """Somebody moves it."""
    side = sandbox.google if host.pair.calendar == "google" else sandbox.graph
    await side.move_event(host.calendar, event, starts=starts)


async def cancel_event(sandbox: Sandbox, host: Host, event: str) -> None:
    """Somebody deletes it."""
    side = sandbox.google if host.pair.calendar == "google" else sandbox.graph
    await side.cancel_event(host.calendar, event)


async def notify(sandbox: Sandbox, host: Host) -> None:
    """Push though nothing changed."""
    side = sandbox.google if host.pair.calendar == "google" else sandbox.graph
    await side.notify(host.calendar)


async def is_told_of(sandbox: Sandbox, provider: str, calendar: str) -> bool:
    """Whether the provider tells anybody of this calendar's changes."""
    if provider == "google":
        channels = await sandbox.google.channels()
        return any(one["calendar"] == calendar and not one["stopped"] for one in channels)
    return any(one["mailbox"] == calendar for one in await sandbox.graph.subscriptions())


async def placed(sandbox: Sandbox, hosts: Iterable[Host]) -> dict[str, str]:
    """The events of these calendars: title -> where links are written."""
    found = await asyncio.gather(*(_placed(sandbox, host) for host in hosts))
    return {title: place for some in found for title, place in some.items()}


async def conferences(sandbox: Sandbox, hosts: Sequence[Host]) -> list[Conference]:
    """All that these hosts ever had at the vendors; Microsoft remembers none that was deleted."""
    zoom, goto = await asyncio.gather(
        sandbox.zoom.meetings(deleted=True), sandbox.goto.meetings(deleted=True)
    )
    at_zoom = [Conference(one.topic, one.join_url, one.deleted) for one in zoom]
    at_goto = [
        Conference(
            text(one, "subject").partition(MARK)[0],
            f"https://meet.goto.com/{one['id']}",
            bool(one["deleted"]),
        )
        for one in goto
    ]
    mailboxes = sorted({host.user for host in hosts if host.pair.conferencing.startswith("teams")})
    at_teams = await asyncio.gather(*(_at_teams(sandbox, mailbox) for mailbox in mailboxes))
    return [*at_zoom, *at_goto, *(one for some in at_teams for one in some)]


async def _placed(sandbox: Sandbox, host: Host) -> dict[str, str]:
    if host.pair.calendar == "google":
        return {one.title: one.location for one in await sandbox.google.events(host.calendar)}
    entries = await sandbox.graph.events(host.calendar)
    return {one.title: f"{one.location} {one.content}" for one in entries}


async def _at_teams(sandbox: Sandbox, mailbox: str) -> list[Conference]:
    """Those that stand by themselves, and those that live in an event."""
    alone, events = await asyncio.gather(
        sandbox.graph.meetings(mailbox), sandbox.graph.events(mailbox)
    )
    there = [Conference(text(one, "subject"), text(one, "joinWebUrl")) for one in alone]
    links = [(one.title, text(section(one.doc, "onlineMeeting"), "joinUrl")) for one in events]
    return there + [Conference(title, link) for title, link in links if link]
