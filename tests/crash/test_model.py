"""Exactly one conference, by trying every order of everything; and what each rule is good for."""

from __future__ import annotations

import pytest

from tests.crash.exploring import explore
from tests.crash.states import Bounds, Rules

SMALL = Bounds(posts=2, crashes=1, pauses=1)
SEVERAL = Bounds(posts=3, crashes=1, pauses=1)
WHOLE = Bounds(posts=4, crashes=2, pauses=2)


def say(row: str, what: str, figure: str) -> None:
    print(f"\n[{row}] {what}: {figure}")


def test_no_order_of_a_crash_a_pause_and_three_creates_makes_two_conferences() -> None:
    found = explore(Rules(), SEVERAL)

    assert found.ends > 0
    assert (found.bad, found.history) == (0, [])


@pytest.mark.parametrize("rule", Rules._fields)
def test_without_any_one_rule_there_are_histories_that_end_badly(rule: str) -> None:
    found = explore(Rules()._replace(**{rule: False}), SMALL, until_bad=True)

    say("way", f"without `{rule}`", "; ".join(found.history))
    assert found.bad > 0


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_no_order_of_two_crashes_two_pauses_and_four_creates_makes_two_conferences() -> None:
    found = explore(Rules(), WHOLE)

    say("F5", "every rule in force", f"{found.states} states, {found.ends} ends, {found.bad} bad")
    assert found.ends > 0
    assert (found.bad, found.history) == (0, [])


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rule", Rules._fields)
def test_without_any_one_rule_bad_states_are_counted(rule: str) -> None:
    found = explore(Rules()._replace(**{rule: False}), SMALL)

    say("F3", f"without `{rule}`", f"{found.twice} states with two, {found.bad_ends} bad ends")
    assert found.bad > 0
