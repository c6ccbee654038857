"""What does Microsoft Graph say? Its own words (v1.0), only those that we use.

https://learn.microsoft.com/graph/api/resources/event
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, ConfigDict, Field

from schemas.events import Slot
from schemas.records import Wire
from schemas.windows_zones import windows_of

SET: Final = "{66f5a359-4659-4830-9070-00047ec6ac6e}"
MEETING: Final = f"String {SET} Name TielineMeeting"
LINK: Final = f"String {SET} Name TielineLink"
REFERENCE: Final = f"String {SET} Name TielineReference"
"""Our extended properties: which meeting an event carries the link of, the link, and the reference
of the Teams meeting that we made in it. Their names are case-sensitive, and they are told only when
asked for."""


class Body(Wire):
    """The text of an event, HTML or plain."""

    content_type: str = Field(default="html", alias="contentType")
    content: str = ""


class Location(Wire):
    """A place. What we do not name is written back as it came, or a room would be lost."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    display_name: str = Field(default="", alias="displayName")


class When(Wire):
    """A wall clock and its zone; we ask for UTC. Seven digits of a second are one too many."""

    date_time: str = Field(default="0001-01-01T00:00:00.0000000", alias="dateTime")
    time_zone: str = Field(default="UTC", alias="timeZone")


class Pattern(Wire):
    """How often something happens."""

    type: str
    interval: int = 1
    month: int = 0
    day_of_month: int = Field(default=0, alias="dayOfMonth")
    days: tuple[str, ...] = Field(default=(), alias="daysOfWeek")
    first_day: str = Field(default="sunday", alias="firstDayOfWeek")
    index: str = "first"


class Bounds(Wire):
    """How long something goes on; `endDate` is the last day in the series' own zone."""

    type: str
    end_date: str = Field(default="", alias="endDate")
    count: int = Field(default=0, alias="numberOfOccurrences")


class Recurrence(Wire):
    """A series' rule."""

    pattern: Pattern
    range: Bounds


class ResponseStatus(Wire):
    """What the calendar's owner answered."""

    response: str = "none"


class OnlineMeetingInfo(Wire):
    """The Teams meeting of an event."""

    join_url: str | None = Field(default=None, alias="joinUrl")


class Property(Wire):
    """An extended property."""

    id: str
    value: str | None = None


class Removed(Wire):
    """Why something left a view: deleted, or changed and outside."""

    reason: str = ""


class Entry(Wire):
    """An event, an occurrence of a series with little more than its times, or what left a view."""

    id: str
    etag: str = Field(default="", alias="@odata.etag")
    removed: Removed | None = Field(default=None, alias="@removed")
    type: str = "singleInstance"
    series: str | None = Field(default=None, alias="seriesMasterId")
    ical_uid: str = Field(default="", alias="iCalUId")
    subject: str | None = None
    body: Body | None = None
    location: Location | None = None
    start: When = When()
    end: When = When()
    zone: str | None = Field(default=None, alias="originalStartTimeZone")
    original_start: AwareDatetime | None = Field(default=None, alias="originalStart")
    recurrence: Recurrence | None = None
    all_day: bool = Field(default=False, alias="isAllDay")
    cancelled: bool = Field(default=False, alias="isCancelled")
    organizer: bool = Field(default=False, alias="isOrganizer")
    answer: ResponseStatus | None = Field(default=None, alias="responseStatus")
    online: OnlineMeetingInfo | None = Field(default=None, alias="onlineMeeting")
    properties: tuple[Property, ...] = Field(default=(), alias="singleValueExtendedProperties")
    transaction: str | None = Field(default=None, alias="transactionId")
    called_off: tuple[str, ...] = Field(default=(), alias="cancelledOccurrences")

    def held(self, name: str) -> str:
        """The value of an extended property; empty when it is not there."""
        return next((one.value or "" for one in self.properties if one.id == name), "")

    @property
    def teams_link(self) -> str:
        """The link of the Teams meeting that lives in it; empty when none does."""
        return (self.online.join_url or "") if self.online else ""


SELECTED: Final = (
    "type,seriesMasterId,iCalUId,subject,body,location,start,end,originalStartTimeZone,"
    "originalStart,recurrence,isAllDay,isCancelled,isOrganizer,responseStatus,onlineMeeting,"
    "transactionId,cancelledOccurrences"
)
"""What is read of an event; `cancelledOccurrences` comes only when it is named."""
EXPANDED: Final = (
    "singleValueExtendedProperties($filter="
    f"id eq '{MEETING}' or id eq '{LINK}' or id eq '{REFERENCE}')"
)


class Entries(Wire):
    """A page. The last page of a delta has the delta link."""

    value: tuple[Entry, ...] = ()
    next_link: str | None = Field(default=None, alias="@odata.nextLink")
    delta_link: str | None = Field(default=None, alias="@odata.deltaLink")


class Owner(Wire):
    """Whose calendar it is."""

    name: str = ""
    address: str = ""


class CalendarRow(Wire):
    """A calendar of a mailbox."""

    id: str
    name: str = ""
    primary: bool = Field(default=False, alias="isDefaultCalendar")
    can_edit: bool = Field(default=False, alias="canEdit")
    owner: Owner | None = None


class CalendarRows(Wire):
    """A page of a mailbox's calendars."""

    value: tuple[CalendarRow, ...] = ()
    next_link: str | None = Field(default=None, alias="@odata.nextLink")


class User(Wire):
    """The person behind a token."""

    id: str
    display_name: str | None = Field(default=None, alias="displayName")
    mail: str | None = None
    principal: str = Field(default="", alias="userPrincipalName")


class KeySet(Wire):
    """The keys that Microsoft signs tokens with, in the words of RFC 7517."""

    keys: tuple[dict[str, Any], ...]


class SubscriptionRow(Wire):
    """A subscription; our secret in it is not told again."""

    id: str
    resource: str = ""
    address: str = Field(default="", alias="notificationUrl")
    expires_at: AwareDatetime = Field(alias="expirationDateTime")
    tells_content: bool | None = Field(default=None, alias="includeResourceData")
    certificate: str | None = Field(default=None, alias="encryptionCertificateId")


class SubscriptionRows(Wire):
    """A page of the client's subscriptions."""

    value: tuple[SubscriptionRow, ...] = ()
    next_link: str | None = Field(default=None, alias="@odata.nextLink")


class OnlineMeeting(Wire):
    """A Teams meeting that stands by itself."""

    id: str
    external_id: str = Field(default="", alias="externalId")
    created_at: AwareDatetime | None = Field(default=None, alias="creationDateTime")
    starts_at: AwareDatetime | None = Field(default=None, alias="startDateTime")
    ends_at: AwareDatetime | None = Field(default=None, alias="endDateTime")
    subject: str | None = None
    join_url: str = Field(alias="joinWebUrl")


class Fault(Wire):
    """Why a call was refused; `code` is what there is to go by."""

    code: str = ""
    message: str = ""


class ErrorBody(Wire):
    """An error's body."""

    error: Fault = Fault()


def link_patch(
    location: dict[str, Any], body: Body, *, meeting: str, join_url: str
) -> dict[str, Any]:
    """Where our link goes. A property cannot be removed, so it is emptied."""
    return {
        "location": location,
        "body": body.model_dump(by_alias=True),
        "singleValueExtendedProperties": [
            {"id": MEETING, "value": meeting},
            {"id": LINK, "value": join_url},
        ],
    }


def slot_patch(slot: Slot, zone: str, *, moved: bool) -> dict[str, Any]:
    """Another title, and other times by the clock of the event's own zone, under Windows' name: of
    the IANA's, Graph promises to take some only.

    https://learn.microsoft.com/graph/api/resources/datetimetimezone
    """
    patch: dict[str, Any] = {"subject": slot.title}
    if moved:
        place = ZoneInfo(zone)
        for name, at in (("start", slot.starts_at), ("end", slot.ends_at)):
            clock = f"{at.astimezone(place):%Y-%m-%dT%H:%M:%S}"
            patch[name] = {"dateTime": clock, "timeZone": windows_of(zone)}
    return patch


def instant(moment: datetime) -> str:
    """An instant as Graph takes it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
