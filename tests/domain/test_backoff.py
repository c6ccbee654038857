"""When it is tried again, and when no more."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.endpoints import RETRY_AFTER
from schemas.meetings import Trouble
from tests.domain.samples import NOW, meeting
from workers.domain.backoff import LONGEST_ASKED, PROVIDER, wait_before
from workers.domain.patience import patient

dice = st.floats(0, 1, exclude_max=True)
asked = st.none() | st.timedeltas(timedelta(0), timedelta(days=2))


@given(st.integers(1, len(PROVIDER)), dice, asked)
def test_jitter_never_undercuts(number: int, throw: float, retry_after: timedelta | None) -> None:
    wait = wait_before(number, dice=throw, asked=retry_after)

    assert wait is not None
    assert wait >= PROVIDER[number - 1]
    assert wait >= min(retry_after or timedelta(0), LONGEST_ASKED)
    assert wait <= max(PROVIDER[number - 1], LONGEST_ASKED) * 1.1


def test_without_jitter_the_wait_is_the_plan() -> None:
    assert wait_before(2, dice=0.0) == PROVIDER[1]
    assert wait_before(2, dice=0.0, asked=timedelta(minutes=1)) == timedelta(minutes=1)
    assert wait_before(1, dice=0.5, schedule=RETRY_AFTER) == timedelta(seconds=5.25)


def test_the_schedule_is_used_up() -> None:
    assert wait_before(len(PROVIDER), dice=0.0) == PROVIDER[-1]
    assert wait_before(len(PROVIDER) + 1, dice=0.0) is None


def test_providers_are_tried_five_times_in_half_a_minute_and_for_a_day_in_all() -> None:
    assert sum(PROVIDER[:5], timedelta()) == timedelta(seconds=30)
    assert timedelta(days=1) < sum(PROVIDER, timedelta()) < timedelta(days=1.25)


def test_callbacks_are_tried_ten_times_in_about_three_days() -> None:
    assert len(RETRY_AFTER) == 9
    assert timedelta(days=2.5) < sum(RETRY_AFTER, timedelta()) < timedelta(days=3.5)


def test_a_troubled_meeting_gets_a_moment_of_its_own() -> None:
    troubled = meeting(trouble=Trouble(reason="busy", since=NOW, times=2))

    assert patient(troubled, dice=0.0, now=NOW).trouble == Trouble(
        reason="busy", since=NOW, times=2, until=NOW + PROVIDER[1]
    )


def test_a_moment_that_the_provider_named_stays() -> None:
    named = meeting(trouble=Trouble(reason="quota", since=NOW, until=NOW + timedelta(hours=9)))

    assert patient(named, dice=0.9, now=NOW) == named
    assert patient(meeting(), dice=0.9, now=NOW) == meeting()


def test_a_meeting_whose_schedule_is_used_up_needs_a_person() -> None:
    last = meeting(trouble=Trouble(reason="busy", since=NOW, times=len(PROVIDER) + 1))

    parked = patient(last, dice=0.0, now=NOW)

    assert parked.trouble is not None
    assert (parked.trouble.parked, parked.trouble.grave) == (True, True)
    assert patient(parked, dice=0.0, now=NOW) == parked
