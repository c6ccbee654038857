"""What does an account at a provider hold, whoever made it? Conferences, who was there, people."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.records import Moment, Schema

CallInfo = Annotated[str, Field(min_length=1, max_length=255)]
Kind = Literal["immediate", "scheduled", "recurring"]
Product = Literal["G2M", "G2W", "G2T", "OPENVOICE"]
Email = Annotated[str, Field(pattern=r"^[^@\s]{1,100}@[^@\s]{1,150}$")]


class ConferenceDraft(Schema):
    """A conference as it is to be, whole: what is left out is not kept from before."""

    title: str = Field(min_length=1, max_length=300)
    starts_at: Moment
    ends_at: Moment
    kind: Kind = "scheduled"
    """`recurring` is a lasting room: its times are not kept by every provider."""
    password_required: bool = False
    call_info: CallInfo = "Hybrid"
    """GoTo: PSTN, Free, Hybrid, Private, VoIP, or up to 255 characters of your own."""
    co_organizers: tuple[str, ...] = Field(default=(), max_length=50)
    """Keys or e-mail addresses of organizers of the account."""
    wait_for_organizers: bool = False
    """Whether to wait, for a week at most, for those who have not accepted their invitation yet;
    else it is refused because of them."""

    @model_validator(mode="after")
    def _must_last(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        return self


class AccountConference(Schema):
    """A conference of the account, ours or not, as the provider has it. What a provider does not
    tell is null or empty. One that was held has `session` and `attendees`."""

    id: str
    """The provider's id, a text also where it is a number."""
    unique_id: str = ""
    title: str = ""
    kind: str = ""
    starts_at: Moment | None = None
    """Null for a recurring one, which has no times of its own."""
    ends_at: Moment | None = None
    minutes: int | None = None
    created_at: Moment | None = None
    running: bool | None = None
    join_url: str = ""
    password_required: bool = False
    call_info: str = ""
    max_participants: int | None = None
    co_organizers: tuple[str, ...] = ()
    organizer: str = ""
    account: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    locale: str = ""
    group: str = ""
    session: str = ""
    instance: str = ""
    """What its attendees are asked for by."""
    attendees: int | None = None
    notes: tuple[str, ...] = ()
    """What one should know and the provider does not say."""


class Attendance(Schema):
    """One person in one conference that was held."""

    name: str = ""
    email: str = ""
    joined_at: Moment | None = None
    left_at: Moment | None = None
    minutes: int | None = None
    conference: str = ""
    instance: str = ""
    title: str = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    attendees: int | None = None
    organizer: str = ""
    organizer_email: str = ""
    group: str = ""


class Invitation(Schema):
    """Somebody who is to become an organizer. The provider mails them."""

    email: Email
    first_name: str = Field(min_length=1, max_length=100)
    last_name: str = Field(min_length=1, max_length=100)
    product: Product = "G2M"
    """Who may hold webinars (G2W) or trainings (G2T) may hold meetings too."""


class Organizer(Schema):
    """Somebody of the account who may hold conferences."""

    key: str = ""
    """Empty while the invitation is open: nothing can be done for them before."""
    email: str
    state: Literal["pending", "active", "suspended"]
    first_name: str = ""
    last_name: str = ""
    group: str = ""
    group_name: str = ""
    max_attendees: int | None = None
    products: tuple[str, ...] = ()


class Group(Schema):
    """A group of organizers."""

    key: str
    name: str = ""
    parent: str = ""
    status: str = ""
    organizers: int | None = None


class Removed(Schema):
    """What the provider said to a deletion."""

    message: str
    code: int
    """Its HTTP status."""


class Offer(Schema):
    """One thing that a connection can be used for, or why not."""

    name: str
    offered: bool
    because: str = ""


class Found(Schema):
    """What came of a request about an account; only what was asked for is filled."""

    conferences: tuple[AccountConference, ...] = ()
    attendance: tuple[Attendance, ...] = ()
    organizers: tuple[Organizer, ...] = ()
    groups: tuple[Group, ...] = ()
    offers: tuple[Offer, ...] = ()
    removed: Removed | None = None
    complete_from: Moment | None = None
    """History: nothing is missing from here on; before, the provider has forgotten and we had not
    looked yet."""
    running: tuple[str, ...] = ()
    """History: ids of conferences that still run, and are not in it yet."""


Trial = Literal["account", "upcoming", "history", "organizers", "groups"]
"""An operation that only reads, and can be tried."""


class Spans(Schema):
    """How the time of one trial was spent, in milliseconds."""

    prepare: float
    """Until the call could leave: the token opened or renewed, the provider's pace kept."""
    execute: float
    """At the provider."""
    transform: float
    """Putting what came into our words."""


class Diagnosis(Schema):
    """What came of trying one operation, good or bad."""

    operation: Trial
    success: bool
    result: str = ""
    """What came back, in a sentence."""
    problem: str = ""
    """The problem type that the operation would be refused with."""
    error: str = ""
    spans: Spans
    auth: str
    connection: str
