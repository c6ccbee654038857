"""Whatever is done on both sides, and whatever goes wrong, they agree in the end, and then rest."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Slot
from schemas.meetings import event_agrees, is_complete
from tests.domain.samples import copy, meeting, slot
from tests.domain.test_any_history import Goes, Passes, Runs
from tests.domain.test_two_way import (
    EVENING,
    LATER,
    RENAMED,
    Truth,
    at_provider,
    in_calendar,
    rests,
)
from tests.domain.world import FAULTS, World

SLOTS = st.sampled_from([slot(), RENAMED, LATER, EVENING])
STEPS = st.one_of(
    SLOTS.map(lambda one: ("calendar", one)),
    SLOTS.map(lambda one: ("conference", one)),
    st.lists(st.sampled_from(FAULTS), min_size=1, max_size=2).map(lambda w: Goes(tuple(w))),
    st.builds(Passes, st.integers(0, 3)),
    st.builds(Runs, st.integers(1, 3)),
    st.sampled_from(["syncs", "lags", "vanishes"]),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["calendar", "conference"]), st.lists(STEPS, max_size=10), SLOTS)
def test_whatever_both_sides_do_they_agree_in_the_end_and_rest(
    truth: Truth, history: list[object], last: Slot
) -> None:
    world = World(meeting(wish=None), truth=truth)
    world.shows((copy(organizer=True),))

    for step in history:
        _happens(world, step)
    world.shows((copy(organizer=True, slot=last),))
    rests(world)
    calls = world.made, world.writes, len(world.said)
    world.changes(at_provider(world)) if world.live else None
    rests(world)

    assert (world.made, world.writes, len(world.said)) == calls
    assert world.next_command() is None
    assert is_complete(world.meeting)
    assert world.most_live <= 1
    if world.live:
        assert in_calendar(world).agrees_with(at_provider(world))
        assert event_agrees(world.meeting)
    else:
        assert world.meeting.called_off is not None
    if truth == "calendar":
        assert at_provider(world) == last


def _happens(world: World, step: object) -> None:
    match step:
        case ("calendar", Slot() as shown):
            world.shows((copy(organizer=True, slot=shown),))
            world.run(steps=3)
        case ("conference", Slot() as shown):
            world.changes(shown)
            world.run(steps=3)
        case Goes(wrong=wrong):
            world.faults.extend(wrong)
        case Passes(minutes=minutes):
            world.passes(timedelta(minutes=minutes))
        case Runs(steps=steps):
            world.run(steps)
        case "lags" if not world.earlier:
            pass
        case str():
            getattr(world, step)()
        case _:
            raise AssertionError(step)
