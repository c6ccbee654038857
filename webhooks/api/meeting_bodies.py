"""What does a partner send and get for a meeting?"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, ValidationInfo, field_validator

from schemas.callbacks import MeetingView
from schemas.connections import Connection
from schemas.events import Slot
from schemas.meetings import ByConnection, ByJoinUrl, Conferencing
from schemas.policy import Truth
from schemas.providers import PROVIDERS, Role
from schemas.records import Moment
from webhooks.api.addresses import check_page
from webhooks.api.granted import may_use
from webhooks.api.operation import EXTERNAL_ID, Call, Shape
from webhooks.api.problems import wrong_field
from webhooks.api.zones import known_zone

OURS: Final = "mtg_"
YEARS: Final = range(2000, 2200)


def _within_reason(moment: datetime) -> datetime:
    """In UTC; the ends of the calendar have no such form."""
    if moment.year not in YEARS:
        raise ValueError(f"Name a year from {YEARS[0]} to {YEARS[-1]}.")
    return moment.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_within_reason)]
Line = Annotated[str, Field(pattern=r"^(RRULE|RDATE|EXDATE)[:;][ -~]{1,500}$")]


class MeetingBody(Shape):
    """A meeting as you want it."""

    title: str = Field(min_length=1, max_length=300, examples=["Interview with Ada"])
    starts_at: Instant = Field(examples=["2027-01-05T10:00:00+01:00"])
    ends_at: Instant = Field(examples=["2027-01-05T11:00:00+01:00"])
    timezone: str = Field(default="UTC", examples=["Europe/Berlin"])
    """Of the people: a series keeps its hour there when clocks change."""
    recurrence: tuple[Line, ...] = Field(default=(), max_length=30)
    """RFC 5545 lines of a series."""
    conferencing: Conferencing = "none"
    host: str | None = Field(default=None, min_length=1, max_length=200)
    """Your id of the user who hosts it."""
    source_of_truth: Literal["application", "conference"] = "application"
    """Who is right about title, times and cancelling once there is a conference. `application`:
    what is changed at its provider is put back. `conference`: it is taken on, and you are told."""

    _zone = field_validator("timezone")(known_zone)

    @field_validator("ends_at")
    @classmethod
    def _ends_after_it_starts(cls, ends_at: datetime, info: ValidationInfo) -> datetime:
        starts_at = info.data.get("starts_at")
        if starts_at is not None and ends_at <= starts_at:
            raise ValueError("A meeting ends after it starts.")
        return ends_at

    @property
    def slot(self) -> Slot:
        """When, and what it is called."""
        return Slot(
            title=self.title,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            timezone=self.timezone,
            recurrence=self.recurrence,
        )

    async def check(self, call: Call[Any]) -> None:
        """What only the store knows: is the connection there? Raises Denied."""
        match self.conferencing:
            case ByConnection(connection=connection) if connection != "default":
                found = await call.front.store.documents.get(call.tenant, Connection, connection)
                known = found is not None and found.role is Role.CONFERENCING
                if found is None or not known or not await may_use(call, found):
                    raise wrong_field(
                        "conferencing.connection",
                        "Name a conferencing connection that your application linked or has a grant"
                        " for that allows `use`, or `default`.",
                    )
            case ByJoinUrl(join_url=join_url):
                check_page("conferencing.join_url", join_url)
            case _:
                pass
        if self.source_of_truth == "conference" and isinstance(self.conferencing, ByConnection):
            await must_lead(call, "source_of_truth", self.conferencing.connection)


async def must_lead(call: Call[Any], field: str, connection: str) -> None:
    """Raises Denied for a connection at whose provider nobody tells us of changes."""
    found = await call.front.store.documents.get(call.tenant, Connection, connection)
    if found is not None and not PROVIDERS[found.provider].can_lead:
        title = PROVIDERS[found.provider].title
        raise wrong_field(
            field,
            f"{title} does not tell us of changes, so its conferences are no source of truth.",
        )


class NewMeeting(MeetingBody):
    """A meeting as you want it, with your own id for it."""

    external_id: str = Field(pattern=f"^{EXTERNAL_ID}$", examples=["interview-4711"])

    @field_validator("external_id")
    @classmethod
    def _is_not_one_of_ours(cls, external_id: str) -> str:
        if external_id.startswith(OURS):
            raise ValueError(f"Ids that begin with {OURS} are ours.")
        return external_id


class MeetingAnswer(MeetingView):
    """A meeting and how it stands."""

    conferencing: Conferencing | None = None
    host: str | None = None
    source_of_truth: Truth = "application"
    reason: str = ""
    """Why it stands as it does."""
    again_at: Moment | None = None
    """When it is tried again by itself, if that is known."""


def digest_of(body: MeetingBody) -> str:
    """Tells a repeat from a different request: equal for bodies that mean the same."""
    usual = body.source_of_truth == "application"  # which no body of an earlier release named
    said = body.model_dump_json(exclude={"source_of_truth"} if usual else None)
    return hashlib.sha256(said.encode()).hexdigest()
