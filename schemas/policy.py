"""Which events deserve a conference, and from whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from schemas.events import Event, Slot
from schemas.people import Actor
from schemas.records import Moment, Record, Schema
from schemas.recurrence import last_end

Truth = Literal["calendar", "application", "conference"]
"""Who is right about a meeting's title and times, and whether it takes place."""


class KeywordRule(Schema):
    """An event whose location holds the keyword, as a word of its own, gets a conference."""

    keyword: str = Field(pattern=r"[^\s,;]")
    conferencing: str
    """Id of a connection, or `default`."""
    source_of_truth: Literal["calendar", "conference"] = "calendar"


class PolicyRules(Record):
    """A tenant's rules, as stored. The id is always `policy`."""

    kind: ClassVar[str] = "policy"
    rules: tuple[KeywordRule, ...] = ()
    default: str | None = None
    """The connection that `default` means."""


class Link(Schema):
    """What decide must know of a conferencing connection."""

    connection: str
    provider: str
    usable: bool
    reason: str = ""
    host: str
    can_lead: bool = True
    """We hear of what is changed there, so that its conferences may be the source of truth."""
    in_event: bool = False
    """The conference lives in the event that asks for it."""
    derived: bool = False
    """The conference follows from the reference alone."""
    quarantine: timedelta = timedelta(0)
    find_first: bool = False
    """A new epoch has begun: what exists there is not known yet (ENGINE 29)."""


class Wish(Schema):
    """A conference that ought to exist."""

    slot: Slot
    connection: str
    truth: Literal["conference"] | None = None
    """The source of truth, where that is not who made the meeting."""


class Leading(Record):
    """Who is right about one meeting of a calendar, whatever its rule says. Same id as the meeting;
    owned by the API."""

    kind: ClassVar[str] = "leading"
    truth: Literal["calendar", "conference"]
    actor: Actor
    chosen_at: Moment


class Verdict(Schema):
    """Whether a conference is wanted, and the sentence that says why."""

    wish: Wish | None
    because: str


def is_past(slot: Slot, now: datetime) -> bool:
    """Whether it is over. A series is over when its last occurrence is; one without end never."""
    if not slot.is_series:
        return slot.ends_at <= now
    end = last_end(slot)
    return end is not None and end <= now


class Policy(Schema):
    """The rules in force, with the connections they may choose from."""

    rules: tuple[KeywordRule, ...] = ()
    default: str | None = None
    links: Mapping[str, Link] = {}
    rooms: Mapping[str, str] = {}
    """Calendars of rooms, and the connections that their events' conferences come from."""
    truth: Literal["calendar", "conference"] | None = None
    """The source of truth that was chosen for this very meeting; it comes before the rule's."""

    def connection(self, named: str) -> str | None:
        """The connection that a rule or a partner names; `default` is the tenant's."""
        return self.default if named == "default" else named

    def rule_for(self, event: Event) -> KeywordRule | None:
        """The first rule whose keyword, one word or several, stands in the location, upper or
        lower case."""
        location = _words(event.location)
        return next((rule for rule in self.rules if _words(rule.keyword) in location), None)

    def verdict(self, event: Event, now: datetime, *, room: str | None = None) -> Verdict:
        """What this event deserves: never past, all-day, declined or cancelled ones, never one that
        carries a foreign link (DESIGN §6). `room` is the connection of a room that it is in: a
        rule comes first."""
        if reason := _unfit(event, now):
            return Verdict(wish=None, because=reason)
        rule = self.rule_for(event)
        if rule is None and room is not None:
            wish = Wish(slot=event.slot, connection=room, truth=self._leads("calendar"))
            return Verdict(wish=wish, because="it is in a room that has a conference for each")
        if rule is None:
            return Verdict(wish=None, because="no rule's keyword stands in its location")
        connection = self.connection(rule.conferencing)
        if connection is None:
            return Verdict(
                wish=None,
                because=f"keyword “{rule.keyword}” asks for the default, and none is set",
            )
        return Verdict(
            wish=Wish(
                slot=event.slot,
                connection=connection,
                truth=self._leads(rule.source_of_truth),
            ),
            because=f"keyword “{rule.keyword}” stands in its location",
        )

    def _leads(self, usual: str) -> Literal["conference"] | None:
        return "conference" if (self.truth or usual) == "conference" else None


def _words(text: str) -> str:
    """The words of a text, each between blanks."""
    plain = text.casefold().replace(",", " ").replace(";", " ")
    return f" {' '.join(plain.split())} "


def _unfit(event: Event, now: datetime) -> str | None:
    if event.cancelled:
        return "the event is cancelled"
    if event.declined:
        return "the calendar's owner declined it"
    if event.all_day:
        return "it lasts all day"
    if event.foreign_link:
        return "it already carries a join link that is not ours"
    return "it is over" if is_past(event.slot, now) else None
