"""Which changes of a calendar concern a meeting? Turns a page into units of the right size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from infra.lanes import IndexDrop, IndexSet, Item, Lane, Post, RankDrop, RankSet, Unit
from infra.records import saved
from schemas.events import CalledOff, Change, Event, Gone, Occurrence, Sighting
from schemas.items import OccurrenceSeen, Sighted, write_load
from schemas.meetings import meeting_id
from schemas.policy import Policy
from workers.domain.exceptions import called_off, differing, is_over, stood
from workers.runtime import Runtime

STRAYS_AT_MOST: Final = 1_000
POSTS_A_COMMIT: Final = 48
"""Below the engine's 64, so that a page's last step has room."""


@dataclass(frozen=True, slots=True)
class _Reading:
    generation: int
    hints: int
    trace: str
    full: bool
    """Then meetings look also at what has not changed: the rules may have."""


@dataclass(slots=True)
class Sightings:
    """The events of one calendar that some meeting is, or ought to be, about."""

    runtime: Runtime
    tenant: str
    calendar: str
    policy: Policy
    strays: list[Occurrence]
    """What earlier pages of this reading told of series that they did not show; goes on to the
    next page."""
    _known: dict[str, Sighting] = field(default_factory=dict)

    async def units(
        self,
        changes: Sequence[Change],
        *,
        generation: int,
        hints: int,
        trace: str,
        full: bool,
    ) -> list[Unit]:
        """The commits that a page asks for, in order; at least one. Events that no rule wants and
        that no meeting is about leave nothing behind."""
        changes = _last_words([*self._at_home(changes), *changes])
        await self._look_up(changes)
        changes = self._in_order(changes)
        reading = _Reading(generation, hints, trace, full)
        units = [Unit()]
        for change in changes:
            if len(units[-1].posts) >= POSTS_A_COMMIT:
                units.append(Unit())
            self._take(change, units[-1], reading)
        return units

    async def _look_up(self, changes: Sequence[Change]) -> None:
        names = {_event_of(change) for change in changes}
        keys = [Sighting.key(self.calendar, name) for name in sorted(names)]
        found = await self.runtime.store.documents.get_many(self.tenant, Sighting, keys)
        self._known = {one.event.id: one for one in found if one is not None}

    def _take(self, change: Event | Occurrence | Gone, unit: Unit, reading: _Reading) -> None:
        known = self._known.get(_event_of(change))
        match change:
            case Event():
                self._take_event(change, known, unit, reading)
            case Occurrence():
                if known is not None:
                    self._take_occurrence(change, known, unit, reading)
                elif len(self.strays) < STRAYS_AT_MOST:
                    self.strays.append(change)
            case Gone():
                if known is not None:
                    drop_sighting(unit, self.runtime, self.tenant, known, trace=reading.trace)
                    del self._known[known.event.id]
            case _:
                assert_never(change)

    def _take_event(
        self, event: Event, known: Sighting | None, unit: Unit, reading: _Reading
    ) -> None:
        if known is None and not self._concerns_us(event):
            return
        unit.rank.append(RankSet(f"events:{self.calendar}", event.id, reading.generation))
        changed = known is None or known.event != event
        if not changed and not reading.full:
            return
        sighting = self._sighting(event, known)
        if changed:
            self._put(sighting, unit)
            unit.index.append(IndexSet(f"sightings:{sighting.meeting}", sighting.id, ""))
        sighted = Sighted(
            calendar=self.calendar, event=event.id, hints=reading.hints, trace=reading.trace
        )
        unit.posts.append(self._post(sighting.meeting, write_load(sighted)))

    def _at_home(self, changes: Sequence[Change]) -> list[Occurrence]:
        """The strays whose series is shown now; they are strays no longer."""
        shown = {one.id for one in changes if isinstance(one, Event)}
        found = [one for one in self.strays if one.event in shown]
        self.strays[:] = [one for one in self.strays if one.event not in shown]
        return found

    def _in_order(self, changes: Sequence[Change]) -> list[Event | Occurrence | Gone]:
        """Series before what differs in them, whichever way a page shows them; and what is called
        off of a series one by one, so that each is a step of its own."""
        now = self.runtime.now()
        plain = [one for one in changes if isinstance(one, Event | Gone)]
        told = [one for one in changes if isinstance(one, Occurrence)]
        for one in changes:
            if isinstance(one, CalledOff):
                told += called_off(one, self._known.get(one.event))
        return [*plain, *(one for one in told if not is_over(one, now))]

    def _take_occurrence(
        self, occurrence: Occurrence, known: Sighting, unit: Unit, reading: _Reading
    ) -> None:
        """Keep what differs, and have it named in the timeline: once, however often it is told."""
        if occurrence == stood(known, occurrence):
            return
        kept = differing(known.exceptions, occurrence, self.runtime.now())
        self._put(known.model_copy(update={"exceptions": kept}), unit)
        seen = OccurrenceSeen(calendar=self.calendar, occurrence=occurrence, trace=reading.trace)
        unit.posts.append(self._post(known.meeting, write_load(seen)))

    def _put(self, sighting: Sighting, unit: Unit) -> None:
        """Store it with this unit, in place of what the unit would store of it already."""
        earlier = next((one for one in unit.puts if one.id == sighting.id), None)
        if earlier is not None:
            unit.puts.remove(earlier)
            sighting = sighting.model_copy(update={"rev": earlier.rev})
        unit.puts.append(sighting)
        self._known[sighting.event.id] = saved(sighting)

    def _concerns_us(self, event: Event) -> bool:
        """Whether a rule wants the event now, or it is a room's, whose agenda shows them all. Our
        own mark in it alone says nothing: a copied event carries the mark of another meeting
        (DESIGN §6)."""
        if self.calendar in self.policy.rooms:
            return True
        return self.policy.verdict(event, self.runtime.now()).wish is not None

    def _sighting(self, event: Event, known: Sighting | None) -> Sighting:
        if known is not None:
            return known.model_copy(update={"event": event})
        return Sighting(
            id=Sighting.key(self.calendar, event.id),
            calendar=self.calendar,
            meeting=meeting_id(self.tenant, "calendar", event.ical_uid),
            event=event,
            first_seen_at=self.runtime.now(),
        )

    def _post(self, meeting: str, body: bytes) -> Post:
        lane = Lane(self.tenant, "meeting", meeting)
        return Post(lane, Item(self.runtime.new_id("it"), body))


def drop_sighting(
    unit: Unit, runtime: Runtime, tenant: str, sighting: Sighting, *, trace: str
) -> None:
    """Forget an event that is gone, and let its meeting look."""
    forget_sighting(unit, sighting)
    sighted = Sighted(calendar=sighting.calendar, event=sighting.event.id, trace=trace)
    lane = Lane(tenant, "meeting", sighting.meeting)
    unit.posts.append(Post(lane, Item(runtime.new_id("it"), write_load(sighted))))


def forget_sighting(unit: Unit, sighting: Sighting) -> None:
    """Forget an event that is over: its meeting keeps what it has, and need not look."""
    unit.drops.append(sighting)
    unit.index.append(IndexDrop(f"sightings:{sighting.meeting}", sighting.id))
    unit.rank.append(RankDrop(f"events:{sighting.calendar}", sighting.event.id))


def _last_words(changes: Sequence[Change]) -> list[Change]:
    """A page may show an event twice; what it shows last is true."""
    last = {_event_of(c): place for place, c in enumerate(changes) if not _of_series(c)}
    return [
        change
        for place, change in enumerate(changes)
        if _of_series(change) or last[_event_of(change)] == place
    ]


def _of_series(change: Change) -> bool:
    return isinstance(change, Occurrence | CalledOff)


def _event_of(change: Change) -> str:
    return change.id if isinstance(change, Event) else change.event
