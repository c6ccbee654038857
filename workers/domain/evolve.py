"""What do we have now? A meeting after an outcome. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from schemas.commands import (
    Achieved,
    Act,
    ConferenceMissing,
    EventChanged,
    JoinDetailsRemoved,
    JoinDetailsWritten,
    Later,
    LinkDown,
    NothingFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    ProvisionConference,
    Provisioned,
    Refused,
    StillThere,
    TornDown,
    Undone,
    Updated,
)
from schemas.events import Carried
from schemas.meetings import (
    Intent,
    Meeting,
    Trouble,
    Try,
    Written,
    is_complete,
    is_settled,
    join_link,
    next_number,
    shown_slot,
)
from workers.domain.truth import CALLED_OFF, looked_at

LONG = timedelta(minutes=1)
"""A wait that partners should hear of."""


def intend(meeting: Meeting, command: ProvisionConference, now: datetime) -> Meeting:
    """The meeting with the intent to create, to be stored before the create is sent."""
    intent = Intent(
        connection=command.connection,
        reference=command.reference,
        slot=command.slot,
        number=command.number,
        started_at=now,
    )
    earlier = tuple(t for t in meeting.tries if t.number != command.number)
    tries = (*earlier, Try(number=command.number, started_at=now))
    return meeting.model_copy(update={"intent": intent, "tries": tries, "changed_at": now})


def evolve(meeting: Meeting, outcome: Outcome, now: datetime, *, of: Act) -> Meeting:
    """The meeting after this outcome `of` a command.

    The command matters where a create may be open: that a *find* could not be sent, or was refused,
    says nothing about the create, and forgetting that one would make a second conference.
    """
    match outcome:
        case NotSent() | OutcomeUnknown() | Later() | Refused() | LinkDown():
            about = _create_failed(meeting, outcome) if of.do == "provision" else meeting
            return _failed(about, outcome, now)
        case NothingFound():  # a fact, but no progress: what led to the search still counts
            change: dict[str, object] = {"intent": _next_try(meeting, now)}
        case _:
            change = {**_achieved(meeting, outcome, now), "trouble": None}
    return settle(meeting.model_copy(update={**change, "changed_at": now}))


def settle(meeting: Meeting) -> Meeting:
    """The meeting with what partners are to be told of, and rid of a trouble that is over."""
    change: dict[str, object] = {}
    wanted = meeting.wish is not None or meeting.given_link is not None
    if wanted and is_settled(meeting):
        change = {"told": join_link(meeting), "told_slot": shown_slot(meeting)}
    elif not wanted and meeting.conference is None:
        change = {"told": None}
    if is_complete(meeting):
        change["trouble"] = None
    return meeting.model_copy(update=change) if change else meeting


def _achieved(  # noqa: C901, PLR0911 - one case an outcome
    meeting: Meeting, outcome: Achieved, now: datetime
) -> dict[str, object]:
    match outcome:
        case Provisioned(conference=conference):
            return {"conference": conference, "intent": None, "doubted": False}
        case Updated(conference=conference):
            return {"conference": conference, "doubted": False}
        case StillThere(conference=conference):
            looked = looked_at(meeting, conference)
            return {"conference": looked.conference, "wish": looked.wish, "doubted": False}
        case ConferenceMissing() if meeting.wish is not None and meeting.wish.truth:
            ended = {"wish": None, "because": CALLED_OFF, "called_off": now}
            return {**_without_conference(meeting), **ended}
        case ConferenceMissing() | TornDown():
            return _without_conference(meeting)
        case JoinDetailsWritten(target=target):
            return {"written": (*_without(meeting, target), target)}
        case JoinDetailsRemoved(target=target):
            return {"written": _without(meeting, target)}
        case EventChanged(carried=carried):
            return {"carried": _carried(meeting, carried)}
        case _:
            assert_never(outcome)


def _without_conference(meeting: Meeting) -> dict[str, object]:
    again = meeting.generation + 1
    none: dict[str, object] = {"conference": None, "intent": None, "tries": (), "doubted": False}
    return {**none, "generation": again}


def _carried(meeting: Meeting, carried: Carried) -> Carried:
    """What we last saw of the event is older than our write, whatever version that met."""
    seen = (meeting.authoritative.event.etag,) if meeting.authoritative else ()
    return carried.model_copy(update={"etags": (*seen, *carried.etags)})


def _create_failed(meeting: Meeting, outcome: Undone) -> Meeting:
    """What the outcome of a create says of its intent."""
    match outcome:
        case OutcomeUnknown():
            return meeting
        case NotSent():
            return _unsent(meeting)
        case Later() | Refused() | LinkDown():
            return undone(meeting)
        case _:
            assert_never(outcome)


def _failed(meeting: Meeting, outcome: Undone, now: datetime) -> Meeting:
    return _troubled(
        meeting,
        outcome.reason,
        now,
        until=outcome.until if isinstance(outcome, Later) else None,
        grave=isinstance(outcome, LinkDown),
        parked=isinstance(outcome, Refused),
    )


def waiting(meeting: Meeting, reason: str, now: datetime) -> Meeting:
    """The meeting while a link is down: said once, and again only if the reason changes."""
    if meeting.trouble is not None and meeting.trouble.reason == reason:
        return meeting
    return _troubled(meeting, reason, now, grave=True)


def retried(meeting: Meeting) -> Meeting:
    """The meeting after a person, a re-link or a new wish asked to try again."""
    return meeting.model_copy(update={"trouble": None})


def undone(meeting: Meeting) -> Meeting:
    """The meeting without its intent: nothing was made, so the try never was."""
    if meeting.intent is None:
        return meeting
    kept = tuple(entry for entry in meeting.tries if entry.number != meeting.intent.number)
    return meeting.model_copy(update={"intent": None, "tries": kept})


def _next_try(meeting: Meeting, now: datetime) -> Intent | None:
    """An unsent intent for the next number: the quarantine of all earlier tries is behind us."""
    if meeting.wish is None:
        return None
    return Intent(
        connection=meeting.wish.connection,
        reference=meeting.intent.reference if meeting.intent else "",
        slot=meeting.wish.slot,
        number=next_number(meeting),
        started_at=now,
        sent=False,
    )


def _unsent(meeting: Meeting) -> Meeting:
    if meeting.intent is None:
        return meeting
    return meeting.model_copy(update={"intent": meeting.intent.model_copy(update={"sent": False})})


def _without(meeting: Meeting, target: Written) -> tuple[Written, ...]:
    here = (target.calendar, target.event)
    return tuple(w for w in meeting.written if (w.calendar, w.event) != here)


def _troubled(
    meeting: Meeting,
    reason: str,
    now: datetime,
    *,
    until: datetime | None = None,
    grave: bool = False,
    parked: bool = False,
) -> Meeting:
    before = meeting.trouble
    times = before.times + 1 if before else 1
    long = until is not None and until - now > LONG
    trouble = Trouble(
        reason=reason,
        since=before.since if before else now,
        until=until,
        times=times,
        grave=grave or parked or long or times > 1,
        parked=parked,
    )
    return meeting.model_copy(update={"trouble": trouble, "changed_at": now})
