"""What each provider is able to do: one row a provider, and nothing else decides by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from schemas.capabilities import OAuth, Provider, Push, RefreshTokens, Role, Urls

__all__ = ["PROVIDERS", "OAuth", "Provider", "Push", "RefreshTokens", "Role", "Urls"]

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
    return Urls(
        api=f"{graph}/v1.0",
        authorize=f"{doors}/authorize",
        token=f"{doors}/token",
        identity=login,
    )


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
    calls_at_once=4,
    calls_in_ten_minutes=10_000,
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
    reference_is_key=True,
    quarantine=timedelta(seconds=90),
    calls_at_once=4,
    calls_in_ten_minutes=10_000,
    listed_words=(
        "teams.microsoft.com/l/meetup-join",
        "teams.microsoft.com/meet/",
        "teams.live.com/meet",
    ),
)

TEAMS_EVENT: Final = replace(
    TEAMS,
    name="teams-event",
    title="Microsoft Teams in the event",
    oauth=GRAPH.oauth,
    lives_in_event=True,
    reference_is_key=False,
    listed_words=(),
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
    push=Push.SIGNED,  # of GoToWebinar only; nothing tells of meetings, hence `is_polled`
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
    {row.name: row for row in (GOOGLE, GRAPH, ZOOM, GOTO, TEAMS, TEAMS_EVENT, JITSI, STATIC)}
)

FOREIGN_LINKS: Final[tuple[str, ...]] = (
    *(word for row in PROVIDERS.values() for word in row.listed_words),
    "webex.com/meet",
    "webex.com/join",
    "whereby.com/",
)
"""An event that carries one of these already has its conference (DESIGN §6)."""
