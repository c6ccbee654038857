"""Why does a meeting stand as it does? Sentences for people, and the facts behind them (B-2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from infra.lanes import Lane, LaneState
from schemas.connections import Connection, LinkState, Reading
from schemas.events import Sighting
from schemas.meetings import Conference, Intent, Meeting, Status, Trouble, Try, truth_of
from schemas.people import Scope
from schemas.policy import Truth
from schemas.records import Moment
from webhooks.api.meeting_views import Standing, find, slot_of
from webhooks.api.operation import Answer, Call, Operation, Row, Shape

SIGHTINGS_SHOWN: Final = 50
LEADS: Final[Mapping[Truth, str]] = MappingProxyType(
    {
        "calendar": "The calendar is the source of truth: what is changed at the conference's"
        " provider is put back.",
        "application": "The application is the source of truth: what is changed at the conference's"
        " provider is put back.",
        "conference": "The conference is the source of truth: what is changed at its provider"
        " reaches the other side, and what is changed there is put back.",
    }
)


class SightingFacts(Shape):
    """An event of a watched calendar that shows the meeting."""

    calendar: str
    event: str
    gone: bool
    first_seen_at: Moment
    read_at: Moment | None
    """When the calendar was last read."""


class TryFacts(Shape):
    """A create that is under way, or whose outcome is unknown."""

    number: int
    started_at: Moment
    sent: bool


class ConferenceFacts(Shape):
    """What exists at the provider, as we know it."""

    id: str
    reference: str
    shown: str
    """Fingerprint of what it shows."""
    in_ledger: bool
    """Whether the ledger names it as ours."""


class LaneFacts(Shape):
    """What waits to be done about it."""

    waiting: int
    due: Moment | None
    at_work: bool
    failures: int
    parked: str | None
    held_back_by: str | None


class Facts(Shape):
    """What the sentences are made of: ids, versions and moments; no titles, links or tokens."""

    status: Status
    origin: str
    identity: str
    source_of_truth: Truth
    because: str
    wanted: str | None
    """Fingerprint of what is wanted."""
    connection: str | None
    connection_state: LinkState | None
    conference: ConferenceFacts | None
    generation: int
    under_way: TryFacts | None
    tries: tuple[Try, ...]
    trouble: Trouble | None
    sightings: tuple[SightingFacts, ...]
    lane: LaneFacts


class MeetingExplained(Shape):
    """Why a meeting stands as it does."""

    sentences: tuple[str, ...]
    facts: Facts


async def explain_meeting(call: Call[None]) -> Answer:
    """Composed from what is stored; nothing is asked of a provider, nothing changed."""
    facts = await _gather(call, await find(call))
    return Answer(MeetingExplained(sentences=tuple(_sentences(facts, call.now)), facts=facts))


async def _gather(call: Call[None], standing: Standing) -> Facts:
    meeting, store = _known(standing, call.now), call.front.store
    through = _connection_of(meeting)
    link = await store.documents.get(call.tenant, Connection, through) if through else None
    wanted = slot_of(standing) if standing.ask else meeting.wish.slot if meeting.wish else None
    cancelled = standing.ask is not None and standing.ask.cancelled
    return Facts(
        status=standing.status(call.now),
        origin=meeting.origin,
        identity=meeting.identity,
        source_of_truth=truth_of(meeting),
        because=meeting.because,
        wanted=wanted.fingerprint if wanted and not cancelled else None,
        connection=through,
        connection_state=link.state if link else None,
        conference=await _conference(call, meeting.conference),
        generation=meeting.generation,
        under_way=_under_way(meeting.intent),
        tries=meeting.tries,
        trouble=meeting.trouble,
        sightings=await _sightings(call, standing.id),
        lane=_lane(await store.lanes.state(Lane(call.tenant, "meeting", standing.id))),
    )


def _known(standing: Standing, now: datetime) -> Meeting:
    """The meeting, or what it is before a worker's first look."""
    ask = standing.ask
    return standing.meeting or Meeting(
        id=standing.id,
        origin="application",
        identity=f"{ask.application}/{ask.external_id}" if ask else "",
        because="no worker has looked at it yet",
        created_at=now,
        changed_at=now,
    )


def _connection_of(meeting: Meeting) -> str | None:
    if meeting.conference is not None:
        return meeting.conference.connection
    return meeting.wish.connection if meeting.wish else None


async def _conference(call: Call[None], conference: Conference | None) -> ConferenceFacts | None:
    if conference is None:
        return None
    ledger = f"ledger:{conference.connection}"
    owner = await call.front.store.index.get(call.tenant, ledger, conference.id)
    return ConferenceFacts(
        id=conference.id,
        reference=conference.reference,
        shown=conference.shown,
        in_ledger=owner is not None,
    )


async def _sightings(call: Call[None], meeting: str) -> tuple[SightingFacts, ...]:
    store = call.front.store
    keys = sorted(await store.index.all(call.tenant, f"sightings:{meeting}", SIGHTINGS_SHOWN))
    facts = []
    for key in keys:
        seen = await store.documents.get(call.tenant, Sighting, key)
        if seen is None:
            continue
        reading = await store.documents.get(call.tenant, Reading, seen.calendar)
        facts.append(
            SightingFacts(
                calendar=seen.calendar,
                event=seen.event.id,
                gone=seen.gone,
                first_seen_at=seen.first_seen_at,
                read_at=reading.read_at if reading else None,
            )
        )
    return tuple(facts)


def _under_way(intent: Intent | None) -> TryFacts | None:
    if intent is None:
        return None
    return TryFacts(number=intent.number, started_at=intent.started_at, sent=intent.sent)


def _lane(state: LaneState) -> LaneFacts:
    return LaneFacts(
        waiting=state.depth,
        due=state.due,
        at_work=state.held_until is not None,
        failures=state.failures,
        parked=state.parked,
        held_back_by=state.group if state.waits_at_gate else None,
    )


def _sentences(facts: Facts, now: datetime) -> Iterator[str]:
    yield f"The meeting is {facts.status}: {facts.because or 'nothing was decided yet'}."
    yield LEADS[facts.source_of_truth]
    yield from _of_conference(facts)
    if facts.connection_state not in {None, LinkState.LINKED}:
        yield f"Its connection {facts.connection} is {facts.connection_state}: link it again."
    if facts.under_way is not None:
        what = "may have reached the provider" if facts.under_way.sent else "was not sent"
        begun = _ago(facts.under_way.started_at, now)
        yield f"Create number {facts.under_way.number}, begun {begun}, {what}."
    if facts.trouble is not None:
        again = facts.trouble.until
        when = f"it is tried again at {again:%Y-%m-%d %H:%M:%S} UTC" if again else "it waits"
        yield (
            f"Trouble for the {_nth(facts.trouble.times)} time in a row, since"
            f" {_ago(facts.trouble.since, now)}: {facts.trouble.reason}; {when}."
        )
    for seen in facts.sightings:
        what = "no longer shows it" if seen.gone else "shows it"
        read = f"read {_ago(seen.read_at, now)}" if seen.read_at else "not read yet"
        yield f"Calendar {seen.calendar} {what} as event {seen.event}; it was {read}."
    yield from _of_lane(facts.lane)


def _of_conference(facts: Facts) -> Iterator[str]:
    there = facts.conference
    if there is None:
        yield "It has no conference."
        return
    agrees = facts.wanted is None or facts.wanted == there.shown
    what = "shows what is wanted" if agrees else "does not show yet what is wanted"
    names = f"reference {there.reference}, connection {facts.connection}"
    yield f"Conference {there.id} ({names}) {what}."
    if not there.in_ledger:
        yield "The ledger does not name it as ours, so it will not be deleted."


def _of_lane(lane: LaneFacts) -> Iterator[str]:
    if lane.failures:
        again = f", and is tried again at {lane.due:%H:%M:%S} UTC" if lane.due else ""
        yield f"Work on it failed {lane.failures} times in a row{again}."
    if lane.parked is not None:
        yield f"Work on it is parked until somebody acts: {lane.parked}."
    elif lane.held_back_by is not None:
        yield f"Work on it waits for the gate of {lane.held_back_by} to open."
    elif lane.at_work:
        yield "A worker is at it right now."
    elif lane.waiting:
        yield f"Things that wait to be handled: {lane.waiting}."


def _ago(moment: datetime, now: datetime) -> str:
    span = max(now - moment, timedelta(0))
    if span < timedelta(minutes=2):
        return f"{round(span.total_seconds())} s ago"
    if span < timedelta(hours=2):
        return f"{span // timedelta(minutes=1)} min ago"
    return f"{span // timedelta(hours=1)} h ago"


def _nth(times: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(times, f"{times}th")


_row = partial(Operation[Any], room="Meetings", needs=Scope.MEETINGS)

ROWS: tuple[Row, ...] = (
    _row(
        name="explainMeeting",
        method="GET",
        path="/v1/meetings/{meeting}/explain",
        says="Why the meeting stands as it does: sentences, and the facts they are made of.",
        handle=explain_meeting,
        gives=MeetingExplained,
    ),
)
