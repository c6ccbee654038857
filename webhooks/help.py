"""What should a person know whose account is linked? Help for people; `/docs` is for developers.

Made of the rows of the providers, so that it names what is asked for today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.settings import Settings
from schemas.providers import PROVIDERS, Provider, Role
from webhooks.pages import page, prose

PATH: Final = "/help"

INTRODUCTION: Final = """\
An application that you use asked you to link a calendar or a conferencing account. From then on the
meetings that it plans with you, and events that your organisation's rules pick, get one conference
each, with the way in written into the event. When the event moves, the conference moves with it;
when the event is cancelled, the conference goes too.

Whoever writes such an application finds everything in the [API](/docs).
"""

LINKING: Final = """\
Linking begins in the application: it sends you to your provider, where you log in as you always do.
No password of yours is ever asked for here, and the application gets none: what your provider
hands out is sealed, and only the part of this service that makes calls can open it.

The link works once and for ten minutes. If it is over, go back to the application and begin again.
If your provider says that an administrator must agree, ask one: nothing is linked before.
"""

REFUSALS: Final[Mapping[str, str]] = {
    "Consent was not given": "You closed the provider's page, or said no. Nothing was linked.",
    "A box was left empty": "Some providers let you untick single permissions. All that are listed"
    " below are needed: link again and leave them ticked.",
    "Another account": "You were logged in with another account than the one that was linked"
    " before. Log out at the provider, and link again.",
    "A free account": "Some providers let only paid accounts make meetings for others. Ask for a"
    " licence, or link another account.",
    "Not an administrator": "Lists of people and groups are shown to administrators only.",
}

EVENTS: Final = """\
In an event only three things are written: its place, a marked block at the end of its description,
and a hidden note by which it is found again. Guests are never added, removed or written to. A link
that you pasted yourself is yours: it is left alone, also when the event goes. To keep an event
without a conference, leave the agreed word out of its place.
"""

LEAVING: Final = """\
Take the link back in the application, or at your provider, where this service stands among the apps
that you allowed. From that moment nothing new is made, and what your provider handed out is deleted
here. Meetings that exist stay as they are: you can delete them yourself. When you link the same
account again, everything goes on from there.
"""

HELP: Final = """\
First ask the application's people; give them the meeting's id if you have it. They see in words why
a meeting has a conference or none, what was tried and what came back, without seeing your account.
"""

MAY: Final[Mapping[Role, str]] = {
    Role.CALENDAR: "Reads the events of the calendars that are watched, and writes the way in into"
    " those that get a conference. It asks for:",
    Role.CONFERENCING: "Makes conferences in your name, and changes and deletes those that it made."
    " Others are deleted only when somebody who may do so asks for just that. It asks for:",
}


def help_route(settings: Settings) -> Route:
    """`/help`, which anybody may read."""
    inner = "".join(_inner(settings))

    async def read(_: Request) -> Response:
        return page("Linked accounts", inner)

    return Route(PATH, read)


def _inner(settings: Settings) -> Iterator[str]:
    yield _prose(INTRODUCTION)
    yield from _section("linking", "Linking an account", LINKING)
    rows = "".join(f"<tr><td>{escape(what)}<td>{escape(means)}" for what, means in REFUSALS.items())
    yield f"<table><tr><th>What you read<th>What it means{rows}</table>"
    yield from _section("events", "What stands in your events", EVENTS)
    yield from _section("permissions", "What is asked for, and why", "")
    for provider in PROVIDERS.values():
        yield from _permissions(provider)
    yield from _section("leaving", "Taking it back", LEAVING)
    yield from _section("kept", "What is kept, and how long", _kept(settings))
    yield from _section("trouble", "When something is wrong", HELP)


def _permissions(provider: Provider) -> Iterator[str]:
    yield f'<h3 id="{escape(provider.name)}">{escape(provider.title)}</h3>'
    if provider.oauth is None:
        yield "<p>Needs no account: the way in follows from the meeting alone.</p>"
        return
    (role,) = provider.roles
    named = (*provider.oauth.scopes, *provider.oauth.unnamed_scopes)
    items = "".join(f"<li><code>{escape(scope)}</code>" for scope in named)
    yield f"<p>{escape(MAY[role])}</p><ul>{items}</ul>"
    if wider := provider.oauth.wider_scopes:
        more = ", ".join(f"<code>{escape(scope)}</code>" for scope in wider)
        yield f"<p>Only where attendance or people are wanted, also {more}.</p>"


def _kept(settings: Settings) -> str:
    feed, timelines = _days(settings.keep_feed), _days(settings.keep_timelines)
    return f"""\
Of an event: its title, times, time zone and place, for as long as its meeting is planned. What was
told to applications is kept for {feed}, and what happened to a meeting, in ids and reasons, for
{timelines}. Titles, addresses of people and ways in stand in no log.
"""


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):g} days"


def _section(anchor: str, heading: str, text: str) -> Iterator[str]:
    yield f'<h2 id="{anchor}">{escape(heading)}</h2>{_prose(text)}'


def _prose(text: str) -> str:
    parts = (prose(part) for part in text.split("\n\n") if part.strip())
    link = '<a href="/docs">API</a>'
    return "".join(f"<p>{part}</p>" for part in parts).replace("[API](/docs)", link)
