"""What does a meeting still need? Look, decide, do the first thing, commit, ask again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from infra.errors import ClaimLost
from infra.lanes import Claimed, IndexDrop, IndexSet, Item, Lane, Post, Unit
from infra.records import saved
from schemas import commands as does
from schemas.callbacks import Callback, Cause
from schemas.items import Extra, LinkBroken, Made, write_load
from schemas.meetings import Meeting
from schemas.policy import Policy
from workers.domain.announce import Telling, announce
from workers.domain.decide import decide
from workers.domain.evolve import evolve, intend, waiting
from workers.domain.patience import patient
from workers.domain.references import reference
from workers.domain.truth import difference
from workers.execute import Job, execute
from workers.jobs.held_back import NO_REPLICA, held_back
from workers.jobs.knowing_again import TIMER as RECONCILE
from workers.jobs.meeting_inputs import Inputs, gather
from workers.jobs.meeting_timeline import note, without_fixed_time
from workers.outbox import announce_into
from workers.runtime import Runtime

SEND_WITHIN: Final = timedelta(seconds=5)
"""A create leaves at most this long after its intent was sent to the store (ENGINE 26)."""
COMMANDS_A_RUN: Final = 12
AGAIN: Final = "again"
"""The timer of a meeting that is not done: a wait, or at once while a run is under way."""
RELINK_UNSEEN: Final = timedelta(minutes=10)
"""A meeting that waits for a link looks by itself, should the re-link have just missed it."""


@dataclass(slots=True)
class Work:
    """One run over one meeting: what it is now, and what the next commit will say of it."""

    claimed: Claimed
    runtime: Runtime
    policy: Policy
    cause: Cause
    trace: str
    stored: Meeting
    meeting: Meeting
    unit: Unit = field(default_factory=Unit)

    @property
    def tenant(self) -> str:
        """Whose meeting it is."""
        return self.claimed.lane.tenant

    def becomes(self, after: Meeting) -> None:
        """Take the next state, with the callbacks and the rows that its difference asks for."""
        telling = Telling(self.tenant, self.cause, self.trace, self.runtime.now())
        told, callbacks = announce(self.meeting, after, telling)
        _keep_ledger(self.unit, self.meeting, told)
        self.meeting = told
        self.say(callbacks)

    def say(self, callbacks: list[Callback]) -> None:
        """Callbacks that the next commit posts."""
        self.callbacks.extend(callbacks)

    callbacks: list[Callback] = field(default_factory=list)

    def note(self, what: str, words: str = "", **fields: str | int) -> None:
        """One entry of the meeting's timeline."""
        entry = note(self.runtime, self.meeting.id, what, words, trace=self.trace, **fields)
        self.unit.logs.append(entry)

    async def settle_unit(self) -> Unit:
        """The unit of the next commit: the meeting if it changed, its callbacks, its waits."""
        unit, self.unit = self.unit, Unit()
        if self.meeting != self.stored:
            unit.puts.append(self.meeting)
            self.stored = self.meeting = saved(self.meeting)
        callbacks, self.callbacks = self.callbacks, []
        about, now = self.meeting, self.runtime.now()
        await announce_into(unit, self.runtime, self.tenant, callbacks, about=about, now=now)
        return unit

    async def save(self) -> None:
        """Commit and keep the lane. What was heard is handled with this commit, so the timer says
        that the lane is not done: should this process die now, the next one goes on."""
        unit = await self.settle_unit()
        unit.timers[AGAIN] = timedelta(0)
        self.claimed = await self.runtime.save(self.claimed, unit)


async def provision_meeting(claimed: Claimed, runtime: Runtime) -> Unit:
    """Bring one meeting to where it ought to be.

    A second run starts from what the last commit knew: a create that may have gone out is looked
    for, everything else is safe to repeat, and what is done already asks for nothing.
    """
    inputs = await gather(claimed, runtime)
    if inputs is None:
        return Unit(handled=[item.id for item in claimed.items])
    work = _begin(claimed, runtime, inputs)
    for _ in range(COMMANDS_A_RUN):
        key = reference(runtime.reference_key, work.meeting.id, work.meeting.generation)
        commands = decide(work.meeting, work.policy, key, runtime.now())
        if not commands:
            break
        command = commands[0]
        if isinstance(command, does.Wait):
            _wait(work, command)
            break
        await _carry_out(work, command)
    else:
        work.unit.timers[AGAIN] = timedelta(seconds=1)
    work.unit.timers.setdefault(AGAIN, None)
    return await work.settle_unit()


def _begin(claimed: Claimed, runtime: Runtime, inputs: Inputs) -> Work:
    work = Work(
        claimed=claimed,
        runtime=runtime,
        policy=inputs.policy,
        cause=inputs.cause,
        trace=inputs.trace,
        stored=inputs.stored,
        meeting=inputs.stored,
        unit=inputs.unit,
    )
    work.becomes(inputs.noticed)
    work.meeting, said = inputs.reported(work.meeting)
    work.say(said)
    return work


def _wait(work: Work, wait: does.Wait) -> None:
    """Nothing to do until then; a link that is down is said, and the meeting listed as waiting."""
    now = work.runtime.now()
    if wait.until is not None:
        work.unit.timers[AGAIN] = wait.until - now
        return
    work.becomes(waiting(work.meeting, wait.reason, now))
    work.unit.timers[AGAIN] = RELINK_UNSEEN
    for connection in _needed(work.meeting):
        row = IndexSet(f"waiting:{connection}", work.meeting.id, "")
        work.unit.index.append(row)
    work.note("meeting.waiting", wait.reason)


def _needed(meeting: Meeting) -> set[str]:
    needs = (meeting.wish, meeting.conference, meeting.intent)
    return {need.connection for need in needs if need is not None}


async def _carry_out(work: Work, command: does.Act) -> None:
    sent = time.monotonic()
    if refusal := await held_back(command, work.runtime, work.tenant, work.policy.links):
        _conclude(work, command, refusal)
        return
    if isinstance(command, does.ProvisionConference):
        work.becomes(intend(work.meeting, command, work.runtime.now()))
        row = IndexSet(f"ledger:{command.connection}", command.reference, work.meeting.id)
        work.unit.index.append(row)
        work.note("conference.intended", connection=command.connection, number=command.number)
        sent = time.monotonic()
        await work.save()
        if not await work.runtime.store.epoch.replicated():
            _conclude(work, command, does.NotSent(reason=NO_REPLICA))
            return
    elif work.meeting != work.stored:
        await work.save()
    job = Job(work.runtime, work.tenant, work.meeting.id)
    outcome = await execute(command, job, send_by=sent + SEND_WITHIN.total_seconds())
    _conclude(work, command, outcome)
    if isinstance(command, does.ProvisionConference) and isinstance(outcome, does.Provisioned):
        await _save_what_was_made(work, command, outcome)


async def _save_what_was_made(
    work: Work, command: does.ProvisionConference, outcome: does.Provisioned
) -> None:
    """A worker whose commit is refused deletes nothing: it tells the meeting's lane (ENGINE 27)."""
    try:
        await work.save()
    except ClaimLost:
        made = Made(
            connection=command.connection,
            conference=outcome.conference.id,
            reference=command.reference,
            number=command.number,
            trace=work.trace,
        )
        lane = work.claimed.lane
        item = Item(work.runtime.new_id("it"), write_load(made))
        await work.runtime.store.lanes.post(Post(lane, item))
        raise


def _conclude(work: Work, command: does.Act, outcome: does.Outcome) -> None:
    """Note what came of a command, and set what must follow from it."""
    now = work.runtime.now()
    after = evolve(work.meeting, outcome, now, of=command)
    reason = getattr(outcome, "reason", "")
    work.note(f"{command.do}.{outcome.came}", reason or difference(outcome, work.meeting, after))
    work.becomes(patient(after, dice=work.runtime.dice(), now=now))
    if words := without_fixed_time(outcome):
        work.note("conference.without_fixed_time", words)
    if isinstance(outcome, does.LinkDown):
        _tell_connection(work, command, outcome)
    _ask_connection(work, command, outcome)


def _ask_connection(work: Work, command: does.Act, outcome: does.Outcome) -> None:
    """Its lane sweeps where an extra may exist, after an unknown outcome or a second try (ENGINE
    28), and ends the searching that a new epoch began (ENGINE 29)."""
    match command:
        case does.ProvisionConference(connection=connection, reference=named, number=number):
            if isinstance(outcome, does.OutcomeUnknown) or number > 1:
                extra = Extra(meeting=work.meeting.id, reference=named)
                _post_to_connection(work, connection, write_load(extra))
        case does.FindConference(connection=name) if work.policy.links[name].find_first:
            lane = Lane(work.tenant, "connection", name)
            work.unit.posts.append(Post(lane, timers={RECONCILE: timedelta(0)}))


def _tell_connection(work: Work, command: does.Act, down: does.LinkDown) -> None:
    """A call met a broken link: its lane decides what the connection now is (T27)."""
    connection = _connection_of(command)
    if connection is not None:
        broken = LinkBroken(reason=down.reason, missing_scopes=down.missing_scopes)
        _post_to_connection(work, connection, write_load(broken))
        work.unit.index.append(IndexSet(f"waiting:{connection}", work.meeting.id, ""))


def _connection_of(command: does.Act) -> str | None:
    match command:
        case (
            does.ProvisionConference(connection=connection)
            | does.FindConference(connection=connection)
        ):
            return connection
        case (
            does.UpdateConference(conference=conference)
            | does.ConfirmConference(conference=conference)
            | does.TearDownConference(conference=conference)
        ):
            return conference.connection
        case _:
            return None


def _post_to_connection(work: Work, connection: str, body: bytes) -> None:
    lane = Lane(work.tenant, "connection", connection)
    work.unit.posts.append(Post(lane, Item(work.runtime.new_id("it"), body)))


def _keep_ledger(unit: Unit, before: Meeting, after: Meeting) -> None:
    """The ledger's rows of a conference that came or went."""
    old, new = before.conference, after.conference
    if old is not None and (new is None or new.id != old.id):
        unit.index.append(IndexDrop(f"ledger:{old.connection}", old.id))
        unit.index.append(IndexDrop(f"ledger:{old.connection}", old.reference))
    if new is not None and (old is None or new.id != old.id):
        unit.index.append(IndexSet(f"ledger:{new.connection}", new.id, after.id))
