"""How an endpoint fares: when it rests, when partners are warned, when it is disabled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.callbacks import CallbackType
from schemas.endpoints import Health
from schemas.items import Fared
from workers.domain.faring import (
    FIRST_REST,
    LONGEST_REST,
    Said,
    closed_until,
    enabled,
    fare,
)

NOW = datetime(2027, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = timedelta(days=10)
NEW = Health(id="end_1")


def fails(at: datetime, *, down: bool = False, **facts: object) -> Fared:
    given = {"ok": False, "at": at, "reason": "no", "unanswered": down, **facts}
    return Fared.model_validate(given)


def succeeds(at: datetime) -> Fared:
    return Fared(ok=True, at=at)


def after(items: Iterable[Fared], health: Health = NEW) -> tuple[Health, list[Said]]:
    told = []
    for item in items:
        health, said = fare(health, item, DAYS)
        told += [said] if said else []
    return health, told


def test_warnings_come_at_50_70_and_90_percent_and_then_the_end() -> None:
    health, told = after(fails(NOW + n * HOUR) for n in range(260))

    assert [(one.type, one.percent) for one in told] == [
        (CallbackType.ENDPOINT_FAILING, 50),
        (CallbackType.ENDPOINT_FAILING, 70),
        (CallbackType.ENDPOINT_FAILING, 90),
        (CallbackType.ENDPOINT_DISABLED, 100),
    ]
    assert health.disabled_at == NOW + 240 * HOUR
    assert {one.failing_since for one in told} == {NOW}


def test_one_success_forgets_the_failures() -> None:
    failing, _ = after(fails(NOW + n * HOUR) for n in range(100))

    health, told = after([succeeds(NOW + 101 * HOUR)], failing)

    assert (health.failing_since, health.failures, told) == (None, 0, [])


def test_a_recovery_is_told_only_where_something_bad_was_told() -> None:
    warned, _ = after(fails(NOW + n * HOUR) for n in range(130))

    health, [said] = after([succeeds(NOW + 131 * HOUR)], warned)
    _, silence = after([succeeds(NOW + 132 * HOUR)], health)

    assert said.type is CallbackType.ENDPOINT_RECOVERED
    assert silence == []


def test_an_endpoint_that_hardly_gets_a_callback_is_not_disabled_for_two_failures() -> None:
    health, told = after([fails(NOW), fails(NOW + timedelta(days=30))])

    assert (health.disabled_at, told) == (None, [])


def test_an_endpoint_that_wants_no_more_is_disabled_at_once_and_told_once() -> None:
    gone = fails(NOW, retired=True)

    health, told = after([gone, gone])

    assert (health.disabled_at, [one.type for one in told]) == (
        NOW,
        [CallbackType.ENDPOINT_DISABLED],
    )


def test_five_failures_that_say_it_is_down_open_the_breaker() -> None:
    four, _ = after([fails(NOW, down=True)] * 4)
    five, _ = after([fails(NOW, down=True)], four)

    assert closed_until(four, NOW) is None
    assert closed_until(five, NOW) == NOW + FIRST_REST


def test_a_callback_that_is_not_to_its_taste_does_not_open_the_breaker() -> None:
    health, _ = after([*[fails(NOW, down=True)] * 4, fails(NOW), *[fails(NOW, down=True)] * 4])

    assert closed_until(health, NOW) is None


def test_each_probe_that_fails_doubles_the_rest_up_to_the_longest() -> None:
    health, _ = after([fails(NOW, down=True)] * 5)
    rests = []
    for _ in range(6):
        assert health.rested_until is not None
        at = health.rested_until
        health, _ = after([fails(at, down=True)], health)
        assert health.rested_until is not None
        rests.append(health.rested_until - at)

    assert rests == [2 * FIRST_REST, 4 * FIRST_REST, 8 * FIRST_REST, *[LONGEST_REST] * 3]


def test_attempts_that_were_under_way_when_it_opened_prolong_nothing() -> None:
    health, _ = after([fails(NOW + n * timedelta(seconds=1), down=True) for n in range(16)])

    assert health.trips == 1
    assert health.rested_until == NOW + timedelta(seconds=4) + FIRST_REST


def test_what_the_endpoint_asked_for_outlasts_the_breaker_and_a_success() -> None:
    asked = NOW + HOUR
    health, _ = after([fails(NOW, down=True, asked_until=asked)] * 5)
    later, _ = after([succeeds(NOW + timedelta(seconds=1))], health)

    assert closed_until(health, NOW) == asked
    assert closed_until(later, NOW) == asked
    assert closed_until(later, asked) is None


def test_who_enables_it_begins_anew() -> None:
    dead, _ = after([fails(NOW, down=True)] * 5 + [fails(NOW, retired=True)])

    again = enabled(dead)

    assert (again.disabled_at, again.failures, again.trips, closed_until(again, NOW)) == (
        None,
        0,
        0,
        None,
    )
    assert again.told


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 48)), min_size=1, max_size=60)
)
def test_a_success_always_ends_in_good_health(history: list[tuple[bool, bool, int]]) -> None:
    at, items = NOW, []
    for ok, down, hours in history:
        at += hours * HOUR
        items.append(succeeds(at) if ok else fails(at, down=down))
    health, told = after([*items, succeeds(at)])

    assert enabled(health) == health
    assert not health.told
    bad = [one for one in told if one.type is not CallbackType.ENDPOINT_RECOVERED]
    assert bool(bad) == (len(bad) < len(told))
