"""What does each callback look like? One example a type, made of the models themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from schemas.callbacks import (
    DATA,
    CallbackType,
    Cause,
    ConnectionData,
    Data,
    EndpointData,
    Envelope,
    MeetingData,
    MeetingMomentData,
    MeetingRescheduledData,
    MeetingTroubleData,
    MeetingView,
    ParticipantData,
    Times,
)
from schemas.meetings import Status

_BEGIN: Final = datetime(2027, 1, 5, 9, 0, tzinfo=UTC)
_END: Final = datetime(2027, 1, 5, 10, 0, tzinfo=UTC)
_MEETING: Final = "mtg_4f1c2ab0d93e5a7788c0d1e2"
_STATUS: Final = {
    CallbackType.MEETING_PROVISIONING_FAILING: Status.FAILING,
    CallbackType.MEETING_FAILED: Status.PARKED,
    CallbackType.MEETING_TORN_DOWN: Status.CANCELLED,
}
_ENDPOINT: Final = "end_mfzgk4tfmq3tcnzsha2t"
_SUBJECTS: Final[Mapping[type[Data], str]] = {
    ConnectionData: "con_mfzgk4tfmq3tcnzsha2t",
    EndpointData: _ENDPOINT,
}
_PERCENT: Final = {
    CallbackType.ENDPOINT_FAILING: 50,
    CallbackType.ENDPOINT_DISABLED: 100,
    CallbackType.ENDPOINT_RECOVERED: 0,
}
_REASONS: Final = {
    CallbackType.CONNECTION_NEEDS_REAUTH: "zoom no longer accepts the grant: link it again",
    CallbackType.CONNECTION_REVOKED: "the app was removed at zoom",
}


def example(kind: CallbackType) -> Envelope:
    """A callback of this type, as its receiver would read it."""
    return Envelope(
        id="cb_mfzgk4tfmq3tcnzsha2t",
        type=kind,
        timestamp=_BEGIN,
        data=DATA[kind](**_facts(kind)).model_dump(mode="json"),
    )


def _facts(kind: CallbackType) -> dict[str, Any]:
    of = DATA[kind]
    facts: dict[str, Any] = {
        "tenant": "acme",
        "subject": _SUBJECTS.get(of, _MEETING),
        "sequence": 3,
        "cause": Cause(by="calendar", because="keyword “zoom” stands in its location"),
        "trace_id": "tr_mfzgk4tfmq3tcnzsha2t",
    }
    return {**facts, **_more(of, kind)}


def _more(of: type[Data], kind: CallbackType) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if issubclass(of, MeetingData):
        more["meeting"] = _meeting(_STATUS.get(kind, Status.PROVISIONED))
    if issubclass(of, MeetingRescheduledData):
        more["old"] = Times(starts_at=_BEGIN.replace(hour=7), ends_at=_BEGIN.replace(hour=8))
        more["new"] = Times(starts_at=_BEGIN, ends_at=_END)
    if issubclass(of, MeetingTroubleData):
        more["reason"] = "the host's 100 writes of today are used up"
        more["again_at"] = _END if kind is CallbackType.MEETING_PROVISIONING_FAILING else None
    if issubclass(of, MeetingMomentData):
        more["at"] = _BEGIN
    if issubclass(of, ParticipantData):
        more |= {"participant": "16778240", "name": "Ada"}
    if issubclass(of, EndpointData):
        more |= {
            "endpoint": _ENDPOINT,
            "reason": "the endpoint answered 503",
            "failing_since": _BEGIN,
            "percent": _PERCENT[kind],
        }
    if issubclass(of, ConnectionData):
        more |= {
            "connection": "con_mfzgk4tfmq3tcnzsha2t",
            "provider": "zoom",
            "account": "Acme Ltd",
            "reason": _REASONS.get(kind, ""),
        }
    return more


def _meeting(status: Status) -> MeetingView:
    there = status is Status.PROVISIONED
    return MeetingView(
        id=_MEETING,
        external_id="interview-4711",
        title="Interview with Ada",
        starts_at=_BEGIN,
        ends_at=_END,
        timezone="Europe/Berlin",
        status=status,
        join_url="https://zoom.us/j/85746065?pwd=…" if there else None,
        provider="zoom" if there else None,
        conference="85746065" if there else None,
    )
