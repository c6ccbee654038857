"""The only calls to a provider for a meeting: one command in, one outcome out. Decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

from infra.errors import (
    Conflict,
    InSession,
    NeedsReauth,
    NotSent,
    RateLimited,
    Refused,
    StoreAway,
    StoreFull,
    TryLater,
    Unknown,
    Vanished,
)
from schemas import commands as does
from schemas.connections import Calendar
from schemas.events import Carried
from schemas.meetings import Conference
from workers.access import with_access
from workers.ports import Access, Calendars, Conferences
from workers.runtime import Runtime

T = TypeVar("T")

WHILE_IN_SESSION = timedelta(minutes=5)
AFTER_A_CHANGE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """For whom a command is carried out."""

    runtime: Runtime
    tenant: str
    meeting: str

    def now(self) -> datetime:
        """The present moment."""
        return self.runtime.now()


async def execute(  # noqa: C901, PLR0911 - one line a command
    command: does.Act, job: Job, *, send_by: float
) -> does.Outcome:
    """Carry the command out and name what came of it.

    `send_by` bounds a create: a monotonic instant after which nothing is sent (ENGINE 26). Raises
    StoreAway when our own store does not answer; nothing else.
    """
    match command:
        case does.ProvisionConference():
            return await _outcome(lambda: _provision(command, job, send_by), job)
        case does.FindConference():
            return await _outcome(lambda: _find(command, job), job)
        case does.UpdateConference():
            return await _outcome(lambda: _update(command, job), job)
        case does.ConfirmConference():
            return await _outcome(lambda: _confirm(command, job), job)
        case does.TearDownConference():
            return await _outcome(lambda: _tear_down(command, job), job)
        case does.WriteJoinDetails():
            return await _outcome(lambda: _write(command, job), job)
        case does.RemoveJoinDetails():
            return await _remove(command, job)
        case does.ChangeEvent():
            return await _outcome(lambda: _change(command, job), job)
        case _:
            assert_never(command)


async def _outcome(  # noqa: C901, PLR0911 - one line a remedy
    act: Callable[[], Awaitable[does.Outcome]], job: Job
) -> does.Outcome:
    """Name every remedy as an outcome. The order matters: the first ones are kinds of TryLater."""
    try:
        return await act()
    except (StoreAway, StoreFull):
        raise
    except NotSent as error:
        return does.NotSent(reason=str(error))
    except Unknown as error:
        return does.OutcomeUnknown(reason=str(error))
    except RateLimited as error:
        return does.Later(reason=str(error), until=error.until)
    except TryLater as error:
        until = job.now() + error.after if error.after else None
        return does.Later(reason=str(error), until=until)
    except NeedsReauth as error:
        return does.LinkDown(reason=error.reason, missing_scopes=tuple(sorted(error.missing)))
    except Refused as error:
        return does.Refused(reason=error.reason)
    except InSession as error:
        return does.Later(reason=str(error), until=job.now() + WHILE_IN_SESSION)
    except (Conflict, Vanished) as error:
        return does.Later(reason=str(error), until=job.now() + AFTER_A_CHANGE)


async def _provision(command: does.ProvisionConference, job: Job, send_by: float) -> does.Outcome:
    async def create(port: Conferences, access: Access) -> Conference:
        home = replace(access, event=command.event)
        return await port.create(home, command.slot, command.reference, send_by=send_by)

    conference = await _at_conferencing(job, command.connection, create)
    return does.Provisioned(conference=conference)


async def _find(command: does.FindConference, job: Job) -> does.Outcome:
    async def look(port: Conferences, access: Access) -> Conference | None:
        home = replace(access, event=command.event)
        found = await port.find(home, command.slot, command.reference, since=command.since)
        ours = [one for one in found if await _unclaimed(job, command.connection, one.conference)]
        return ours[0].conference if ours else None

    conference = await _at_conferencing(job, command.connection, look)
    if conference is None:
        return does.NothingFound()
    return does.Provisioned(conference=conference, adopted=True)


async def _unclaimed(job: Job, connection: str, conference: Conference) -> bool:
    """An adopted conference is claimed in the ledger, so that no other meeting takes it."""
    ledger = job.runtime.store.index
    owner = await ledger.get(job.tenant, f"ledger:{connection}", conference.id)
    return owner is None or owner == job.meeting


async def _update(command: does.UpdateConference, job: Job) -> does.Outcome:
    async def act(port: Conferences, access: Access) -> Conference | None:
        updated = await port.update(access, command.conference, command.slot)
        # Zoom says 404 now and then for what exists (moodle-mod_zoom#346): a second look decides.
        return updated or await port.read(access, command.conference)

    conference = await _at_conferencing(job, command.conference.connection, act)
    return does.Updated(conference=conference) if conference else does.ConferenceMissing()


async def _confirm(command: does.ConfirmConference, job: Job) -> does.Outcome:
    async def act(port: Conferences, access: Access) -> Conference | None:
        return await port.read(access, command.conference)

    conference = await _at_conferencing(job, command.conference.connection, act)
    return does.StillThere(conference=conference) if conference else does.ConferenceMissing()


async def _tear_down(command: does.TearDownConference, job: Job) -> does.Outcome:
    async def act(port: Conferences, access: Access) -> None:
        await port.delete(access, command.conference)

    await _at_conferencing(job, command.conference.connection, act)
    return does.TornDown()


async def _write(command: does.WriteJoinDetails, job: Job) -> does.Outcome:
    calendar = await _calendar(job, command.target.calendar)

    async def act(port: Calendars, access: Access) -> does.Outcome:
        written = await port.write_link(
            access, calendar.provider_id, command.target, meeting=job.meeting
        )
        return does.JoinDetailsWritten(target=written)

    return await _at_calendar(job, calendar, act)


async def _change(command: does.ChangeEvent, job: Job) -> does.Outcome:
    calendar = await _calendar(job, command.calendar)

    async def act(port: Calendars, access: Access) -> does.Outcome:
        etags = await port.show_slot(access, calendar.provider_id, command.event, command.slot)
        carried = Carried(
            calendar=command.calendar,
            event=command.event,
            slot=command.slot.fingerprint,
            etags=etags,
        )
        return does.EventChanged(carried=carried)

    return await _at_calendar(job, calendar, act)


async def _remove(command: does.RemoveJoinDetails, job: Job) -> does.Outcome:
    async def act() -> does.Outcome:
        calendar = await _calendar(job, command.target.calendar)

        async def remove(port: Calendars, access: Access) -> None:
            await port.remove_link(access, calendar.provider_id, command.target)

        await _at_calendar(job, calendar, remove)
        return does.JoinDetailsRemoved(target=command.target)

    outcome = await _outcome(act, job)
    match outcome:
        case does.LinkDown(reason=reason) | does.Refused(reason=reason):
            return does.JoinDetailsRemoved(target=command.target, left=reason)
        case _:
            return outcome


async def _calendar(job: Job, calendar: str) -> Calendar:
    found = await job.runtime.store.documents.get(job.tenant, Calendar, calendar)
    if found is None:
        raise NeedsReauth(f"calendar {calendar} is watched no more")
    return found


async def _at_conferencing(
    job: Job, connection: str, act: Callable[[Conferences, Access], Awaitable[T]]
) -> T:
    async def call(provider: str, access: Access) -> T:
        return await act(job.runtime.conferences[provider], access)

    return await with_access(job.runtime, job.tenant, connection, call)


async def _at_calendar(
    job: Job, calendar: Calendar, act: Callable[[Calendars, Access], Awaitable[T]]
) -> T:
    async def call(provider: str, access: Access) -> T:
        return await act(job.runtime.calendars[provider], access)

    return await with_access(job.runtime, job.tenant, calendar.connection, call)
