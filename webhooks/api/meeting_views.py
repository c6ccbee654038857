"""How does a meeting stand, from what was asked and what the workers have made of it?"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schemas.events import Slot
from schemas.grants import Allows
from schemas.meetings import (
    Ask,
    ByJoinUrl,
    Meeting,
    Status,
    join_link,
    meeting_id,
    status_of,
    truth_of,
)
from schemas.policy import Truth
from webhooks.api.granted import EITHER, granted_on_meeting
from webhooks.api.meeting_bodies import MeetingAnswer
from webhooks.api.operation import Call
from webhooks.api.problems import not_found

_OURS: Final = re.compile(r"mtg_[0-9a-f]{24}")
AT_REST: Final = frozenset({Status.PROVISIONED, Status.PARKED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is wanted and what is there; one of them is."""

    id: str
    ask: Ask | None
    meeting: Meeting | None

    def rests(self, now: datetime) -> bool:
        """Whether waiting longer would show nothing new."""
        return self.status(now) in AT_REST

    def status(self, now: datetime) -> Status:
        """Where it stands: no worker's work counts that was done for an older wish."""
        if self.ask is None:
            return Status.PENDING if self.meeting is None else status_of(self.meeting, now)
        if self.meeting is None or not _caught_up(self.ask, self.meeting):
            return Status.CANCELLING if self.ask.cancelled else Status.PENDING
        status = status_of(self.meeting, now)
        ended = self.ask.cancelled or self.meeting.called_off is not None
        if ended or status not in {Status.CANCELLED, Status.CANCELLING}:
            return status
        if status is Status.CANCELLING:  # what it no longer needs is being taken down
            return Status.PENDING
        # Nothing is wanted: as asked, or because it cannot be had until somebody acts.
        return Status.PROVISIONED if self.ask.conferencing == "none" else Status.PARKED


async def find(
    call: Call[Any],
    id_: str | None = None,
    *,
    by: Collection[Allows] = EITHER,
    what: str = "meeting",
) -> Standing:
    """The meeting that the path names, by the partner's id or by ours, if the caller's application
    made it, its key sees all, or a grant allows one of `by`. Raises Denied."""
    if id_ is None:
        name = call.path["meeting"]
        own = f"{call.caller.application}/{name}"
        id_ = name if _OURS.fullmatch(name) else meeting_id(call.tenant, "application", own)
    documents = call.front.store.documents
    ask = await documents.get(call.tenant, Ask, id_)
    meeting = await documents.get(call.tenant, Meeting, id_)
    made_by = ask.application if ask else meeting.application if meeting else None
    if ask is None and meeting is None:
        raise not_found(what)
    if not call.caller.sees(made_by) and not (
        meeting is not None and await granted_on_meeting(call, meeting, ask, by)
    ):
        raise not_found(what)
    return Standing(id_, ask, meeting)


def show(standing: Standing, now: datetime) -> MeetingAnswer:
    """The meeting as partners see it."""
    ask, meeting, status = standing.ask, standing.meeting, standing.status(now)
    slot = slot_of(standing)
    conference = meeting.conference if meeting else None
    trouble = meeting.trouble if meeting else None
    over = status in {Status.CANCELLING, Status.CANCELLED}
    return MeetingAnswer(
        id=standing.id,
        external_id=ask.external_id if ask else None,
        ical_uid=meeting.identity if meeting and meeting.origin == "calendar" else None,
        title=slot.title if slot else "",
        starts_at=slot.starts_at if slot else now,
        ends_at=slot.ends_at if slot else now,
        timezone=slot.timezone if slot else "UTC",
        status=status,
        join_url=join_link(meeting) if meeting and not over else None,
        provider=conference.provider if conference else None,
        conference=conference.id if conference else None,
        conferencing=ask.conferencing if ask else None,
        host=ask.host if ask else None,
        source_of_truth=_truth(standing),
        reason=trouble.reason if trouble else meeting.because if meeting else "",
        again_at=trouble.until if trouble else None,
    )


def slot_of(standing: Standing) -> Slot | None:
    """What is asked for; for a calendar's meeting what its event shows, or showed."""
    meeting = standing.meeting
    if standing.ask is not None:
        wish = meeting.wish if meeting else None
        return wish.slot if wish and wish.truth else standing.ask.slot
    if meeting is None:
        return None
    if meeting.authoritative is not None:
        return meeting.authoritative.event.slot
    if meeting.conference is not None:
        return meeting.conference.slot
    return meeting.wish.slot if meeting.wish else None


def _truth(standing: Standing) -> Truth:
    if standing.ask is not None:
        return standing.ask.source_of_truth
    return truth_of(standing.meeting) if standing.meeting else "calendar"


def _caught_up(ask: Ask, meeting: Meeting) -> bool:
    """Whether the worker has taken note of this ask, not of an earlier one."""
    if isinstance(ask.conferencing, ByJoinUrl) and not ask.cancelled:
        return meeting.given_link == ask.conferencing.join_url
    if meeting.given_link is not None:
        return False
    if ask.cancelled or ask.conferencing == "none":
        return meeting.wish is None
    if meeting.wish is None:  # it cannot be had; of when that is, only the clock tells
        return meeting.changed_at >= ask.asked_at
    if meeting.wish.truth and meeting.conference is not None:  # which says title and times
        return ask.source_of_truth == "conference"
    return meeting.wish.slot == ask.slot
