"""Where does the model lead? Every state, the bad ones counted, the shortest way to the first."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.crash.model import Model
from tests.crash.states import Bounds, Rules, State


@dataclass
class Found:
    """What exploring found."""

    states: int = 0
    ends: int = 0
    twice: int = 0
    """States in which two conferences exist."""
    bad_ends: int = 0
    """End states without just the conference that the meeting holds."""
    history: list[str] = field(default_factory=list)
    """The shortest way to a bad one."""

    @property
    def bad(self) -> int:
        """How many states ought not to be."""
        return self.twice + self.bad_ends


def explore(rules: Rules, bounds: Bounds, *, until_bad: bool = False) -> Found:
    """Go every way from a meeting that wants a conference; `until_bad` ends with the first state
    that ought not to be."""
    model, found = Model(rules, bounds), Found()
    came: dict[State, tuple[State, str] | None] = {model.first: None}
    frontier = [model.first]
    while frontier and not (until_bad and found.bad):
        reached: list[State] = []
        for state in frontier:
            steps = list(model.steps(state))
            later = model.older(state)
            is_end = not steps and later == state
            if later is not None:
                steps.append(("time passes", later))
            for label, after in steps:
                tidy = after.tidy()
                if tidy not in came:
                    came[tidy] = (state, label)
                    reached.append(tidy)
            if _judge(model, state, found, is_end=is_end) and not found.history:
                found.history = _way(came, state)
        frontier = reached
    found.states = len(came)
    return found


def _judge(model: Model, state: State, found: Found, *, is_end: bool) -> bool:
    twice = len(state.live) > 1
    bad_end = is_end and not model.is_cut_off(state) and not model.is_good(state)
    found.ends += is_end
    found.twice += twice
    found.bad_ends += bad_end
    return twice or bad_end


def _way(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    labels: list[str] = []
    while (step := came[state]) is not None:
        state, label = step
        labels.append(label)
    return labels[::-1]
