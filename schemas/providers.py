"""What each provider is able to do: one row a provider, and nothing else decides by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What a connection is for."""

    CALENDAR = "calendar"
    CONFERENCING = "conferencing"


class Push(StrEnum):
    """How a provider proves that a notification is its own."""

    NONE = "none"
    CHANNEL = "channel"
    """A secret that we chose for one subscription comes back with each message."""
    SIGNED = "signed"
    """The raw body is signed with a secret of the client."""


class RefreshTokens(StrEnum):
    """What a token refresh does to the refresh token."""

    KEPT = "kept"
    """The old one stays good; the answer may hold none (Google, GoTo) or another (Microsoft)."""
    ROTATED = "rotated"
    """The answer holds a new one and the old one is dead (Zoom)."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a provider is reached. `api` has no trailing slash."""

    api: str
    authorize: str = ""
    token: str = ""
    revoke: str = ""

    def under(self, base: str, api_path: str) -> Urls:
        """The same doors at another host, laid out as the sandbox lays them out."""
        root = base.rstrip("/")
        return Urls(
            api=root + api_path,
            authorize=f"{root}/oauth/authorize",
            token=f"{root}/oauth/token",
            revoke=f"{root}/oauth/revoke" if self.revoke else "",
        )


@dataclass(frozen=True, slots=True)
class OAuth:
    """How a link to an account is made and kept. Scopes are the least that the product needs."""

    scopes: tuple[str, ...]
    """Every one must be granted, else the link is refused (T26)."""
    refresh_tokens: RefreshTokens
    unnamed_scopes: tuple[str, ...] = ()
    """Asked for as well, and never named in what was granted (`offline_access`)."""
    application_scope: str = ""
    """What a client asks for in its own name, without a person (client credentials); empty where
    the provider has no such thing."""
    client_auth: str = "basic"
    """`basic` header or `form` fields at the token endpoint."""
    authorize_extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    revoke_in_query: bool = False
    """Zoom reads the token from the query, not from RFC 7009's form."""
    wider_scopes: tuple[str, ...] = ()
    """May be asked for besides, by who links: for people and attendance, say."""

    @property
    def asked(self) -> tuple[str, ...]:
        """What the person at the consent page is asked for."""
        return (*self.unnamed_scopes, *self.scopes)


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its roles, its doors, and the facts that decide how carefully we call it."""

    name: str
    title: str
    roles: frozenset[Role]
    urls: Urls = Urls(api="")
    clouds: Mapping[str, Urls] = field(default_factory=lambda: MappingProxyType({}))
    """Where national clouds have other doors, by the base URL that names each."""
    api_path: str = ""
    """Path of the API below the sandbox's root for this provider."""
    oauth: OAuth | None = None
    push: Push = Push.NONE
    renews_channels: bool = False
    """Whether a push channel can live on by a call, which also tells whether it still lives."""
    holds_reference: bool = True
    """Whether a conference can carry our reference. If not, "exactly one" is not promised."""
    conference_is_derived: bool = False
    """The conference follows from our reference alone: no call, no quarantine, nothing to sweep."""
    quarantine: timedelta = timedelta(0)
    """After this, no request sent before can still commit: client deadline plus the provider's
    longest processing (RELIABILITY §4.2)."""
    writes_a_day_per_host: int | None = None
    """Creates and updates of one host a UTC day (Zoom: 100, T22)."""
    calls_a_second: int | None = None
    """Calls of one client, shared by all workers (GoTo: 10)."""
    series_without_time: bool = False
    """Whether a series has a conference without fixed time, because the provider cannot express
    what recurs, with its exceptions; the same link serves every occurrence."""
    reference_in_title: bool = False
    """Its only place for our reference is the title, where people see it; a connection may go
    without, and then "exactly one" is not promised for it."""
    is_polled: bool = False
    """Pushes nothing: a timer of the connection's lane looks for changes, starts and ends."""
    history: timedelta | None = None
    """How far back past conferences can be asked for, and the longest span of one question."""
    listed_words: tuple[str, ...] = ()
    """Host names by which a pasted join link of this provider is recognised."""

    def at(self, base: str | None) -> Provider:
        """This provider at another base URL (a national cloud, the sandbox); itself when there is
        none."""
        if base is None:
            return self
        if base.rstrip("/") in self.clouds:
            return replace(self, urls=self.clouds[base.rstrip("/")])
        return replace(self, urls=self.urls.under(base, self.api_path))


GOOGLE: Final = Provider(
    name="google",
    title="Google Calendar",
    roles=frozenset({Role.CALENDAR}),
    urls=Urls(
        api="https://www.googleapis.com/calendar/v3",
        authorize="https://accounts.google.com/o/oauth2/v2/auth",
        token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address, not a secret
        revoke="https://oauth2.googleapis.com/revoke",
    ),
    api_path="/calendar/v3",
    oauth=OAuth(
        scopes=(
            "https://www.googleapis.com/auth/calendar.events",
            "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
        ),
        refresh_tokens=RefreshTokens.KEPT,
        client_auth="form",
        authorize_extra=MappingProxyType({"access_type": "offline", "prompt": "consent"}),
    ),
    push=Push.CHANNEL,
    listed_words=("meet.google.com",),
)


def _microsoft(graph: str, login: str) -> Urls:
    """The doors of one of Microsoft's clouds."""
    doors = f"{login}/common/oauth2/v2.0"
    return Urls(api=f"{graph}/v1.0", authorize=f"{doors}/authorize", token=f"{doors}/token")


_MICROSOFT: Final[Mapping[str, Urls]] = MappingProxyType(
    {
        graph: _microsoft(graph, login)
        for graph, login in (
            ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
            ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
            ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
            ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        )
    }
)
"""https://learn.microsoft.com/graph/deployments"""

GRAPH: Final = Provider(
    name="graph",
    title="Microsoft 365",
    roles=frozenset({Role.CALENDAR}),
    urls=_MICROSOFT["https://graph.microsoft.com"],
    clouds=_MICROSOFT,
    api_path="/v1.0",
    oauth=OAuth(
        scopes=("User.Read", "Calendars.ReadWrite"),
        unnamed_scopes=("offline_access",),
        application_scope="/.default",
        refresh_tokens=RefreshTokens.KEPT,
        client_auth="form",
    ),
    push=Push.CHANNEL,
    renews_channels=True,
)

TEAMS: Final = Provider(
    name="teams",
    title="Microsoft Teams",
    roles=frozenset({Role.CONFERENCING}),
    urls=_MICROSOFT["https://graph.microsoft.com"],
    clouds=_MICROSOFT,
    api_path="/v1.0",
    oauth=OAuth(
        scopes=("User.Read", "OnlineMeetings.ReadWrite"),
        unnamed_scopes=("offline_access",),
        application_scope="/.default",
        refresh_tokens=RefreshTokens.KEPT,
        client_auth="form",
    ),
    quarantine=timedelta(seconds=90),
    listed_words=(
        "teams.microsoft.com/l/meetup-join",
        "teams.microsoft.com/meet/",
        "teams.live.com/meet",
    ),
)

ZOOM: Final = Provider(
    name="zoom",
    title="Zoom",
    roles=frozenset({Role.CONFERENCING}),
    urls=Urls(
        api="https://api.zoom.us/v2",
        authorize="https://zoom.us/oauth/authorize",
        token="https://zoom.us/oauth/token",  # noqa: S106 - an address, not a secret
        revoke="https://zoom.us/oauth/revoke",
    ),
    api_path="/v2",
    oauth=OAuth(
        scopes=(
            "meeting:write:meeting",
            "meeting:update:meeting",
            "meeting:delete:meeting",
            "meeting:read:meeting",
            "meeting:read:list_meetings",
            "user:read:user",
        ),
        refresh_tokens=RefreshTokens.ROTATED,
        revoke_in_query=True,
    ),
    push=Push.SIGNED,
    quarantine=timedelta(seconds=90),
    writes_a_day_per_host=100,
    series_without_time=True,
    listed_words=("zoom.us/j/", "zoom.us/my/", "zoom.us/w/"),
)

GOTO: Final = Provider(
    name="goto",
    title="GoTo Meeting",
    roles=frozenset({Role.CONFERENCING}),
    urls=Urls(
        api="https://api.getgo.com",
        authorize="https://authentication.logmeininc.com/oauth/authorize",
        token="https://authentication.logmeininc.com/oauth/token",  # noqa: S106 - an address
    ),
    oauth=OAuth(
        scopes=("collab:",),
        refresh_tokens=RefreshTokens.KEPT,
        wider_scopes=("identity:",),
    ),
    quarantine=timedelta(seconds=90),
    calls_a_second=10,
    series_without_time=True,
    reference_in_title=True,
    is_polled=True,
    history=timedelta(days=60),
    listed_words=("meet.goto.com/", "global.gotomeeting.com/join", "gotomeet.me/"),
)

JITSI: Final = Provider(
    name="jitsi",
    title="Jitsi Meet",
    roles=frozenset({Role.CONFERENCING}),
    conference_is_derived=True,
    listed_words=("meet.jit.si",),
)

STATIC: Final = Provider(
    name="static",
    title="Static room",
    roles=frozenset({Role.CONFERENCING}),
    conference_is_derived=True,
)

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {row.name: row for row in (GOOGLE, GRAPH, ZOOM, GOTO, TEAMS, JITSI, STATIC)}
)

FOREIGN_LINKS: Final[tuple[str, ...]] = (
    *(word for row in PROVIDERS.values() for word in row.listed_words),
    "webex.com/meet",
    "webex.com/join",
    "whereby.com/",
)
"""An event that carries one of these already has its conference (DESIGN §6)."""
