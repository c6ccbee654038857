"""What would be done, without doing it? Decided by a worker as ever, and only printed (B-3)."""

from __future__ import annotations

from functools import partial
from typing import Any

from schemas.connections import Calendar
from schemas.desk import DryRunEvent, DryRunMeeting, PlannedCall
from schemas.meetings import meeting_id
from schemas.people import Scope
from schemas.problems import ProblemType
from webhooks.api.desk import Heard
from webhooks.api.lists import the
from webhooks.api.meeting_bodies import OURS, MeetingBody
from webhooks.api.meetings import ask_for
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import not_found, wrong_field
from webhooks.api.requests import WAITING, still_waiting


class DryRun(Shape):
    """The calls that would be made, in their order, as if all of them went well."""

    calls: tuple[PlannedCall, ...]
    sentences: tuple[str, ...]


async def dry_run_meeting(call: Call[MeetingBody]) -> Answer:
    """Nothing is stored but the question; no provider is asked anything."""
    external_id = call.path["meeting"]
    if external_id.startswith(OURS):
        raise wrong_field("meeting", f"Ids that begin with {OURS} are ours; name it by your own.")
    name = meeting_id(call.tenant, "application", f"{call.caller.application}/{external_id}")
    wanted = await ask_for(call, name, external_id, call.body)
    return _shown(await call.ask(DryRunMeeting(wanted=wanted), reads_only=True))


async def dry_run_event(call: Call[None]) -> Answer:
    """The event is read at its calendar; nothing is changed."""
    calendar = await the(call, Calendar, call.path["calendar"], "calendar")
    if not calendar.watched:
        raise not_found("calendar")
    ask = DryRunEvent(calendar=calendar.id, event=call.path["event"])
    group = f"connection:{calendar.connection}"
    return _shown(await call.ask(ask, group=group, reads_only=True))


def _shown(heard: Heard) -> Answer:
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(DryRun(calls=heard.answer.calls, sentences=heard.answer.sentences))


_row = partial(Operation[Any], gives=DryRun, also=WAITING, harmless=True)

ROWS: tuple[Row, ...] = (
    _row(
        name="dryRunMeeting",
        method="POST",
        path="/v1/meetings/{meeting}/dry-run",
        room="Meetings",
        needs=Scope.MEETINGS,
        says="What putting the meeting like this would do: the same decision, nothing done.",
        handle=dry_run_meeting,
        takes=MeetingBody,
    ),
    _row(
        name="dryRunEvent",
        method="POST",
        path="/v1/calendars/{calendar}/events/{event}/dry-run",
        room="Calendars",
        needs=Scope.MANAGE,
        says="Read the event at the provider now, and say which calls it would lead to.",
        handle=dry_run_event,
        problems=(ProblemType.NOT_LINKED, ProblemType.PROVIDER_REFUSED),
    ),
)
