"""Who is there: tenants, their applications and keys, and who made a change."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from schemas.records import Moment, Record, Schema


class Tenant(Record):
    """A customer's organisation. Its id is part of every key, route and API key."""

    kind: ClassVar[str] = "tenant"
    name: str
    created_at: Moment


class Scope(StrEnum):
    """What an API key may do."""

    MEETINGS = "meetings"
    """Ask for meetings and read those the application may see."""
    MANAGE = "manage"
    """Clients, connections, calendars, policy, grants and endpoints of the tenant."""
    START = "start"
    """Fetch a host's start link."""
    TENANT_WIDE = "tenant"
    """See and hear about every meeting of the tenant, not only the application's own."""


class Application(Record):
    """A partner's application of a tenant."""

    kind: ClassVar[str] = "application"
    name: str
    created_at: Moment


class ApiKey(Record):
    """One key of an application. Only the SHA-256 of the secret is stored: it has 256 random bits,
    so a slow hash would buy nothing (RELIABILITY §5.4)."""

    kind: ClassVar[str] = "api_key"
    application: str
    secret_sha256: str
    scopes: tuple[Scope, ...]
    created_at: Moment
    revoked_at: Moment | None = None


class Actor(Schema):
    """Who made a change; every change records it."""

    kind: Literal["operator", "application", "provider", "worker"]
    id: str = ""
    on_behalf_of: str | None = None
    """The external id of the user an application acts for."""
