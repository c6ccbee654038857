"""How is a provider spoken to? One client per provider; none knows another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from infra.certificates import Certificates
from infra.http.wire import Wire
from workers.ports import (
    AccountConferences,
    Calendars,
    Conferences,
    Contents,
    History,
    People,
)
from workers.providers.google import Google
from workers.providers.goto import GoTo, GoToAccount, GoToHistory, GoToPeople
from workers.providers.graph import Graph, GraphContents, Teams, TeamsInEvents
from workers.providers.jitsi import Jitsi
from workers.providers.static import Static
from workers.providers.zoom import Zoom


def calendars(
    wire: Wire, now: Callable[[], datetime], certificates: Certificates | None = None
) -> Mapping[str, Calendars]:
    """The clients of the role `calendar`, by provider. `now` dates what a push channel asks for;
    with certificates, its notifications carry what they are about."""
    newest = certificates.newest if certificates else None
    return {"google": Google(wire), "graph": Graph(wire, now, newest)}


def contents(
    wire: Wire, now: Callable[[], datetime], certificates: Certificates | None
) -> Mapping[str, Contents]:
    """Who opens what notifications carry, where certificates have them carry something."""
    return {"graph": GraphContents(wire, certificates, now)} if certificates else {}


def account_conferences(wire: Wire) -> Mapping[str, AccountConferences]:
    """The clients of those whose conferences can be managed by their own ids."""
    return {"goto": GoToAccount(wire)}


def histories(wire: Wire) -> Mapping[str, History]:
    """The clients of those who tell what was held."""
    return {"goto": GoToHistory(wire)}


def people(wire: Wire) -> Mapping[str, People]:
    """The clients of those whose organizers can be managed."""
    return {"goto": GoToPeople(wire)}


def conferences(wire: Wire, now: Callable[[], datetime]) -> Mapping[str, Conferences]:
    """The clients of the role `conferencing`, by provider. `now` dates what we sign ourselves."""
    return {
        "zoom": Zoom(wire),
        "goto": GoTo(wire),
        "teams": Teams(wire),
        "teams-event": TeamsInEvents(wire, now),
        "jitsi": Jitsi(now),
        "static": Static(),
    }
