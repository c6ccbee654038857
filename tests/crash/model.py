"""Can two conferences ever come of one meeting? All that two workers may do, in every order.

The decisions are the product's own (`decide`, `intend`, `evolve`, `patient`, `fate`); this file
adds what is around them: claims that end under a living worker, crashes, answers that are lost, and
a provider that makes a conference late or never.

Time is relative: it makes everything older instead of later, so that the states are finite although
time is not. A tick is half a quarantine. A create takes effect within a tick of its sending or not
at all; that is what a quarantine is long enough for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from schemas.commands import (
    FindConference,
    Later,
    NothingFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    ProvisionConference,
    Provisioned,
    Wait,
)
from schemas.meetings import Meeting, Trouble, Try, is_complete
from tests.crash.states import Bounds, Create, Rules, State, Worker
from tests.domain import samples
from tests.domain.samples import NOW
from workers.domain.decide import decide
from workers.domain.evolve import evolve, intend
from workers.domain.patience import patient
from workers.domain.sweeping import Candidate, Lost, fate, is_open

QUARANTINE: Final = samples.QUARANTINE
TICK: Final = QUARANTINE / 2
OLD: Final = QUARANTINE  # beyond it nothing depends on age
REF: Final = "tl-ref"
TRIES: Final = (Try(number=1, started_at=NOW),)
DUE: Final = ("intends", "looks")
IDLE: Final = Worker()

Step = tuple[str, State]


class Model:
    """The steps that can be taken from a state."""

    def __init__(self, rules: Rules, bounds: Bounds) -> None:
        self._rules = rules
        self._bounds = bounds
        quarantine = QUARANTINE if rules.quarantine else timedelta(0)
        self._policy = samples.policy(samples.link(quarantine=quarantine))
        self._numbers: dict[Meeting, int] = {}
        self._meetings: list[Meeting] = []
        self._command = cache(self._decided)
        self._after = cache(self._concluded)
        self._aged = cache(self._older_meeting)
        self.first: Final = State(self._number(samples.meeting()))

    def is_cut_off(self, state: State) -> bool:
        """Whether it ends only because no more creates are allowed here."""
        return any(one.at == "sends" for one in state.workers)

    def is_good(self, state: State) -> bool:
        """Whether just the conference exists that the meeting holds."""
        meeting = self._meetings[state.stored]
        held = meeting.conference.id if meeting.conference else ""
        return is_complete(meeting) and [f"c{one.post}" for one in state.live] == [held]

    def steps(self, state: State) -> Iterator[Step]:
        """All that may happen next, but the passing of time."""
        for place in range(len(state.workers)):
            yield from self._of_worker(state, place)
        for create in state.flying:
            rest = tuple(one for one in state.flying if one != create)
            made = (*state.live, create._replace(age=0))
            yield f"create {create.post} takes effect", state._replace(flying=rest, live=made)
            yield f"create {create.post} is lost", state._replace(flying=rest)
        if state.ghost:
            yield "the claim of the dead ends", state._replace(ghost=False)
        yield from self._sweep(state)

    def older(self, state: State) -> State | None:
        """A tick later; None while a create must first end, one way or the other."""
        if any(one.age for one in state.flying):
            return None
        workers = (one._replace(meeting=self._aged(one.meeting)) for one in state.workers)
        return state._replace(
            stored=self._aged(state.stored),
            workers=tuple(workers),
            flying=tuple(one._replace(age=1) for one in state.flying),
        )

    def _of_worker(self, state: State, place: int) -> Iterator[Step]:
        worker, name = state.workers[place], "AB"[place]
        if worker.at != "idle":
            yield from self._misfortunes(state, place)
        match worker.at:
            case "idle":
                yield from self._claim(state, place)
            case "runs":
                yield f"{name} {self._command(worker.meeting)[0]}", self._run(state, place)
            case "sends":
                yield from self._send(state, place)
            case "waits":
                yield from self._hear(state, place)
            case "tells":
                yield f"{name} stores what it made", self._store_made(state, place)

    def _claim(self, state: State, place: int) -> Iterator[Step]:
        if state.free and (state.told or self._command(state.stored)[0] in DUE):
            claims = Worker("runs", holds=True, meeting=state.stored, heard=state.told)
            yield f"{'AB'[place]} claims", state.with_worker(place, claims)

    def _misfortunes(self, state: State, place: int) -> Iterator[Step]:
        worker, name = state.workers[place], "AB"[place]
        if state.crashes < self._bounds.crashes:
            dead = state.with_worker(place, IDLE)._replace(crashes=state.crashes + 1)
            yield f"{name} is killed", dead._replace(ghost=state.ghost or worker.holds)
        if worker.holds and state.pauses < self._bounds.pauses:
            lost = state.with_worker(place, worker._replace(holds=False))
            yield f"{name} pauses, its claim ends", lost._replace(pauses=state.pauses + 1)

    def _run(self, state: State, place: int) -> State:
        """Decide, and do the first thing: as `provision_meeting` does."""
        worker = state.workers[place]
        what, after = self._command(worker.meeting)
        if what == "intends":
            sends = worker._replace(at="sends", meeting=after)
            if not self._rules.intent:
                return state.with_worker(place, sends)
            return self._commit(state, place, sends)
        if what == "looks":
            found = f"c{state.live[0].post}" if state.live else ""
            after = self._after(worker.meeting, "found" if found else "nothing found", found)
            return state.with_worker(place, worker._replace(meeting=after))
        return self._commit(state, place, IDLE)

    def _send(self, state: State, place: int) -> Iterator[Step]:
        worker, name = state.workers[place], "AB"[place]
        intent = self._meetings[worker.meeting].intent
        if self._rules.prompt and intent is not None and intent.started_at < NOW:
            after = self._after(worker.meeting, "not sent", "")
            runs = worker._replace(at="runs", meeting=after)
            yield f"{name} is too late to send", state.with_worker(place, runs)
        elif state.posts < self._bounds.posts:
            post = state.posts + 1
            sent = state.with_worker(place, worker._replace(at="waits", post=post))
            late = intent is not None and intent.started_at <= NOW - OLD
            flying = (*state.flying, Create(post, late=late))
            yield f"{name} sends create {post}", sent._replace(flying=flying, posts=post)

    def _hear(self, state: State, place: int) -> Iterator[Step]:
        worker, name = state.workers[place], "AB"[place]
        runs = worker._replace(at="runs", post=0)
        if any(one.post == worker.post for one in state.live):
            after = self._after(worker.meeting, "found", f"c{worker.post}")
            tells = worker._replace(at="tells", meeting=after)
            yield f"{name} is answered", state.with_worker(place, tells)
        unheard = self._after(worker.meeting, "unknown", "")
        doubts = runs._replace(meeting=unheard, doubts=True)
        yield f"{name} hears nothing", state.with_worker(place, doubts)
        rest = tuple(one for one in state.flying if one.post != worker.post)
        if rest != state.flying:
            refused = runs._replace(meeting=self._after(worker.meeting, "later", ""))
            after_no = state.with_worker(place, refused)._replace(flying=rest)
            yield f"{name} is told to come later", after_no

    def _store_made(self, state: State, place: int) -> State:
        worker = state.workers[place]
        if self._accepts(worker):
            return self._commit(state, place, worker._replace(at="runs", post=0))
        gone = state.with_worker(place, IDLE)
        if self._rules.tells:
            return gone._replace(told=state.told | {worker.post})
        return gone._replace(live=tuple(one for one in state.live if one.post != worker.post))

    def _accepts(self, worker: Worker) -> bool:
        return worker.holds or not self._rules.claim

    def _commit(self, state: State, place: int, then: Worker) -> State:
        """Store what the worker knows, or refuse it."""
        worker = state.workers[place]
        if not self._accepts(worker):
            return state.with_worker(place, IDLE)
        known = then.meeting if then.at == "sends" else worker.meeting
        conference = self._meetings[known].conference
        held = int(conference.id[1:]) if conference else 0
        doubts = worker.doubts or bool(worker.heard - {held})
        after = state.with_worker(place, then._replace(heard=frozenset(), doubts=False))
        return after._replace(
            stored=known,
            told=state.told - worker.heard,
            doubted=doubts or state.doubted,
        )

    def _sweep(self, state: State) -> Iterator[Step]:
        """Two steps, as in life: look, then delete."""
        for post in state.victims:
            left = tuple(one for one in state.live if one.post != post)
            swept = state._replace(live=left, victims=state.victims - {post})
            yield f"the sweep deletes conference {post}", swept
        meeting = self._meetings[state.stored]
        if not state.doubted or state.victims or state.flying or is_open(meeting, REF, REF):
            return
        lost = (one.post for one in state.live if self._is_lost(one, meeting))
        yield "the sweep looks", state._replace(doubted=False, victims=frozenset(lost))

    def _is_lost(self, made: Create, meeting: Meeting) -> bool:
        at = NOW - timedelta(days=made.late)
        candidate = Candidate(f"c{made.post}", at, started=False)
        return isinstance(fate(candidate, meeting, TRIES, QUARANTINE), Lost)

    def _decided(self, meeting: int) -> tuple[str, int]:
        """What the core would do: a word for it, and the meeting after it."""
        known = self._meetings[meeting]
        for command in decide(known, self._policy, REF, NOW)[:1]:
            match command:
                case ProvisionConference():
                    return "intends", self._number(intend(known, command, NOW))
                case FindConference():
                    return "looks", meeting
                case Wait():
                    return "waits", meeting
                case _:
                    raise AssertionError(command)
        return "is done", meeting

    def _concluded(self, meeting: int, came: str, conference: str) -> int:
        known = self._meetings[meeting]
        made = samples.conference(id=conference, reference=REF)
        outcomes: dict[str, Outcome] = {
            "found": Provisioned(conference=made),
            "nothing found": NothingFound(),
            "not sent": NotSent(reason="too late"),
            "later": Later(reason="busy"),
            "unknown": OutcomeUnknown(reason="no answer"),
        }
        after = evolve(known, outcomes[came], NOW, of=self._last_command(known, came))
        return self._number(patient(after, dice=0.0, now=NOW))

    def _last_command(self, known: Meeting, came: str) -> ProvisionConference | FindConference:
        if known.intent is None or came == "nothing found":
            slot = samples.slot()
            return FindConference(connection="con_zoom", slot=slot, reference=REF, since=NOW)
        intent = known.intent
        return ProvisionConference(
            connection=intent.connection,
            slot=intent.slot,
            reference=intent.reference,
            number=intent.number,
        )

    def _older_meeting(self, meeting: int) -> int:
        known = self._meetings[meeting]
        change: dict[str, object] = {}
        if known.intent is not None:
            since = _older(known.intent.started_at)
            change["intent"] = known.intent.model_copy(update={"started_at": since})
        if known.trouble is not None:
            change["trouble"] = None  # its wait is shorter than a tick
        return self._number(known.model_copy(update=change))

    def _number(self, meeting: Meeting) -> int:
        """The number of a meeting, rid of what does not matter here."""
        trouble = meeting.trouble and Trouble(
            reason="", since=NOW, until=meeting.trouble.until, grave=meeting.trouble.grave
        )
        tries = tuple(Try(number=one.number, started_at=NOW) for one in meeting.tries)
        plain = meeting.model_copy(update={"changed_at": NOW, "trouble": trouble, "tries": tries})
        number = self._numbers.setdefault(plain, len(self._meetings))
        if number == len(self._meetings):
            self._meetings.append(plain)
        return number


def _older(moment: datetime) -> datetime:
    return max(moment - TICK, NOW - OLD)
