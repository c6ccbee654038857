"""B-18: are the measurements published, each with the command that makes it again?"""

from __future__ import annotations

import json

import pytest

from tests.bench.__main__ import BENCHES
from tests.bench.goals import GOALS, Goal
from tests.bench.page import RESULTS
from tests.results import PAGE, ROWS


@pytest.mark.parametrize("name", ROWS)
def test_what_was_reached_under_fire_stands_beside_its_command(name: str) -> None:
    [line] = [one for one in PAGE.read_text().splitlines() if one.startswith(f"| {name} | ")]
    _, wanted, reached, command = line.strip("| ").split(" | ", 3)

    assert (wanted, command.replace("\\|", "|")) == (ROWS[name].what, f"`{ROWS[name].command}`")
    assert not reached.startswith(("not run yet", "no figure"))


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.bench}-{goal.figure}")
def test_each_goal_has_its_figure_and_what_it_comes_from(goal: Goal) -> None:
    told = json.loads((RESULTS / f"{goal.bench}.json").read_text())

    assert goal.bench in BENCHES
    assert {goal.figure, "raw", "when"} <= told.keys()
    assert goal.words in (RESULTS / "README.md").read_text()
