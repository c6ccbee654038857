"""Which requests wait for somebody to act, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.account_asks import MakeConference
from schemas.accounts import ConferenceDraft
from schemas.desk import DeskAnswer, DeskAsk, DeskRequest, ListCalendars
from schemas.problems import ProblemType
from tests.workers.stage import APPLICATION, NOON
from workers.jobs.desk_waits import AT_MOST, waits

PATIENT = ConferenceDraft(
    title="Interview",
    starts_at=NOON,
    ends_at=NOON + timedelta(hours=1),
    co_organizers=("eve@example.org",),
    wait_for_organizers=True,
)
HASTY = PATIENT.model_copy(update={"wait_for_organizers": False})
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("ask", "problem", "after", "waiting"),
    [
        (MakeConference(connection="c", draft=PATIENT), "organizer-pending", SECOND, True),
        (MakeConference(connection="c", draft=PATIENT), "organizer-pending", AT_MOST, False),
        (MakeConference(connection="c", draft=HASTY), "organizer-pending", SECOND, False),
        (MakeConference(connection="c", draft=PATIENT), "not-linked", SECOND, False),
        (ListCalendars(connection="c"), "organizer-pending", SECOND, False),
    ],
)
def test_only_who_would_rather_wait_waits_and_no_longer_than_a_week(
    ask: DeskAsk, problem: str, after: timedelta, *, waiting: bool
) -> None:
    request = DeskRequest(id="dr", ask=ask, actor=APPLICATION, reply_to="p", asked_at=NOON)
    answer = DeskAnswer(id="dr", state="refused", problem=ProblemType(problem).value)

    assert waits(request, answer, NOON + after) is waiting
