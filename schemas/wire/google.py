"""What does Google Calendar's API say? Its own words (v3), only those that we use.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, Field

from schemas.events import Slot
from schemas.records import Wire


class When(Wire):
    """A start or an end: a day, or an instant with the zone it was meant in."""

    day: date | None = Field(default=None, alias="date")
    date_time: AwareDatetime | None = Field(default=None, alias="dateTime")
    time_zone: str | None = Field(default=None, alias="timeZone")


class Person(Wire):
    """The organiser or a guest; `self` is whose calendar this is."""

    is_self: bool = Field(default=False, alias="self")
    answer: str = Field(default="", alias="responseStatus")


class Properties(Wire):
    """Extended properties. The private ones belong to this copy alone."""

    private: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults


class EntryPoint(Wire):
    """One way into a conference."""

    uri: str = ""


class ConferenceData(Wire):
    """A conference that Google, or an add-on, put there."""

    entry_points: tuple[EntryPoint, ...] = Field(default=(), alias="entryPoints")


class Entry(Wire):
    """An event, an exception of a series, or what is left of a deleted one: of that, and of a
    cancelled exception, little more than the id is promised."""

    id: str
    etag: str = ""
    status: str = "confirmed"
    kind: str = Field(default="default", alias="eventType")
    ical_uid: str = Field(default="", alias="iCalUID")
    summary: str = ""
    location: str = ""
    description: str = ""
    start: When = When()
    end: When = When()
    recurrence: tuple[str, ...] = ()
    series: str | None = Field(default=None, alias="recurringEventId")
    original_start: When = Field(default=When(), alias="originalStartTime")
    organizer: Person = Person()
    attendees: tuple[Person, ...] = ()
    properties: Properties = Field(default=Properties(), alias="extendedProperties")
    hangout_link: str = Field(default="", alias="hangoutLink")
    conference: ConferenceData = Field(default=ConferenceData(), alias="conferenceData")

    @property
    def cancelled(self) -> bool:
        """Whether it was deleted."""
        return self.status == "cancelled"


class Entries(Wire):
    """A page of a list. Only the last one has the sync token."""

    items: tuple[Entry, ...] = ()
    time_zone: str = Field(default="UTC", alias="timeZone")
    next_page: str | None = Field(default=None, alias="nextPageToken")
    next_sync: str | None = Field(default=None, alias="nextSyncToken")


class CalendarRow(Wire):
    """A calendar as the account sees it."""

    id: str
    summary: str = ""
    own_name: str = Field(default="", alias="summaryOverride")
    time_zone: str = Field(default="UTC", alias="timeZone")
    role: str = Field(default="", alias="accessRole")
    primary: bool = False
    deleted: bool = False


class CalendarRows(Wire):
    """A page of the account's calendars."""

    items: tuple[CalendarRow, ...] = ()
    next_page: str | None = Field(default=None, alias="nextPageToken")


class ChannelOpened(Wire):
    """A push channel. `expiration` is in milliseconds since 1970, an int64 in a string."""

    resource: str = Field(alias="resourceId")
    expiration: int


class Fault(Wire):
    """Why a call was refused; `reason` is what there is to go by."""

    reason: str = ""


class Refusal(Wire):
    """The inside of an error's body."""

    message: str = ""
    errors: tuple[Fault, ...] = ()


class ErrorBody(Wire):
    """An error's body."""

    error: Refusal = Refusal()


def link_patch(
    location: str, description: str, *, meeting: str | None, join_url: str | None
) -> dict[str, Any]:
    """Where our link goes. A property set to null is removed."""
    marks = {MEETING: meeting, LINK: join_url}
    return {
        "location": location,
        "description": description,
        "extendedProperties": {"private": marks},
    }


def slot_patch(slot: Slot, zone: str | None, *, moved: bool) -> dict[str, Any]:
    """Another title, and other times; the event stays in its zone."""
    patch: dict[str, Any] = {"summary": slot.title}
    if moved:
        place = {"timeZone": zone} if zone else {}
        patch["start"] = {"dateTime": rfc3339(slot.starts_at), **place}
        patch["end"] = {"dateTime": rfc3339(slot.ends_at), **place}
    return patch


def rfc3339(moment: datetime) -> str:
    """An instant as a query parameter takes it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


MEETING = "tl_meeting"
LINK = "tl_link"
"""Our private properties: which meeting an event carries the link of, and the link."""
