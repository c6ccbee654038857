"""What can be said of a provider? Its roles, its doors, and how carefully it is to be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


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
    identity: str = ""
    """Who signs in the provider's name: the root below which the keys are published."""

    def of(self, directory: str) -> Urls:
        """The doors of one organisation, where it has its own."""
        return replace(self, token=self.token.replace("/common/", f"/{directory}/"))

    def under(self, base: str, api_path: str) -> Urls:
        """The same doors at another host, laid out as the sandbox lays them out."""
        root = base.rstrip("/")
        return Urls(
            api=root + api_path,
            authorize=f"{root}/oauth/authorize",
            token=f"{root}/oauth/token",
            revoke=f"{root}/oauth/revoke" if self.revoke else "",
            identity=root if self.identity else "",
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
    lives_in_event: bool = False
    """Its conference is a part of an event: of the one that asks for it, which then is told to the
    client, or of one that it makes itself in the host's calendar."""
    conference_is_derived: bool = False
    """The conference follows from our reference alone: no call, no quarantine, nothing to sweep."""
    reference_is_key: bool = False
    """A create under our reference brings the conference that was made under it, so that no lost
    try stands beside one; and as only a create finds it, a sweep would make what it looks for."""
    quarantine: timedelta = timedelta(0)
    """After this, no request sent before can still commit: client deadline plus the provider's
    longest processing (RELIABILITY §4.2)."""
    writes_a_day_per_host: int | None = None
    """Creates and updates of one host a UTC day (Zoom: 100, T22)."""
    calls_a_second: int | None = None
    """Calls of one client, shared by all workers (GoTo: 10)."""
    calls_at_once: int | None = None
    """Calls of one mailbox that may be under way, for all workers together."""
    calls_in_ten_minutes: int | None = None
    """Calls of one mailbox in ten minutes; counted where `calls_at_once` is."""
    series_without_time: bool = False
    """Whether a series has a conference without fixed time, because the provider cannot express
    what recurs, with its exceptions; the same link serves every occurrence."""
    reference_in_title: bool = False
    """Its only place for our reference is the title, where people see it; a connection may go
    without, and then "exactly one" is not promised for it."""
    is_polled: bool = False
    """Tells nothing of its conferences: a timer of the connection's lane looks for changes, starts
    and ends; what it pushes of other things has that look taken at once."""
    history: timedelta | None = None
    """How far back past conferences can be asked for, and the longest span of one question."""
    listed_words: tuple[str, ...] = ()
    """Host names by which a pasted join link of this provider is recognised."""

    @property
    def can_lead(self) -> bool:
        """Whether we hear of what is changed there: its conferences may be the source of truth."""
        return Role.CONFERENCING in self.roles and (self.is_polled or self.push is Push.SIGNED)

    def at(self, base: str | None) -> Provider:
        """This provider at another base URL (a national cloud, the sandbox); itself when there is
        none."""
        if base is None:
            return self
        if base.rstrip("/") in self.clouds:
            return replace(self, urls=self.clouds[base.rstrip("/")])
        return replace(self, urls=self.urls.under(base, self.api_path))
