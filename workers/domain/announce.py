"""What should partners hear of a change? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from schemas.callbacks import (
    Callback,
    CallbackType,
    Cause,
    Data,
    MeetingData,
    MeetingMomentData,
    MeetingRescheduledData,
    MeetingTroubleData,
    MeetingView,
    ParticipantData,
    Times,
)
from schemas.events import Slot
from schemas.items import Happened
from schemas.meetings import Meeting, Trouble, shown_slot, status_of


@dataclass(frozen=True, slots=True)
class Telling:
    """What is the same for all callbacks of one change."""

    tenant: str
    cause: Cause
    trace: str
    now: datetime


def announce(before: Meeting, after: Meeting, telling: Telling) -> tuple[Meeting, list[Callback]]:
    """The callbacks of this change, numbered on, and the meeting that remembers the number."""
    said = [
        *_link_changes(before, after, telling),
        *_slot_changes(before, after, telling),
        *_troubles(before, after, telling),
    ]
    return _numbered(after, said)


def report(
    meeting: Meeting, happened: Happened, telling: Telling
) -> tuple[Meeting, list[Callback]]:
    """The callback of something that happened in the conference."""
    data = _data(meeting, meeting, telling)
    moment = MeetingMomentData(**dict(data), at=happened.at)
    match happened.what:
        case "started":
            said = Callback(type=CallbackType.MEETING_STARTED, data=moment)
        case "ended":
            said = Callback(type=CallbackType.MEETING_ENDED, data=moment)
        case "attendance_ready":
            said = Callback(type=CallbackType.ATTENDANCE_READY, data=moment)
        case "participant_joined" | "participant_left":
            kind = (
                CallbackType.PARTICIPANT_JOINED
                if happened.what == "participant_joined"
                else CallbackType.PARTICIPANT_LEFT
            )
            who = ParticipantData(
                **dict(moment), participant=happened.participant, name=happened.name
            )
            said = Callback(type=kind, data=who)
        case _:
            assert_never(happened.what)
    return _numbered(meeting, [said])


def _link_changes(before: Meeting, after: Meeting, telling: Telling) -> list[Callback]:
    if before.told == after.told:
        return []
    if after.told is None:
        gone = _data(before, after, telling)
        return [Callback(type=CallbackType.MEETING_TORN_DOWN, data=gone)]
    kind = CallbackType.MEETING_PROVISIONED if before.told is None else CallbackType.MEETING_UPDATED
    return [Callback(type=kind, data=_data(after, after, telling))]


def _slot_changes(before: Meeting, after: Meeting, telling: Telling) -> list[Callback]:
    """Said when people see the new slot, not when it is merely wanted."""
    old, new = before.told_slot, after.told_slot
    if before.told is None or after.told is None or not old or not new or old == new:
        return []
    data = _data(after, after, telling)
    if _times(old) == _times(new) and old.recurrence == new.recurrence:
        return [Callback(type=CallbackType.MEETING_UPDATED, data=data)]
    moved = MeetingRescheduledData(**dict(data), old=_times(old), new=_times(new))
    return [Callback(type=CallbackType.MEETING_RESCHEDULED, data=moved)]


def _troubles(before: Meeting, after: Meeting, telling: Telling) -> list[Callback]:
    trouble = after.trouble
    if trouble is None or not trouble.grave or _said(before.trouble, trouble):
        return []
    if trouble.parked:
        kind = CallbackType.MEETING_FAILED
    elif after.wish is not None:
        kind = CallbackType.MEETING_PROVISIONING_FAILING
    else:
        return []
    data = MeetingTroubleData(
        **dict(_data(after, after, telling)), reason=trouble.reason, again_at=trouble.until
    )
    return [Callback(type=kind, data=data)]


def _said(before: Trouble | None, after: Trouble) -> bool:
    return before is not None and before.grave and before.parked == after.parked


def _data(shows: Meeting, stands: Meeting, telling: Telling) -> MeetingData:
    slot = shown_slot(shows) or _last_slot(shows)
    conference = shows.conference if shows.given_link is None else None
    view = MeetingView(
        id=shows.id,
        external_id=shows.identity.partition("/")[2] if shows.origin == "application" else None,
        ical_uid=shows.identity if shows.origin == "calendar" else None,
        title=slot.title,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        timezone=slot.timezone,
        status=status_of(stands, telling.now),
        join_url=stands.told,
        provider=conference.provider if conference else None,
        conference=conference.id if conference else None,
    )
    return MeetingData(
        tenant=telling.tenant,
        subject=shows.id,
        sequence=1,
        cause=telling.cause,
        trace_id=telling.trace,
        meeting=view,
    )


def _last_slot(meeting: Meeting) -> Slot:
    """When it was to be, for a meeting that is neither wanted nor there: of a create that may have
    gone out, or as last told; a meeting that knows neither has only its birth."""
    if meeting.intent is not None:
        return meeting.intent.slot
    born = Slot(title="", starts_at=meeting.created_at, ends_at=meeting.created_at)
    return meeting.told_slot or born


def _times(slot: Slot) -> Times:
    return Times(starts_at=slot.starts_at, ends_at=slot.ends_at)


def _numbered(meeting: Meeting, said: list[Callback]) -> tuple[Meeting, list[Callback]]:
    first = meeting.sequence + 1
    numbered = [
        Callback(type=callback.type, data=_numbered_data(callback.data, first + place))
        for place, callback in enumerate(said)
    ]
    return meeting.model_copy(update={"sequence": meeting.sequence + len(said)}), numbered


def _numbered_data(data: Data, sequence: int) -> Data:
    return data.model_copy(update={"sequence": sequence})
