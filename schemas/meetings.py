"""What we keep of a meeting: what is wanted, what exists, what we are about to do."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.events import Carried, Event, Occurrence, Slot
from schemas.people import Actor
from schemas.policy import Truth, Wish, is_past
from schemas.records import Moment, Record, Schema


class Status(StrEnum):
    """Where a meeting stands (DESIGN §6)."""

    PENDING = "pending"
    PROVISIONING = "provisioning"
    PROVISIONED = "provisioned"
    FAILING = "failing"
    """Retried by itself."""
    PARKED = "parked"
    """Needs a person."""
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class ByConnection(Schema):
    """A partner asks for a conference; `connection` is an id or `default`."""

    connection: str


class ByJoinUrl(Schema):
    """A partner brings its own join link: it is shown, never made or deleted."""

    join_url: str = Field(pattern=r"^https://", max_length=2000)


Conferencing = Literal["none", "default"] | ByConnection | ByJoinUrl
"""What a partner's meeting names (DESIGN §6); never forced (S4-12)."""


class Ask(Record):
    """A partner's meeting as it asked for it. Owned by the API; same id as the meeting."""

    kind: ClassVar[str] = "ask"
    application: str
    external_id: str
    slot: Slot
    conferencing: Conferencing = "none"
    host: str | None = None
    source_of_truth: Literal["application", "conference"] = "application"
    cancelled: bool = False
    actor: Actor
    asked_at: Moment
    body_sha256: str
    """Digest of the request, to tell a repeat from a different one."""


class Conference(Schema):
    """The thing at the provider. `join_url` may embed a passcode: redacted in logs and timeline."""

    provider: str
    connection: str
    id: str
    host: str
    join_url: str
    reference: str
    shown: str
    """Fingerprint of the slot that it shows."""
    slot: Slot
    made_at: Moment
    title: str | None = None
    """As the provider shows it, where that is not the slot's: it may have cut or marked it."""

    def is_titled(self, title: str) -> bool:
        """Whether this is what the provider made of the slot's title, so that nobody changed it."""
        return title == (self.slot.title if self.title is None else self.title)


class Try(Schema):
    """One create that we sent, or may have: the sweep deletes only what fits one (ENGINE 28)."""

    number: int
    started_at: Moment


class Intent(Schema):
    """A create that we are about to send, stored before we send it."""

    connection: str
    reference: str
    slot: Slot
    number: int
    started_at: Moment
    sent: bool = True
    """Unknown outcomes count as sent; False once it surely was not."""


class Written(Schema):
    """Join details that stand in an event."""

    calendar: str
    event: str
    join_url: str
    etags: tuple[str, ...] = ()
    """The event's versions before and after our write: a sighting of another one that lacks our
    mark means that somebody took the link out."""


class Trouble(Schema):
    """Why a meeting is not where it should be, in words."""

    reason: str
    since: Moment
    until: Moment | None = None
    """When it is tried again, if that is known (a quota's reset)."""
    times: int = 1
    """How often in a row."""
    grave: bool = False
    """Worth a callback: it came twice, or the wait is long, or a person must act."""
    parked: bool = False


class EventCopy(Schema):
    """An event on one watched calendar, as a candidate for the authoritative copy."""

    calendar: str
    event: Event
    exceptions: tuple[Occurrence, ...] | None = None
    """Of a series: its occurrences that differ."""
    first_seen_at: Moment


class Meeting(Record):
    """Our record of one meeting; owned by its lane. One per tenant and series (ENGINE 24)."""

    kind: ClassVar[str] = "meeting"
    origin: Literal["calendar", "application"]
    """Who made it; the source of truth, unless that is the conference."""
    identity: str
    """The series' iCalUID, or the application's external id."""
    application: str | None = None
    generation: int = 1
    """Grows when a conference is to be made anew; the reference follows from it."""
    wish: Wish | None = None
    given_link: str | None = None
    """A partner's own join link."""
    given_slot: Slot | None = None
    """When the meeting with that link is; a wish and a conference have slots of their own."""
    because: str = ""
    conference: Conference | None = None
    intent: Intent | None = None
    tries: tuple[Try, ...] = ()
    called_off: Moment | None = None
    """When its conference, its source of truth, was found deleted at the provider."""
    written: tuple[Written, ...] = ()
    carried: Carried | None = None
    authoritative: EventCopy | None = None
    """The one copy that is written."""
    told: str | None = None
    """The join link that partners were last told of."""
    told_slot: Slot | None = None
    """The slot that partners were last told of."""
    doubted: bool = False
    """The provider hinted that the conference is gone or changed; confirm before believing."""
    trouble: Trouble | None = None
    sequence: int = 0
    """Number of the last callback about it."""
    created_at: Moment
    changed_at: Moment


def meeting_id(tenant: str, origin: str, identity: str) -> str:
    """The id of the meeting of this identity: derived, so that two sightings that race make one.

    Calendar: identity is the series' iCalUID. Application: `<application>/<external id>`.
    """
    digest = hashlib.sha256("\x1f".join((tenant, origin, identity)).encode()).hexdigest()
    return f"mtg_{digest[:24]}"


class EventsSeen(Schema):
    """What watched calendars show of a meeting; no copy means it is gone from all of them."""

    seen: Literal["events"] = "events"
    copies: tuple[EventCopy, ...] = ()


class AskSeen(Schema):
    """What the partner asks for."""

    seen: Literal["ask"] = "ask"
    ask: Ask


Seen = Annotated[EventsSeen | AskSeen, Field(discriminator="seen")]


def status_of(meeting: Meeting, now: datetime) -> Status:
    """Where the meeting stands, from what is wanted and what exists."""
    slot = shown_slot(meeting)
    over = slot is not None and is_past(slot, now)
    trouble = meeting.trouble
    if trouble is not None and trouble.parked:
        return Status.PARKED
    if meeting.wish is None and meeting.given_link is None:
        return Status.CANCELLED if over or is_complete(meeting) else Status.CANCELLING
    if trouble is not None and not over:
        return Status.FAILING
    if is_settled(meeting):
        return Status.PROVISIONED
    begun = meeting.intent is not None or meeting.conference is not None
    return Status.PROVISIONING if begun else Status.PENDING


def join_link(meeting: Meeting) -> str | None:
    """The link that people join by: the partner's own, or the conference's."""
    return meeting.given_link or (meeting.conference.join_url if meeting.conference else None)


def shown_slot(meeting: Meeting) -> Slot | None:
    """The slot that people see: of the partner's own link, else the conference's, else the
    wish's while there is none."""
    if meeting.given_link is not None:
        return meeting.given_slot
    if meeting.conference is not None:
        return meeting.conference.slot
    return meeting.wish.slot if meeting.wish else None


def truth_of(meeting: Meeting) -> Truth:
    """Who is right about it."""
    led = meeting.called_off is not None or (meeting.wish is not None and meeting.wish.truth)
    return "conference" if led else meeting.origin


def event_agrees(meeting: Meeting) -> bool:
    """Whether the event that we may write shows the wished title and times. They differ only where
    the conference is the source of truth; only its organiser's copy moves an event."""
    wish, copy, carried = meeting.wish, meeting.authoritative, meeting.carried
    if wish is None or copy is None or not copy.event.organizer:
        return True
    if copy.event.slot.agrees_with(wish.slot):
        return True
    return (
        carried is not None
        and (carried.calendar, carried.event) == (copy.calendar, copy.event.id)
        and carried.slot == wish.slot.fingerprint
        and copy.event.etag in carried.etags
    )


def next_number(meeting: Meeting) -> int:
    """The number of the next try."""
    return max((entry.number for entry in meeting.tries), default=0) + 1


def is_settled(meeting: Meeting) -> bool:
    """Whether the wanted conference exists and stands where it must."""
    link = join_link(meeting)
    if link is None:
        return False
    target = meeting.authoritative
    return target is None or any(
        (w.calendar, w.event, w.join_url) == (target.calendar, target.event.id, link)
        for w in meeting.written
    )


def is_complete(meeting: Meeting) -> bool:
    """Whether nothing is left to do: what is wanted stands as wanted and nowhere else, or nothing
    of ours is left."""
    wish, conference, copy = meeting.wish, meeting.conference, meeting.authoritative
    if meeting.intent is not None and meeting.intent.sent:
        return False
    if wish is None:
        stands = is_settled(meeting) if meeting.given_link else not meeting.written
        return stands and conference is None
    if conference is None or conference.connection != wish.connection or meeting.doubted:
        return False
    here = (copy.calendar, copy.event.id) if copy else None
    return (
        conference.shown == wish.slot.fingerprint
        and is_settled(meeting)
        and event_agrees(meeting)
        and all((entry.calendar, entry.event) == here for entry in meeting.written)
    )
