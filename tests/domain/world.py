"""What may happen to one meeting? A model of a provider, a calendar and a partner, with every
fault that a call can meet, in which the real core decides. Time passes when the core waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, assert_never, get_args

from schemas.callbacks import Callback, Cause
from schemas.commands import (
    Act,
    ChangeEvent,
    ConferenceMissing,
    ConfirmConference,
    EventChanged,
    FindConference,
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
    RemoveJoinDetails,
    StillThere,
    TearDownConference,
    TornDown,
    UpdateConference,
    Updated,
    Wait,
    WriteJoinDetails,
)
from schemas.events import Carried, Mark, Slot
from schemas.meetings import Ask, AskSeen, Conference, EventCopy, EventsSeen, Meeting, Seen
from schemas.policy import Policy
from tests.domain import samples
from workers.domain.announce import Telling, announce
from workers.domain.decide import decide
from workers.domain.evolve import evolve, intend, retried, waiting
from workers.domain.notice import notice
from workers.domain.references import reference

Fault = Literal[
    "not_sent",
    "later",
    "later_until",
    "refused",
    "link_down",
    "unknown_before",
    "unknown_after",
    "unknown_late",
    "crash_before",
    "crash_after",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
Sighting = tuple[EventCopy, ...] | Ask


@dataclass
class World:
    """All that exists: at the provider, in the calendars, with us."""

    meeting: Meeting
    seen: Sighting = ()
    earlier: Sighting = ()
    now: datetime = samples.NOW
    usable: dict[str, bool] = field(
        default_factory=lambda: {"con_zoom": True, "con_jitsi": True, "con_other": True}
    )
    new_epoch: bool = False
    truth: Literal["calendar", "conference"] = "calendar"
    live: dict[str, Conference] = field(default_factory=dict)
    most_live: int = 0
    late: list[tuple[datetime, ProvisionConference]] = field(default_factory=list)
    events: dict[tuple[str, str], EventCopy] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    said: list[Callback] = field(default_factory=list)
    writes: int = 0
    versions: int = 0
    made: int = 0

    def shows(self, sighting: Sighting) -> None:
        """The calendars, or the partner, now show this; what we wrote there is overwritten."""
        self.earlier, self.seen = self.seen, sighting
        if not isinstance(sighting, Ask):
            self.seen = tuple(self._versioned(row, row.event.mark) for row in sighting)
            self.events = {(row.calendar, row.event.id): row for row in self.seen}

    def lags(self) -> None:
        """A sighting comes late: we are shown once more what was there before."""
        self.seen = self.earlier

    def syncs(self) -> None:
        """Our own writes come back to us as sightings."""
        if not isinstance(self.seen, Ask):
            self.seen = tuple(self.events.values())

    def vanishes(self) -> None:
        """Somebody deletes the conference at the provider, and we are told to look."""
        self.live.clear()
        self.meeting = self.meeting.model_copy(update={"doubted": True})

    def changes(self, slot: Slot) -> None:
        """Somebody gives the conference another slot at the provider, and we are told to look."""
        for one in self.live.values():
            self.live[one.id] = one.model_copy(update=_shows(slot))
            self.meeting = self.meeting.model_copy(update={"doubted": True})

    def policy(self) -> Policy:
        """The rules, with the links as they are."""
        return samples.policy(
            samples.link(usable=self.usable["con_zoom"], find_first=self.new_epoch),
            samples.link("con_other", usable=self.usable["con_other"], reason="it was revoked"),
            samples.JITSI,
            truth=self.truth,
        )

    def passes(self, span: timedelta) -> None:
        """Time goes on, and what was under way at the provider arrives there."""
        self.now += span
        for due, command in [row for row in self.late if row[0] <= self.now]:
            self.late.remove((due, command))
            self._make(command)

    def look(self) -> None:
        """Take note of what is seen, as each run does first."""
        seen: Seen = (
            AskSeen(ask=self.seen)
            if isinstance(self.seen, Ask)
            else EventsSeen(copies=tuple(self.seen))
        )
        after = notice(seen, self.meeting, self.policy(), self.now)
        before = (self.meeting.wish, self.meeting.given_link)
        self._becomes(retried(after) if (after.wish, after.given_link) != before else after)

    def next_command(self) -> Act | Wait | None:
        """What the core would do now."""
        key = reference(b"key", self.meeting.id, self.meeting.generation)
        commands = decide(self.meeting, self.policy(), key, self.now)
        return commands[0] if commands else None

    def run(self, steps: int) -> None:
        """One run of a worker: look, then commands until one waits or nothing is left."""
        self.look()
        for _ in range(steps):
            command = self.next_command()
            if command is None:
                return
            if isinstance(command, Wait):
                if command.until is None:
                    self._becomes(waiting(self.meeting, command.reason, self.now))
                return
            self._carry_out(command)

    def settles(self) -> None:
        """Faults end, links are made good, a person retries: run until nothing is left."""
        self.faults.clear()
        self.usable = dict.fromkeys(self.usable, True)
        self._becomes(retried(self.meeting))
        self.look()
        for _ in range(40):
            command = self.next_command()
            if command is None:
                return
            if isinstance(command, Wait):
                assert command.until is not None, command.reason
                self.passes(command.until - self.now)
            self.run(steps=1)
        raise AssertionError(f"does not settle: {self.next_command()!r}")

    def standing(self) -> dict[tuple[str, str], str]:
        """Where a link of ours can be read, and which."""
        return {
            place: row.event.mark.join_url
            for place, row in self.events.items()
            if row.event.mark and row.event.mark.meeting == self.meeting.id
        }

    def _carry_out(self, command: Act) -> None:
        if isinstance(command, ProvisionConference):
            self._becomes(intend(self.meeting, command, self.now))
        outcome = self._outcome(command, self.faults.pop(0) if self.faults else None)
        if outcome is not None:
            self._becomes(evolve(self.meeting, outcome, self.now, of=command))

    def _outcome(self, command: Act, fault: Fault | None) -> Outcome | None:
        if fault is None:
            return self._effect(command)
        definite: dict[Fault, Outcome] = {
            "not_sent": NotSent(reason="no route"),
            "later": Later(reason="busy"),
            "later_until": Later(reason="quota", until=self.now + timedelta(hours=2)),
            "refused": Refused(reason="the plan does not allow it"),
            "link_down": LinkDown(reason="the token was revoked"),
        }
        if fault in definite:
            return definite[fault]
        if fault == "unknown_late":
            self._delay(command)
        elif fault.endswith("after"):
            self._effect(command)
        return None if fault.startswith("crash") else OutcomeUnknown(reason="no answer")

    def _delay(self, command: Act) -> None:
        if isinstance(command, ProvisionConference) and command.connection != "con_jitsi":
            self.late.append((self.now + samples.QUARANTINE, command))
        else:
            self._effect(command)

    def _effect(self, command: Act) -> Outcome:  # noqa: C901, PLR0911 - one case a command
        match command:
            case ProvisionConference():
                return Provisioned(conference=self._make(command))
            case FindConference(connection=connection, reference=wanted):
                found = [
                    one
                    for one in self.live.values()
                    if (one.connection, one.reference) == (connection, wanted)
                ]
                return Provisioned(conference=found[0], adopted=True) if found else NothingFound()
            case UpdateConference(conference=old, slot=slot):
                return self._updated(old.model_copy(update=_shows(slot)))
            case ConfirmConference(conference=old):
                there = self.live.get(old.id)
                return StillThere(conference=there) if there else ConferenceMissing()
            case TearDownConference(conference=old):
                self.live.pop(old.id, None)
                return TornDown()
            case WriteJoinDetails(target=target):
                mark = Mark(meeting=self.meeting.id, join_url=target.join_url)
                versions = self._write(target.calendar, target.event, mark)
                return JoinDetailsWritten(target=target.model_copy(update={"etags": versions}))
            case RemoveJoinDetails(target=target):
                self._write(target.calendar, target.event, None)
                return JoinDetailsRemoved(target=target)
            case ChangeEvent(calendar=calendar, event=event, slot=slot):
                shown, etags = slot.fingerprint, self._carry((calendar, event), slot)
                written = Carried(calendar=calendar, event=event, slot=shown, etags=etags)
                return EventChanged(carried=written)
            case _:
                assert_never(command)

    def _make(self, command: ProvisionConference) -> Conference:
        self.made += 1
        derived = command.connection == "con_jitsi"
        name = command.reference if derived else f"c{self.made}"
        one = samples.conference(
            id=name,
            connection=command.connection,
            join_url=f"https://meet.example/{name}",
            reference=command.reference,
            slot=command.slot,
        )
        self.live[name] = one
        self.most_live = max(self.most_live, len(self.live))
        return one

    def _updated(self, conference: Conference) -> Outcome:
        if conference.id not in self.live:
            return ConferenceMissing()
        self.live[conference.id] = conference
        return Updated(conference=conference)

    def _write(self, calendar: str, event: str, mark: Mark | None) -> tuple[str, str]:
        row = self.events.get((calendar, event))
        if row is None:
            return ("gone", "gone")
        self.writes += 1
        shown = self._versioned(row, mark)
        self.events[calendar, event] = shown
        return row.event.etag, shown.event.etag

    def _carry(self, place: tuple[str, str], slot: Slot) -> tuple[str, ...]:
        row = self.events.get(place)
        if row is None or row.event.slot.agrees_with(slot):
            return ("unchanged",)
        self.writes += 1
        after = row.event.model_copy(update={"slot": slot})
        shown = self._versioned(row.model_copy(update={"event": after}), row.event.mark)
        self.events[place] = shown
        return row.event.etag, shown.event.etag

    def _versioned(self, row: EventCopy, mark: Mark | None) -> EventCopy:
        self.versions += 1
        event = row.event.model_copy(update={"etag": f"v{self.versions}", "mark": mark})
        return row.model_copy(update={"event": event})

    def _becomes(self, after: Meeting) -> None:
        telling = Telling("acme", Cause(by="calendar"), "tr_1", self.now)
        self.meeting, said = announce(self.meeting, after, telling)
        self.said.extend(said)


def _shows(slot: object) -> dict[str, object]:
    return {"slot": slot, "shown": getattr(slot, "fingerprint", "")}
