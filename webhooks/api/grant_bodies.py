"""What is sent and shown of a grant?"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import Field, model_validator

from schemas.grants import Allows, Grant, Place, read_row
from schemas.people import Actor
from schemas.records import Moment
from webhooks.api.operation import Page, Shape

PLACES: Final = ("connection", "calendar", "user")


class NewGrant(Shape):
    """What an application may do with one place: a connection, a calendar or a user's meetings."""

    application: str = Field(max_length=64, examples=["app_2k7xw3m5q4r6t7u2v3w4"])
    connection: str | None = Field(default=None, max_length=64)
    """This connection, the meetings over it, and those in its calendars."""
    calendar: str | None = Field(default=None, max_length=64)
    """The meetings in this calendar."""
    user: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{1,200}$", examples=["ada"])
    """By your id: the connections of this user, and the meetings that stand on them or that the
    user hosts."""
    allows: tuple[Allows, ...] = Field(default=(Allows.HEAR,), min_length=1, max_length=len(Allows))
    """`hear`: callbacks and feed, from now on. `use`: ask for meetings over the connection or the
    user's, and start those that stand there. Either lets it read them."""
    until: Moment | None = None
    """When it ends by itself; leave out for one that lasts until it is taken away."""

    @model_validator(mode="after")
    def _is_for_one_place(self) -> NewGrant:
        if sum(getattr(self, kind) is not None for kind in PLACES) != 1:
            raise ValueError("Name one of `connection`, `calendar` and `user`.")
        return self

    @property
    def place(self) -> Place:
        """What it is for."""
        return next(
            Place.model_validate({"kind": kind, "id": named})
            for kind in PLACES
            if (named := getattr(self, kind)) is not None
        )


class GrantsAsked(Page):
    """Which grants, and which part of the list."""

    application: str | None = Field(default=None, max_length=64, description="Of this application.")
    connection: str | None = Field(default=None, max_length=64, description="For this connection.")
    calendar: str | None = Field(default=None, max_length=64, description="For this calendar.")
    user: str | None = Field(default=None, max_length=200, description="For this user.")

    def fits(self, row: str) -> bool:
        """Whether a row of the index is asked for."""
        application, place = read_row(row)
        named = {kind: id_ for kind in PLACES if (id_ := getattr(self, kind)) is not None}
        return self.application in {None, application} and named in ({}, {place.kind: place.id})


class GrantView(Shape):
    """A grant, and whether it is in force. One that has ended stays until it is taken away."""

    id: str
    application: str
    connection: str | None
    calendar: str | None
    user: str | None
    allows: tuple[Allows, ...]
    given_by: Actor
    given_at: Moment
    until: Moment | None
    in_force: bool


class Grants(Shape):
    """A page of grants."""

    items: tuple[GrantView, ...]
    next: str | None


def shown(grant: Grant, now: datetime) -> GrantView:
    """The grant as partners see it."""
    return GrantView(
        id=grant.id,
        application=grant.application,
        **{kind: grant.place.id if grant.place.kind == kind else None for kind in PLACES},
        allows=grant.allows,
        given_by=grant.given_by,
        given_at=grant.given_at,
        until=grant.until,
        in_force=grant.until is None or now < grant.until,
    )
