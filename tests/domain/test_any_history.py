"""The two properties that carry the product (DESIGN §6): any history settles and then asks for
nothing; only the last sighting matters. And what must hold on the way, whatever goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.callbacks import CallbackType, MeetingRescheduledData
from schemas.events import Mark
from schemas.meetings import (
    ByConnection,
    ByJoinUrl,
    Conferencing,
    Status,
    is_complete,
    join_link,
    status_of,
)
from tests.domain import samples
from tests.domain.samples import PAST, SERIES, ask, copy, meeting, slot
from tests.domain.world import FAULTS, Fault, Sighting, World

SLOTS = [slot(), slot("Renamed"), slot(after=timedelta(hours=5)), SERIES]
COPIED = Mark(meeting="mtg_of_the_copied_event", join_url="https://zoom.us/j/9")


@dataclass(frozen=True)
class Goes:
    """The next calls go wrong like this."""

    wrong: tuple[Fault, ...]


@dataclass(frozen=True)
class Turns:
    """A connection is unlinked, or linked again."""

    connection: str
    usable: bool


@dataclass(frozen=True)
class Passes:
    """Time passes."""

    minutes: int


@dataclass(frozen=True)
class Runs:
    """A worker runs and is cut off after so many commands."""

    steps: int


Step = Sighting | Goes | Turns | Passes | Runs | str


@st.composite
def copies(draw: st.DrawFn, *, lasting: bool = False) -> Sighting:
    """What two calendars show: nothing, one copy or two, fit or unfit for a conference."""
    wanted = draw(st.sampled_from(SLOTS if lasting else [*SLOTS, PAST]))
    shown = draw(st.lists(st.sampled_from(["cal_a", "cal_b"]), unique=True, max_size=2))
    return tuple(
        copy(
            calendar,
            seen=timedelta(minutes=draw(st.integers(0, 1))),
            slot=wanted,
            location=draw(st.sampled_from(["zoom", "zoom", "Room 1, JITSI", "video call", "bar"])),
            all_day=draw(_rarely),
            cancelled=draw(_rarely),
            declined=draw(_rarely),
            foreign_link=draw(_rarely),
            organizer=draw(st.booleans()),
            mark=draw(st.sampled_from([None, None, COPIED])),
        )
        for calendar in shown
    )


_rarely = st.sampled_from([False] * 7 + [True])

CONFERENCING: list[Conferencing] = [
    "default",
    "none",
    ByConnection(connection="con_other"),
    ByConnection(connection="con_jitsi"),
    ByJoinUrl(join_url="https://own.example/room"),
]


@st.composite
def asks(draw: st.DrawFn, *, lasting: bool = False) -> Sighting:
    """What a partner asks for."""
    return ask(
        slot=draw(st.sampled_from(SLOTS if lasting else [*SLOTS, PAST])),
        conferencing=draw(st.sampled_from(CONFERENCING)),
        cancelled=draw(_rarely),
    )


def histories(sighting: st.SearchStrategy[Sighting]) -> st.SearchStrategy[list[Step]]:
    """Up to ten things that happen, in any order."""
    fault = st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3).map(
        lambda kinds: Goes(tuple(kinds))
    )
    step = st.one_of(
        sighting,
        fault,
        st.builds(Turns, st.sampled_from(["con_zoom", "con_other"]), st.booleans()),
        st.builds(Passes, st.integers(0, 3)),
        st.builds(Runs, st.integers(1, 4)),
        st.sampled_from(["syncs", "lags", "vanishes", "epoch"]),
    )
    return st.lists(step, max_size=10)


def live_through(world: World, history: list[Step]) -> None:  # noqa: C901 - one case a step
    """Let it all happen; a worker looks after each step."""
    for step in history:
        match step:
            case Goes(wrong=wrong):
                world.faults.extend(wrong)
            case Turns(connection=connection, usable=usable):
                world.usable[connection] = usable
            case Passes(minutes=minutes):
                world.passes(timedelta(minutes=minutes))
            case Runs(steps=steps):
                world.run(steps)
            case "syncs":
                world.syncs()
            case "lags" if world.seen and world.earlier:
                world.lags()
            case "lags":
                pass
            case "vanishes":
                world.vanishes()
            case "epoch":
                world.new_epoch = True
            case str():
                raise AssertionError(step)
            case _:
                world.shows(step)
                world.run(steps=3)


def world_of(sighting: Sighting) -> World:
    """A new meeting of a calendar event or of a partner."""
    if isinstance(sighting, tuple):
        return World(meeting(wish=None))
    return World(meeting(wish=None, origin="application", identity="app_1/x-1"))


def outcome(world: World) -> tuple[object, ...]:
    """What people can see of it in the end."""
    now = world.meeting
    made = now.conference
    told = now.told is not None
    return (
        now.wish,
        now.given_link,
        (made.connection, made.slot, made.shown) if made else None,
        sorted(world.standing()),
        told,
        now.told_slot if told else None,
        status_of(now, world.now),
    )


TROUBLES = (CallbackType.MEETING_FAILED, CallbackType.MEETING_PROVISIONING_FAILING)
EITHER = st.one_of(
    st.tuples(histories(copies()), copies(lasting=True)),
    st.tuples(histories(asks()), asks(lasting=True)),
)


@settings(max_examples=400, deadline=None)
@given(EITHER)
def test_any_history_settles_and_then_asks_for_nothing(
    story: tuple[list[Step], Sighting],
) -> None:
    history, last = story
    world = world_of(last)

    live_through(world, history)
    world.syncs()
    world.settles()
    calls = world.made, world.writes, len(world.said)
    world.syncs()
    world.settles()

    assert world.next_command() is None
    assert (world.made, world.writes, len(world.said)) == calls  # our echo decides to nothing


@settings(max_examples=400, deadline=None)
@given(EITHER)
def test_only_the_last_sighting_matters(story: tuple[list[Step], Sighting]) -> None:
    history, last = story
    world, fresh = world_of(last), world_of(last)

    live_through(world, history)
    world.shows(last)
    world.settles()
    fresh.shows(last)
    fresh.settles()

    assert outcome(world) == outcome(fresh)
    assert is_complete(world.meeting)
    assert world.meeting.trouble is None


@settings(max_examples=400, deadline=None)
@given(EITHER)
def test_there_are_never_two_conferences_and_the_one_is_the_one_we_hold(
    story: tuple[list[Step], Sighting],
) -> None:
    history, last = story
    world = world_of(last)

    live_through(world, history)
    world.shows(last)
    world.settles()
    world.passes(timedelta(minutes=10))

    assert world.most_live <= 1
    held = world.meeting.conference
    assert set(world.live) == ({held.id} if held else set())
    assert set(world.standing().values()) <= {join_link(world.meeting)}


@settings(max_examples=400, deadline=None)
@given(EITHER)
def test_what_partners_hear_adds_up_to_what_there_is(
    story: tuple[list[Step], Sighting],
) -> None:
    history, last = story
    world = world_of(last)

    live_through(world, history)
    world.shows(last)
    world.settles()

    assert [one.data.sequence for one in world.said] == list(range(1, len(world.said) + 1))
    link, at = None, None
    for one in world.said:
        data = one.data.model_dump()["meeting"]
        match one.type:
            case CallbackType.MEETING_PROVISIONED:
                assert link is None
                link, at = data["join_url"], (data["starts_at"], data["ends_at"])
            case CallbackType.MEETING_UPDATED:
                assert link is not None
                link = data["join_url"]
            case CallbackType.MEETING_RESCHEDULED:
                assert isinstance(one.data, MeetingRescheduledData)
                assert at == (one.data.old.starts_at, one.data.old.ends_at)
                at = (one.data.new.starts_at, one.data.new.ends_at)
            case CallbackType.MEETING_TORN_DOWN:
                assert link is not None
                link = None
            case _:
                assert one.type in TROUBLES
    assert link == world.meeting.told
    if world.meeting.told_slot is not None and link is not None:
        assert at == (world.meeting.told_slot.starts_at, world.meeting.told_slot.ends_at)


@settings(max_examples=200, deadline=None)
@given(EITHER, st.integers(0, 200))
def test_being_complete_means_that_nothing_is_decided(
    story: tuple[list[Step], Sighting], minutes: int
) -> None:
    history, last = story
    world = world_of(last)

    live_through(world, history)
    world.shows(last)
    world.look()
    world.passes(timedelta(minutes=minutes))
    untroubled = world.meeting.model_copy(update={"trouble": None})
    world.meeting = untroubled

    assert is_complete(untroubled) == (world.next_command() is None)


def test_a_history_without_faults_ends_provisioned_with_one_create_and_one_write() -> None:
    world = world_of(())
    world.shows((copy("cal_a"), copy("cal_b", organizer=True)))

    world.settles()

    assert (world.made, world.writes) == (1, 1)
    assert list(world.standing()) == [("cal_b", "ev")]
    assert status_of(world.meeting, samples.NOW) is Status.PROVISIONED
    assert [one.type for one in world.said] == [CallbackType.MEETING_PROVISIONED]
