"""What partners hear: every callback type is one model with an example."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from schemas.meetings import Status
from schemas.records import Moment, Schema


class CallbackType(StrEnum):
    """The `type` of a callback; part of the API and never renamed."""

    MEETING_PROVISIONED = "meeting.provisioned"
    MEETING_PROVISIONING_FAILING = "meeting.provisioning_failing"
    MEETING_UPDATED = "meeting.updated"
    MEETING_RESCHEDULED = "meeting.rescheduled"
    MEETING_TORN_DOWN = "meeting.torn_down"
    MEETING_FAILED = "meeting.failed"
    MEETING_STARTED = "meeting.started"
    MEETING_ENDED = "meeting.ended"
    PARTICIPANT_JOINED = "participant.joined"
    PARTICIPANT_LEFT = "participant.left"
    ATTENDANCE_READY = "attendance.ready"
    CONNECTION_LINKED = "connection.linked"
    CONNECTION_NEEDS_REAUTH = "connection.needs_reauth"
    CONNECTION_REVOKED = "connection.revoked"
    CONNECTION_UNLINKED = "connection.unlinked"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_RECOVERED = "endpoint.recovered"


class Cause(Schema):
    """What led to a callback: who or what, in words."""

    by: str
    """`calendar`, `application`, `provider`, `worker` or `operator`."""
    because: str = ""


class MeetingView(Schema):
    """A meeting as partners see it."""

    id: str
    external_id: str | None = None
    ical_uid: str | None = None
    title: str
    starts_at: Moment
    ends_at: Moment
    timezone: str
    status: Status
    join_url: str | None = None
    provider: str | None = None
    conference: str | None = None


class Times(Schema):
    """From when to when."""

    starts_at: Moment
    ends_at: Moment


class Data(Schema):
    """What every callback's `data` holds."""

    tenant: str
    subject: str
    """The meeting, connection or endpoint that order is kept for."""
    sequence: int
    """Grows by one with each callback about the subject, from 1."""
    cause: Cause
    trace_id: str


class MeetingData(Data):
    """`meeting.provisioned`, `updated`, `torn_down`."""

    meeting: MeetingView


class MeetingRescheduledData(MeetingData):
    """`meeting.rescheduled`: never a bare cancel (T21)."""

    old: Times
    new: Times


class MeetingTroubleData(MeetingData):
    """`meeting.provisioning_failing` (work goes on) and `meeting.failed` (parked)."""

    reason: str
    again_at: Moment | None = None


class MeetingMomentData(MeetingData):
    """`meeting.started`, `meeting.ended`, `attendance.ready` (with when it ended)."""

    at: Moment


class ParticipantData(MeetingMomentData):
    """`participant.joined`, `participant.left`."""

    participant: str
    name: str = ""


class ConnectionData(Data):
    """`connection.*`: ids and words, never a credential (S4-2)."""

    connection: str
    provider: str
    account: str = ""
    reason: str = ""


class EndpointData(Data):
    """`endpoint.*`: said to the application's other endpoints and in the feed."""

    endpoint: str
    reason: str
    failing_since: Moment | None = None
    percent: int = 0
    """How much of the time is over after which a failing endpoint is disabled: 50, 70, 90, 100."""


DATA: Final[Mapping[CallbackType, type[Data]]] = MappingProxyType(
    {
        CallbackType.MEETING_PROVISIONED: MeetingData,
        CallbackType.MEETING_PROVISIONING_FAILING: MeetingTroubleData,
        CallbackType.MEETING_UPDATED: MeetingData,
        CallbackType.MEETING_RESCHEDULED: MeetingRescheduledData,
        CallbackType.MEETING_TORN_DOWN: MeetingData,
        CallbackType.MEETING_FAILED: MeetingTroubleData,
        CallbackType.MEETING_STARTED: MeetingMomentData,
        CallbackType.MEETING_ENDED: MeetingMomentData,
        CallbackType.ATTENDANCE_READY: MeetingMomentData,
        CallbackType.PARTICIPANT_JOINED: ParticipantData,
        CallbackType.PARTICIPANT_LEFT: ParticipantData,
        CallbackType.CONNECTION_LINKED: ConnectionData,
        CallbackType.CONNECTION_NEEDS_REAUTH: ConnectionData,
        CallbackType.CONNECTION_REVOKED: ConnectionData,
        CallbackType.CONNECTION_UNLINKED: ConnectionData,
        CallbackType.ENDPOINT_FAILING: EndpointData,
        CallbackType.ENDPOINT_DISABLED: EndpointData,
        CallbackType.ENDPOINT_RECOVERED: EndpointData,
    }
)


STATES: Final = frozenset(
    {
        CallbackType.MEETING_PROVISIONED,
        CallbackType.MEETING_PROVISIONING_FAILING,
        CallbackType.MEETING_UPDATED,
        CallbackType.MEETING_RESCHEDULED,
        CallbackType.MEETING_TORN_DOWN,
        CallbackType.MEETING_FAILED,
        CallbackType.CONNECTION_LINKED,
        CallbackType.CONNECTION_NEEDS_REAUTH,
        CallbackType.CONNECTION_REVOKED,
        CallbackType.CONNECTION_UNLINKED,
    }
)
"""Types that tell the whole state of their subject: a later one says all that an earlier one did.
The others report what happened, and none of them replaces another."""


class Callback(Schema):
    """One callback event, before it has an id and a time: what `announce` decides."""

    type: CallbackType
    data: Data


class Envelope(Schema):
    """The body that is sent: Standard Webhooks' `type`, `timestamp`, `data`, and the feed's id."""

    id: str
    type: CallbackType
    timestamp: Moment
    data: dict[str, Any]
