"""What may an application use or hear about that it neither made nor linked? Its grants. Pure."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Literal

from schemas.people import Actor
from schemas.records import Moment, Record, Schema

PlaceKind = Literal["connection", "calendar", "user"]


class Allows(StrEnum):
    """What a grant permits. Either of them lets the application read the meetings that stand in
    the place; what changes a meeting is left to who made it."""

    HEAR = "hear"
    """Callbacks and feed."""
    USE = "use"
    """Ask for meetings over it, and start those that stand there."""


class Place(Schema):
    """Where meetings stand: over a connection, in a calendar, with a user (by external id)."""

    kind: PlaceKind
    id: str


class Grant(Record):
    """An application's permission for one place. Owned by the API; the lane of a connection that
    is taken away takes its grants along."""

    kind: ClassVar[str] = "grant"
    application: str
    place: Place
    allows: tuple[Allows, ...]
    given_by: Actor
    given_at: Moment
    until: Moment | None = None
    """When it ends by itself; none while it is not taken away."""

    def permits(self, what: Allows, now: datetime) -> bool:
        """Whether it allows this, and is in force."""
        return what in self.allows and (self.until is None or now < self.until)


class Grantees(Record):
    """Who was ever given a grant in this tenant: all that has to be known to look grants up by
    their ids. Owned by the API, only grows, and is missing where nobody was."""

    kind: ClassVar[str] = "grantees"
    applications: tuple[str, ...] = ()


GRANTS: Final = "grants"
"""Index of a tenant: grant -> its application and place, by which lists are filtered."""
GRANTEES: Final = "grantees"
"""The only id of such a document."""


def grant_id(application: str, place: Place) -> str:
    """An application has one grant for a place, so that it is found without a search and two calls
    that race make one."""
    said = "\x1f".join((application, place.kind, place.id))
    digest = hashlib.sha256(said.encode()).digest()
    return "grt_" + b32encode(digest).decode().lower()[:20]


def write_row(grant: Grant) -> str:
    """What the index says of a grant."""
    return "\n".join((grant.application, grant.place.kind, grant.place.id))


def read_row(row: str) -> tuple[str, Place]:
    """The application and the place of such a row."""
    application, kind, id_ = row.split("\n", 2)
    return application, Place.model_validate({"kind": kind, "id": id_})


def permitted(grants: Iterable[Grant], what: Allows, now: datetime) -> frozenset[str]:
    """The applications that may, by one of these grants."""
    return frozenset(grant.application for grant in grants if grant.permits(what, now))
