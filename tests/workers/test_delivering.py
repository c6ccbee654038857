"""What follows from a partner's answer: the schedule, what is asked for, what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.deliveries import Why
from schemas.endpoints import RETRY_AFTER, HeadOfLine
from workers.domain.delivering import (
    Again,
    Delivered,
    GivenUp,
    Plan,
    Reply,
    Retired,
    asked_wait,
    failed,
    is_down,
    judge,
    superseded,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert judge(Reply(status, None), number=1, dice=0, now=NOW) == Delivered()


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 400, 401, 404, 500, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    verdict = judge(Reply(status, None), number=1, dice=0, now=NOW)

    assert isinstance(verdict, Again)
    assert verdict.wait == timedelta(seconds=5)
    assert verdict.rest is None


def test_410_ends_the_endpoint() -> None:
    assert isinstance(judge(Reply(410, "3600"), number=1, dice=0, now=NOW), Retired)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_a_slow_endpoint_rests_as_long_as_it_asks(status: int) -> None:
    verdict = judge(Reply(status, "120"), number=1, dice=0, now=NOW)

    assert verdict == Again(
        f"the endpoint answered {status}", timedelta(seconds=120), timedelta(seconds=120)
    )


def test_a_slow_endpoint_that_names_no_time_rests_a_moment() -> None:
    verdict = judge(Reply(502, None), number=3, dice=0, now=NOW)

    assert isinstance(verdict, Again)
    assert verdict.wait == timedelta(minutes=30)
    assert verdict.rest == timedelta(seconds=30)


def test_ten_attempts_are_made_in_about_three_days_and_then_it_is_given_up() -> None:
    verdicts = [failed("no", number=number, dice=0) for number in range(1, 11)]

    waits = [one.wait for one in verdicts if isinstance(one, Again)]
    assert waits == list(RETRY_AFTER)
    assert timedelta(days=3) < sum(waits, timedelta(0)) < timedelta(days=3, hours=6)
    assert verdicts[-1] == GivenUp("no; 10 attempts")


@given(
    number=st.integers(1, 9),
    dice=st.floats(0, 1, exclude_max=True),
    asked=st.integers(0, 12 * 3600),
    status=st.sampled_from([400, 429, 500, 502, 503, 504]),
)
def test_what_was_asked_for_is_never_undercut(
    number: int, dice: float, asked: int, status: int
) -> None:
    verdict = judge(Reply(status, str(asked)), number=number, dice=dice, now=NOW)

    assert isinstance(verdict, Again)
    assert verdict.wait >= max(timedelta(seconds=asked), RETRY_AFTER[number - 1])


def test_a_date_is_understood_as_well_as_seconds() -> None:
    date = format_datetime(NOW + timedelta(minutes=7), usegmt=True)

    assert asked_wait(date, NOW) == timedelta(minutes=7)


@pytest.mark.parametrize(
    "header",
    [None, "", "soon", "-5", "0", "1e3", "٣", "Wed, 99 Foo 2026", "\xe9", "9" * 400],
)
def test_what_is_no_such_header_asks_for_nothing_that_hurts(header: str | None) -> None:
    wait = asked_wait(header, NOW)

    assert wait is None or timedelta(0) < wait <= timedelta(hours=12)


def test_a_date_that_has_passed_asks_for_nothing() -> None:
    assert asked_wait(format_datetime(NOW - timedelta(days=1), usegmt=True), NOW) is None


def test_a_date_far_away_does_not_hold_a_callback_for_years() -> None:
    verdict = judge(Reply(503, "Fri, 01 Jan 2100 00:00:00 GMT"), number=1, dice=0, now=NOW)

    assert isinstance(verdict, Again)
    assert verdict.wait == timedelta(hours=12)


def test_an_answer_may_end_the_endpoint_or_the_callback() -> None:
    def say(status: int, wish: str) -> object:
        return judge(Reply(status, None, wish), number=1, dice=0, now=NOW)

    assert say(200, "disable") == Delivered(last=True)
    assert say(200, "abort-message") == Delivered()
    assert isinstance(say(500, " Disable "), Retired)
    aborted = say(500, "abort-message")
    assert isinstance(aborted, GivenUp)
    assert aborted.why is Why.ABORTED
    assert isinstance(say(500, "whatever"), Again)


def test_an_endpoint_that_blocks_is_tried_for_ever_at_its_last_wait() -> None:
    plan = Plan((timedelta(seconds=1), timedelta(seconds=9)), HeadOfLine.BLOCK)

    waits = [failed("no", number=n, dice=0, plan=plan) for n in (1, 2, 3, 400)]

    assert [one.wait.total_seconds() for one in waits if isinstance(one, Again)] == [1, 9, 9, 9]


def test_a_state_is_made_needless_by_a_later_one_and_a_report_never() -> None:
    assert superseded(["meeting.updated", "meeting.started", "meeting.torn_down"])
    assert not superseded(["meeting.updated", "meeting.started"])
    assert not superseded(["meeting.started", "meeting.ended"])
    assert not superseded(["meeting.updated"])
    assert not superseded([])


@pytest.mark.parametrize(
    ("status", "down"),
    [(None, True), (500, True), (503, True), (429, True), (400, False), (404, False), (302, False)],
)
def test_what_says_that_an_endpoint_is_down(status: int | None, down: bool) -> None:
    assert is_down(status) is down
