"""What would be done if all went well? The commands of a meeting, imagined to their end. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

from schemas.commands import (
    Act,
    ChangeEvent,
    Command,
    ConfirmConference,
    EventChanged,
    FindConference,
    JoinDetailsRemoved,
    JoinDetailsWritten,
    NothingFound,
    Outcome,
    ProvisionConference,
    Provisioned,
    RemoveJoinDetails,
    StillThere,
    TearDownConference,
    TornDown,
    UpdateConference,
    Updated,
    Wait,
    WriteJoinDetails,
)
from schemas.events import Carried
from schemas.meetings import Conference, Meeting
from schemas.policy import Policy
from workers.domain.decide import decide
from workers.domain.evolve import evolve, intend
from workers.domain.references import reference

COMMANDS_AT_MOST: Final = 12
IMAGINED: Final = "https://dry-run.invalid/"


def rehearse(
    meeting: Meeting, policy: Policy, key: bytes, now: datetime, *, at_most: int = COMMANDS_AT_MOST
) -> list[Command]:
    """Every command that would be carried out, in order; a wait is the last one.

    The same `decide` as the worker's, over outcomes that are imagined: what is looked for is not
    found, everything else succeeds.
    """
    planned: list[Command] = []
    for _ in range(at_most):
        name = reference(key, meeting.id, meeting.generation)
        commands = decide(meeting, policy, name, now)
        if not commands:
            break
        command = commands[0]
        planned.append(command)
        if isinstance(command, Wait):
            break
        if isinstance(command, ProvisionConference):
            meeting = intend(meeting, command, now)
        meeting = evolve(meeting, _imagined(command, policy, now), now, of=command)
    return planned


def _imagined(  # noqa: C901 - one case a command
    command: Act, policy: Policy, now: datetime
) -> Outcome:
    outcome: Outcome
    match command:
        case ProvisionConference():
            outcome = Provisioned(conference=_made(command, policy, now))
        case FindConference():
            outcome = NothingFound()
        case UpdateConference(conference=conference, slot=slot):
            shown = {"slot": slot, "shown": slot.fingerprint}
            outcome = Updated(conference=conference.model_copy(update=shown))
        case ConfirmConference(conference=conference):
            outcome = StillThere(conference=conference)
        case TearDownConference():
            outcome = TornDown()
        case WriteJoinDetails(target=target):
            outcome = JoinDetailsWritten(target=target)
        case RemoveJoinDetails(target=target):
            outcome = JoinDetailsRemoved(target=target)
        case ChangeEvent(calendar=calendar, event=event, slot=slot):
            carried = Carried(calendar=calendar, event=event, slot=slot.fingerprint, etags=())
            outcome = EventChanged(carried=carried)
        case _:
            assert_never(command)
    return outcome


def _made(command: ProvisionConference, policy: Policy, now: datetime) -> Conference:
    link = policy.links[command.connection]
    return Conference(
        provider=link.provider,
        connection=link.connection,
        id="imagined",
        host=link.host,
        join_url=IMAGINED,
        reference=command.reference,
        shown=command.slot.fingerprint,
        slot=command.slot,
        made_at=now,
    )
