"""What does a run over a meeting start from? Its items, its sightings, its ask, its policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from infra.lanes import Claimed, Item, Lane, Post, Unit
from schemas.callbacks import Callback, Cause
from schemas.connections import Calendar, Connection
from schemas.events import Occurrence, Sighting
from schemas.items import (
    Asked,
    Doubted,
    DriftFound,
    Extra,
    Happened,
    LinkChanged,
    Load,
    Made,
    OccurrenceSeen,
    Sighted,
    read_load,
    write_load,
)
from schemas.meetings import Ask, AskSeen, EventCopy, EventsSeen, Meeting, Seen
from schemas.policy import Leading, Link, Policy, PolicyRules
from schemas.providers import PROVIDERS, Role
from workers.domain.announce import Telling, report
from workers.domain.evolve import retried
from workers.domain.notice import notice
from workers.jobs.meeting_timeline import note
from workers.runtime import Runtime

SIGHTINGS_AT_MOST: Final = 100
"""Watched calendars that one event is looked up on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What lay in the lane, and the unit that takes it out."""

    claimed: Claimed
    runtime: Runtime
    loads: Sequence[Load]
    unit: Unit
    trace: str

    @property
    def meeting(self) -> str:
        """The meeting's id: the lane's subject."""
        return self.claimed.lane.subject

    def note(self, what: str, words: str = "", **fields: str | int) -> None:
        """One entry of the meeting's timeline."""
        entry = note(self.runtime, self.meeting, what, words, trace=self.trace, **fields)
        self.unit.logs.append(entry)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that was read before anything is decided, and the unit it already asks for."""

    stored: Meeting
    noticed: Meeting
    policy: Policy
    cause: Cause
    trace: str
    unit: Unit
    happened: Sequence[Happened]
    telling: Telling

    def reported(self, meeting: Meeting) -> tuple[Meeting, list[Callback]]:
        """The meeting after its reports, and their callbacks."""
        said: list[Callback] = []
        for one in self.happened:
            if meeting.conference is not None and meeting.conference.id == one.conference:
                meeting, callbacks = report(meeting, one, self.telling)
                said.extend(callbacks)
        return meeting, said


async def gather(claimed: Claimed, runtime: Runtime) -> Inputs | None:
    """Read everything one run needs. None when there is no such meeting and nothing shows one."""
    heard = _hear(claimed, runtime)
    tenant, subject = claimed.lane.tenant, claimed.lane.subject
    stored, seen = await look(runtime, tenant, subject)
    stored = stored or new_meeting(subject, seen, runtime)
    if stored is None:
        return None
    policy = await policy_in_force(runtime, tenant, stored, seen)
    cause = _cause(heard.loads)
    _note_loads(heard)
    _sweep_what_others_made(heard, stored)
    return Inputs(
        stored=stored,
        noticed=_notice(stored, seen, policy, heard),
        policy=policy,
        cause=cause,
        trace=heard.trace,
        unit=heard.unit,
        happened=[load for load in heard.loads if isinstance(load, Happened)],
        telling=Telling(tenant, cause, heard.trace, runtime.now()),
    )


def _hear(claimed: Claimed, runtime: Runtime) -> Heard:
    """What the items say; an unreadable one is set aside and the lane goes on (ENGINE 13)."""
    loads: list[Load] = []
    unreadable: list[str] = []
    for item in claimed.items:
        try:
            loads.append(read_load(item.body))
        except ValidationError:
            unreadable.append(item.id)
    trace = next((t for load in loads if (t := getattr(load, "trace", ""))), runtime.new_id("tr"))
    unit = Unit(handled=[item.id for item in claimed.items])
    heard = Heard(claimed, runtime, loads, unit, trace)
    for name in unreadable:
        heard.note("item.unreadable", "an item that no release wrote was set aside", item=name)
    return heard


async def look(runtime: Runtime, tenant: str, meeting: str) -> tuple[Meeting | None, Seen]:
    """The meeting, and what is to be seen of it: its ask, or the events that show it."""
    [stored], ask = await runtime.store.documents.get_beside(
        tenant, Meeting, [meeting], beside=(Ask, meeting)
    )
    if ask is not None:
        return stored, AskSeen(ask=ask)
    rows = await runtime.store.index.all(tenant, f"sightings:{meeting}", SIGHTINGS_AT_MOST)
    found = await runtime.store.documents.get_many(tenant, Sighting, list(rows))
    copies = (
        EventCopy(
            calendar=one.calendar,
            event=one.event,
            exceptions=one.exceptions,
            first_seen_at=one.first_seen_at,
        )
        for one in found
        if one is not None and not one.gone
    )
    return stored, EventsSeen(copies=tuple(copies))


def new_meeting(subject: str, seen: Seen, runtime: Runtime) -> Meeting | None:
    """The meeting before anything was done for it; None if nothing shows one."""
    now = runtime.now()
    match seen:
        case AskSeen(ask=ask):
            return Meeting(
                id=subject,
                origin="application",
                identity=f"{ask.application}/{ask.external_id}",
                application=ask.application,
                created_at=now,
                changed_at=now,
            )
        case EventsSeen(copies=copies):
            if not copies:
                return None
            return Meeting(
                id=subject,
                origin="calendar",
                identity=copies[0].event.ical_uid,
                created_at=now,
                changed_at=now,
            )


def _notice(stored: Meeting, seen: Seen, policy: Policy, heard: Heard) -> Meeting:
    """The meeting with today's wish and doubts; a re-link starts afresh, as a new wish does."""
    noticed = noticed_afresh(seen, stored, policy, heard.runtime.now())
    there = noticed.conference.id if noticed.conference else None
    drifted = any(isinstance(load, DriftFound) for load in heard.loads)
    named = (load.conference for load in heard.loads if isinstance(load, Doubted))
    if there is not None and (drifted or there in named):
        noticed = noticed.model_copy(update={"doubted": True})
    relinked = any(isinstance(load, LinkChanged) for load in heard.loads)
    return retried(noticed) if relinked or drifted else noticed


def noticed_afresh(seen: Seen, stored: Meeting, policy: Policy, now: datetime) -> Meeting:
    """The meeting with today's wish; a wish that is new is tried at once."""
    noticed = notice(seen, stored, policy, now)
    changed = (noticed.wish, noticed.given_link) != (stored.wish, stored.given_link)
    return retried(noticed) if changed else noticed


async def policy_in_force(runtime: Runtime, tenant: str, meeting: Meeting, seen: Seen) -> Policy:
    """The tenant's rules with every connection that they, the ask or the meeting name."""
    [rules], leading = await runtime.store.documents.get_beside(
        tenant, PolicyRules, ["policy"], beside=(Leading, meeting.id)
    )
    rules = rules or PolicyRules(id="policy")
    named = {rule.conferencing for rule in rules.rules} | {rules.default or ""}
    needs = (meeting.wish, meeting.conference, meeting.intent)
    named |= {need.connection for need in needs if need is not None}
    rooms = {} if isinstance(seen, AskSeen) else await _rooms(runtime, tenant, seen)
    named |= set(rooms.values())
    if isinstance(seen, AskSeen):
        leading = None
        named.add(getattr(seen.ask.conferencing, "connection", ""))
    ids = sorted(named - {"", "default"})
    found = await runtime.store.documents.get_many(tenant, Connection, ids)
    links = {one.id: _link(one, runtime) for one in found if one is not None}
    truth = leading.truth if leading is not None else None
    return Policy(rules=rules.rules, default=rules.default, links=links, rooms=rooms, truth=truth)


async def _rooms(runtime: Runtime, tenant: str, seen: EventsSeen) -> dict[str, str]:
    """The rooms among the calendars that show the event."""
    names = sorted({copy.calendar for copy in seen.copies})
    found = await runtime.store.documents.get_all(tenant, Calendar, names)
    return {one.id: one.room for one in found if one.room is not None}


def _link(connection: Connection, runtime: Runtime) -> Link:
    provider = PROVIDERS[connection.provider]
    seconds = runtime.settings.quarantine_s.get(provider.name)
    quarantine = provider.quarantine if seconds is None else timedelta(seconds=seconds)
    usable = connection.usable and connection.role is Role.CONFERENCING
    return Link(
        connection=connection.id,
        provider=provider.name,
        usable=usable,
        reason="" if usable else f"connection {connection.id}: {connection.state.value}",
        host=connection.account.id,
        can_lead=provider.can_lead,
        in_event=provider.lives_in_event,
        derived=provider.conference_is_derived,
        quarantine=quarantine,
        find_first=connection.reconciled_epoch != str(runtime.store.epoch.current),
    )


def _cause(loads: Sequence[Load]) -> Cause:
    for load in loads:
        match load:
            case Asked(actor=actor):
                return Cause(by="application", because=f"asked by {actor.kind} {actor.id}".strip())
            case Sighted():
                return Cause(by="calendar", because="the event was seen")
            case DriftFound(actor=actor):
                return Cause(by="worker", because=f"reconciled by {actor.kind} {actor.id}".strip())
            case Doubted() | Happened():
                return Cause(by="provider", because="the provider reported it")
            case LinkChanged(connection=connection):
                return Cause(by="worker", because=f"connection {connection} was linked again")
            case _:
                continue
    return Cause(by="worker", because="work that was waiting went on")


def _note_loads(heard: Heard) -> None:  # noqa: C901 - one case an item
    """The timeline's first entries: what was heard."""
    for load in heard.loads:
        match load:
            case Sighted(calendar=calendar, event=event, hints=hints):
                words = f"after {hints} notifications" if hints else "by a reading on schedule"
                heard.note("event.seen", words, calendar=calendar, event=event)
            case Asked(actor=actor):
                heard.note("meeting.asked", actor=f"{actor.kind} {actor.id}")
            case Doubted(conference=conference):
                words = "the provider says that it changed or went"
                heard.note("conference.doubted", words, conference=conference)
            case DriftFound(actor=actor, words=words):
                heard.note("meeting.drifted", words, actor=f"{actor.kind} {actor.id}")
            case Happened(conference=conference, what=what):
                heard.note(f"conference.{what}", conference=conference)
            case OccurrenceSeen(occurrence=one):
                _note_occurrence(heard, one)
            case LinkChanged(connection=connection):
                heard.note("connection.changed", connection=connection)
            case _:
                continue


def _note_occurrence(heard: Heard, one: Occurrence) -> None:
    what = "restored" if one.what == "usual" else one.what
    to = {"to": one.starts_at.isoformat()} if one.starts_at else {}
    words = "one conference serves the whole series, wherever its occurrences are"
    heard.note(f"occurrence.{what}", words, original_start=one.original_start, **to)


def _sweep_what_others_made(heard: Heard, stored: Meeting) -> None:
    """A worker that lost its claim told us what it made: kept if it is ours by now, else swept."""
    for load in heard.loads:
        if not isinstance(load, Made):
            continue
        if stored.conference is not None and stored.conference.id == load.conference:
            continue
        extra = Extra(meeting=stored.id, reference=load.reference)
        lane = Lane(heard.claimed.lane.tenant, "connection", load.connection)
        item = Item(heard.runtime.new_id("it"), write_load(extra))
        heard.unit.posts.append(Post(lane, item))
