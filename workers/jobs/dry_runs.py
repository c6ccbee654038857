"""What would be done about a meeting or an event? Decided as ever, printed, and not done (B-3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, assert_never

from schemas.commands import (
    ChangeEvent,
    Command,
    ConfirmConference,
    FindConference,
    ProvisionConference,
    RemoveJoinDetails,
    TearDownConference,
    UpdateConference,
    Wait,
    WriteJoinDetails,
)
from schemas.desk import DeskAnswer, DryRunEvent, DryRunMeeting, PlannedCall
from schemas.events import Event, Sighting
from schemas.meetings import (
    AskSeen,
    EventCopy,
    EventsSeen,
    Meeting,
    Seen,
    meeting_id,
    truth_of,
)
from schemas.providers import PROVIDERS
from workers.domain.rehearse import rehearse
from workers.jobs.desk import Desk
from workers.jobs.meeting_inputs import look, new_meeting, noticed_afresh, policy_in_force
from workers.jobs.questions import read_event

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "update": "Change the conference to what is wanted now.",
        "confirm": "Read whether the conference still exists.",
        "tear_down": "Delete the conference.",
        "write": "Write the join link into the event.",
        "remove": "Take our join link out of the event.",
        "change": "Let the event show the conference's title and times.",
    }
)
NO_EVENT: Final = "The calendar has no such event (any more): there is nothing to provision."


async def dry_run(desk: Desk, ask: DryRunMeeting | DryRunEvent) -> DeskAnswer:
    """The calls that would be made, in words. A second run writes as little as the first."""
    if isinstance(ask, DryRunMeeting):
        return await _answer(desk, ask.wanted.id, AskSeen(ask=ask.wanted))
    return await _of_event(desk, ask)


async def _of_event(desk: Desk, ask: DryRunEvent) -> DeskAnswer:
    """What the event as it is now leads to. It is read at its calendar, and that is all."""
    found = await read_event(desk, ask.calendar, ask.event)
    if not isinstance(found, Event):
        return desk.done(sentences=(NO_EVENT,))
    key = Sighting.key(ask.calendar, found.id)
    known = await desk.runtime.store.documents.get(desk.tenant, Sighting, key)
    name = known.meeting if known else meeting_id(desk.tenant, "calendar", found.ical_uid)
    fresh = EventCopy(
        calendar=ask.calendar,
        event=found,
        first_seen_at=known.first_seen_at if known else desk.runtime.now(),
    )
    _, seen = await look(desk.runtime, desk.tenant, name)
    others = seen.copies if isinstance(seen, EventsSeen) else ()
    copies = [copy for copy in others if (copy.calendar, copy.event.id) != (ask.calendar, found.id)]
    return await _answer(desk, name, EventsSeen(copies=(*copies, fresh)))


async def _answer(desk: Desk, name: str, seen: Seen) -> DeskAnswer:
    runtime, tenant = desk.runtime, desk.tenant
    stored = await runtime.store.documents.get(tenant, Meeting, name)
    stored = stored or new_meeting(name, seen, runtime)
    if stored is None:
        return desk.done(sentences=(NO_EVENT,))
    policy = await policy_in_force(runtime, tenant, stored, seen)
    now = runtime.now()
    noticed = noticed_afresh(seen, stored, policy, now)
    planned = rehearse(noticed, policy, runtime.reference_key, now)
    providers = {link.connection: link.provider for link in policy.links.values()}
    calls = tuple(_said(command, providers) for command in planned)
    return desk.done(calls=calls, sentences=tuple(_sentences(noticed, planned)))


def _sentences(meeting: Meeting, planned: list[Command]) -> list[str]:
    wanted = "A conference is wanted" if meeting.wish else "No conference of ours is wanted"
    said = [f"{wanted}: {meeting.because}.", f"The source of truth is the {truth_of(meeting)}."]
    if not planned:
        said.append("Everything is as it should be: no call would be made.")
    if planned and isinstance(planned[-1], Wait):
        wait = planned[-1]
        until = f"until {wait.until:%Y-%m-%d %H:%M:%S} UTC" if wait.until else "until somebody acts"
        said.append(f"Then it would wait {until}: {wait.reason}.")
    said.append("This was a dry run: nothing was written anywhere.")
    return said


def _said(command: Command, providers: dict[str, str]) -> PlannedCall:
    """The call in words that hold ids and moments; no titles, no links."""
    match command:
        case ProvisionConference(connection=connection) | FindConference(connection=connection):
            words = _at_provider(command, providers)
            return PlannedCall(do=command.do, connection=connection, words=words)
        case (
            UpdateConference(conference=there)
            | ConfirmConference(conference=there)
            | TearDownConference(conference=there)
        ):
            return PlannedCall(
                do=command.do,
                connection=there.connection,
                conference=there.id,
                words=WORDS[command.do],
            )
        case WriteJoinDetails(target=at) | RemoveJoinDetails(target=at):
            words = WORDS[command.do]
            return PlannedCall(do=command.do, calendar=at.calendar, event=at.event, words=words)
        case ChangeEvent(calendar=calendar, event=event):
            words = WORDS[command.do]
            return PlannedCall(do=command.do, calendar=calendar, event=event, words=words)
        case Wait(reason=reason):
            return PlannedCall(do=command.do, words=f"Wait: {reason}.")
        case _:
            assert_never(command)


def _at_provider(command: ProvisionConference | FindConference, providers: dict[str, str]) -> str:
    title = PROVIDERS[providers[command.connection]].title
    if isinstance(command, FindConference):
        return f"Look at {title} for what an earlier try may have made; it would be adopted."
    slot = command.slot
    when = f"{slot.starts_at:%Y-%m-%d %H:%M} to {slot.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"Make a conference at {title}, {when}."
