"""What does GoTo Meeting's API say? Its own words, as far as we use them, in all spellings.

https://developer.goto.com/GoToMeetingV1 (the machine's description disagrees with the answers in
places: what is read here is what was seen).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from schemas.records import Wire


def _as_text(number: Any) -> Any:  # noqa: ANN401 - what a vendor sent may be anything
    if isinstance(number, Decimal):
        return _whole(number)
    return str(number) if isinstance(number, int) else number


def _whole(number: Decimal) -> str:
    """The digits of a number in exponent form; nothing if some of them were rounded away before."""
    kept = len(number.as_tuple().digits)
    exact = number == number.to_integral_value() and kept >= number.adjusted() + 1
    return str(int(number)) if exact else ""


def _as_bool(said: Any) -> Any:  # noqa: ANN401 - likewise
    return said.strip().casefold() == "true" if isinstance(said, str) else bool(said)


def _as_count(said: Any) -> Any:  # noqa: ANN401 - likewise
    text = said.strip() if isinstance(said, str) else said
    return None if text == "" else text


def _as_moment(said: Any) -> Any:  # noqa: ANN401 - likewise
    """`…Z`, `+0000` without a colon, no zone at all (then UTC), or nothing."""
    if said in ("", None):
        return None
    moment = datetime.fromisoformat(said) if isinstance(said, str) else said
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _spelt(*names: str) -> Any:  # noqa: ANN401 - pydantic's own Field returns Any
    return Field(default="", validation_alias=AliasChoices(*names))


def _named(*names: str) -> Any:  # noqa: ANN401 - likewise
    """What nothing can be done without."""
    return Field(min_length=1, validation_alias=AliasChoices(*names))


Key = Annotated[str, BeforeValidator(_as_text)]
"""An id or a key, up to 19 digits: a number in one answer, text in the next. Beyond 2^53, so it is
text for us from end to end."""
Flag = Annotated[bool, BeforeValidator(_as_bool)]
"""`true`, `"true"`, `"false"` or `""`."""
Count = Annotated[int | None, BeforeValidator(_as_count)]
Time = Annotated[datetime | None, BeforeValidator(_as_moment)]

ACTIVE: Final = "ACTIVE"
"""A meeting that people are in right now; else `INACTIVE`."""


class Created(Wire):
    """What a create answers, in an array of one."""

    id: Key = _named("meetingid", "meetingId", "uniqueMeetingId")
    join_url: str = Field(default="", alias="joinURL")
    max_participants: Count = Field(default=None, alias="maxParticipants")
    unique_id: Key = Field(default="", alias="uniqueMeetingId")
    call_info: str = Field(default="", alias="conferenceCallInfo")


class Meeting(Wire):
    """A meeting, scheduled or past, in any of the lists and by itself. A `recurring` one has no
    times; the single one carries no join link."""

    id: Key = _named("meetingId", "meetingid", "newMeetingId", "meetingKey", "uniqueMeetingId")
    unique_id: Key = Field(default="", alias="uniqueMeetingId")
    instance: Key = _spelt("meetingInstanceKey", "meetingId", "newMeetingId")
    """What attendees are asked for by; equal to the id today."""
    session: Key = Field(default="", alias="sessionId")
    subject: str = ""
    kind: str = Field(default="", alias="meetingType")
    starts_at: Time = Field(default=None, alias="startTime")
    ends_at: Time = Field(default=None, alias="endTime")
    created_at: Time = Field(default=None, alias="createTime")
    """Always empty nowadays."""
    minutes: Count = Field(default=None, alias="duration")
    status: str = ""
    join_url: str = Field(default="", alias="joinURL")
    max_participants: Count = Field(default=None, alias="maxParticipants")
    attendees: Count = Field(default=None, alias="numAttendees")
    password_required: Flag = Field(default=False, alias="passwordRequired")
    call_info: str = Field(default="", alias="conferenceCallInfo")
    coorganizers: tuple[Key, ...] = Field(default=(), alias="coorganizerKeys")
    organizer: Key = _spelt("organizerKey", "newOrganizerKey", "organizerkey")
    account: Key = Field(default="", alias="accountKey")
    first_name: str = Field(default="", alias="firstName")
    last_name: str = Field(default="", alias="lastName")
    email: str = ""
    locale: str = ""
    group: str = Field(default="", alias="groupName")


class Start(Wire):
    """Where the host starts it; this answer is no array."""

    host_url: str = Field(alias="hostURL", min_length=1, repr=False)
    """Holds a one-time code: a secret."""


class Attendee(Wire):
    """Who was in a meeting that has ended; its times have no zone."""

    name: str = _spelt("attendeeName", "name")
    email: str = Field(default="", alias="attendeeEmail")
    joined_at: Time = Field(default=None, alias="joinTime")
    left_at: Time = Field(default=None, alias="leaveTime")
    minutes: Count = Field(default=None, alias="duration")
    meeting: Key = _spelt("newMeetingId", "meetingId", "meetingInstanceKey")
    instance: Key = _spelt("meetingInstanceKey", "meetingId")
    subject: str = ""
    attendees: Count = Field(default=None, alias="numAttendees")
    starts_at: Time = Field(default=None, alias="startTime")
    ends_at: Time = Field(default=None, alias="endTime")
    organizer: Key = _spelt("organizerKey", "organizerkey")
    organizer_email: str = Field(default="", alias="email")
    group: str = Field(default="", alias="groupName")


class Organizer(Wire):
    """Somebody of the account who may hold meetings; no key until the invitation is accepted."""

    key: Key = _spelt("organizerKey", "key")
    email: str = ""
    first_name: str = Field(default="", alias="firstName")
    last_name: str = Field(default="", alias="lastName")
    group: Key = Field(default="", alias="groupId")
    group_name: str = Field(default="", alias="groupName")
    status: str = ""
    max_attendees: Count = Field(default=None, alias="maxNumAttendeesAllowed")
    products: tuple[str, ...] = ()


class Group(Wire):
    """A group of organizers."""

    key: Key = _named("groupkey", "groupKey")
    name: str = Field(default="", alias="groupName")
    parent: Key = Field(default="", alias="parentKey")
    status: str = ""
    organizers: Count = Field(default=None, alias="numOrganizers")


class OfAccount(Wire):
    """An account that somebody belongs to."""

    key: Key = ""
    name: str = ""


class Me(Wire):
    """Whose token it is; of the Admin Center, which answers no array."""

    key: Key = _named("key", "organizerKey", "userKey", "id")
    account: Key = _spelt("accountKey", "account_key")
    accounts: tuple[OfAccount, ...] = ()
    email: str = ""
    first_name: str = Field(default="", alias="firstName")
    last_name: str = Field(default="", alias="lastName")

    @property
    def account_key(self) -> str:
        """The account; the first one, where there are several and none is said to be it."""
        return self.account or next((one.key for one in self.accounts), "")


class ErrorBody(Wire):
    """Why a call was refused, in one of four shapes; often there is no body at all."""

    code: str = _spelt("int_err_code", "errorCode", "error")
    message: str = _spelt("msg", "message", "description", "error_description")


Said = TypeVar("Said", bound=Wire)


def read_one(words: type[Said], body: bytes) -> Said:
    """The one thing of an answer, in an array or not. Raises ValidationError, ValueError."""
    said = _parsed(body)
    if isinstance(said, list):
        (said,) = said
    return words.model_validate(said)


def read_all(words: type[Said], body: bytes) -> list[Said]:
    """The things of an answer; one without an array is one. Raises ValidationError, ValueError."""
    said = _parsed(body)
    rows: Iterable[object] = said if isinstance(said, list) else [said]
    return [words.model_validate(row) for row in rows]


def read_error(body: bytes) -> ErrorBody | None:
    """What a refusal says; None when it is no JSON object, and then not GoTo's own."""
    try:
        return ErrorBody.model_validate(json.loads(body))
    except (ValidationError, ValueError):  # HTML or XML of something in front of the API
        return None


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - what a vendor sent may be anything
    """Numbers with an exponent keep all the digits that were sent."""
    return json.loads(body, parse_float=Decimal) if body.strip() else []
