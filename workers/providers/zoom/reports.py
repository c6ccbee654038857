"""What does a notification of Zoom mean to us? Reads the body that the receiver has believed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

from pydantic import ValidationError

from schemas.items import Doubted, Happened, Report
from schemas.wire.zoom_reports import Event, Thing
from workers.domain.reports import Deauthorized, HostGone, Told

LOOK_AGAIN: Final = frozenset(
    {"meeting.updated", "meeting.deleted", "meeting.permanently_deleted", "meeting.recovered"}
)
"""Hints: they come late, out of order and only in part, so the meeting is read instead."""

What = Literal["started", "ended", "participant_joined", "participant_left"]
HAPPENED: Final[Mapping[str, What]] = MappingProxyType(
    {
        "meeting.started": "started",
        "meeting.ended": "ended",
        "meeting.participant_joined": "participant_joined",
        "meeting.participant_left": "participant_left",
    }
)
HOST_GONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "user.deactivated": "the user was deactivated at Zoom",
        "user.disassociated": "the user left the Zoom account",
        "user.deleted": "the user was deleted at Zoom",
    }
)


def read_report(report: Report) -> Told | None:
    """What the report says; None when there is nothing to do. `meeting.created` is such: what we
    made is known from its answer, what others made is foreign."""
    try:
        event = Event.model_validate_json(report.body)
    except ValidationError:
        return None
    thing, payload = event.payload.object, event.payload
    if event.event in LOOK_AGAIN and thing.id:
        return Doubted(conference=thing.id, trace=report.trace)
    if event.event in HAPPENED and thing.id:
        return _happened(HAPPENED[event.event], thing, report)
    if event.event in HOST_GONE:
        return HostGone(user=thing.id, reason=HOST_GONE[event.event])
    if event.event == "app_deauthorized":
        at = _aware(payload.deauthorization_time, report.heard_at)
        return Deauthorized(user=payload.user_id, client=payload.client_id, at=at)
    return None


def _happened(what: What, thing: Thing, report: Report) -> Happened:
    who = thing.participant
    moments = {
        "started": thing.start_time,
        "ended": thing.end_time,
        "participant_joined": who.join_time,
        "participant_left": who.leave_time,
    }
    return Happened(
        conference=thing.id,
        what=what,
        at=_aware(moments[what], report.heard_at),
        participant=who.participant_uuid or who.id or who.user_id,
        name=who.user_name,
        trace=report.trace,
    )


def _aware(moment: datetime | None, otherwise: datetime) -> datetime:
    """Zoom's moments end in Z; one that does not is taken as UTC all the same."""
    if moment is None:
        return otherwise
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
