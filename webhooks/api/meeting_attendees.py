"""Who was in a meeting? Asked at its conference's provider, or known from what we harvested."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final

from schemas.account_asks import ListAttendance, Span
from schemas.accounts import Found
from schemas.meetings import Conference
from schemas.people import Scope
from schemas.problems import ProblemType
from webhooks.api.account import REFUSALS
from webhooks.api.account_conferences import Attendances, attendances
from webhooks.api.meeting_views import find
from webhooks.api.operation import Answer, Call, Operation, Row
from webhooks.api.problems import Denied
from webhooks.api.requests import WAITING, still_waiting

ABOUT: Final = timedelta(days=7)
"""How far from its own times a conference may have been held."""


async def list_attendees(call: Call[None]) -> Answer:
    """Whoever may read the meeting may know; the account behind it stays its owner's."""
    meeting = (await find(call)).meeting
    if meeting is None or meeting.conference is None:
        raise Denied(
            ProblemType.NOT_PROVISIONED,
            "This meeting has no conference of ours that anybody could have been in. Read the"
            " meeting: `status` and `reason` say where it stands.",
        )
    conference = meeting.conference
    ask = ListAttendance(
        connection=conference.connection, conference=conference.id, span=_when(conference)
    )
    heard = await call.ask(ask, group=f"connection:{conference.connection}", reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return attendances(heard.answer.found or Found())


def _when(conference: Conference) -> Span | None:
    """When it was held, to be found again after the provider has forgotten it. A series has no such
    time: it is held again and again."""
    slot = conference.slot
    if slot.is_series:
        return None
    return Span(since=slot.starts_at - ABOUT, until=slot.ends_at + ABOUT)


_row = partial(Operation[Any], room="Meetings", needs=Scope.MEETINGS)

ROWS: tuple[Row, ...] = (
    _row(
        name="listMeetingAttendees",
        method="GET",
        path="/v1/meetings/{meeting}/attendees",
        says="Who was in a meeting that was held, once `attendance.ready` was told. Also after the"
        " provider has forgotten it, unless the meeting recurs.",
        handle=list_attendees,
        gives=Attendances,
        also=WAITING,
        problems=(*REFUSALS, ProblemType.NOT_PROVISIONED),
    ),
)
