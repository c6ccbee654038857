"""Does a request at the desk wait for somebody to act, and when is it looked at again?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from infra.lanes import Unit
from schemas.account_asks import MakeConference, ReplaceConference
from schemas.desk import DeskAnswer, DeskRequest
from schemas.problems import ProblemType
from workers.domain.polling import next_look
from workers.jobs.desk import Desk

AT_MOST: Final = timedelta(days=7)
LOOK: Final = "look"


def waits(request: DeskRequest, answer: DeskAnswer, now: datetime) -> bool:
    """Whether what is in the way passes by itself, and the asker would rather wait. Pure."""
    ask = request.ask
    if not isinstance(ask, MakeConference | ReplaceConference):
        return False
    pending = answer.problem == ProblemType.ORGANIZER_PENDING
    return pending and ask.draft.wait_for_organizers and now - request.asked_at < AT_MOST


def look_again(desk: Desk, answer: DeskAnswer, handled: list[str]) -> Unit:
    """No answer yet: the reason stands with the request, and the lane comes back."""
    told = desk.request.model_copy(update={"waits_for": answer.detail})
    waited = desk.runtime.now() - desk.request.asked_at
    puts = [told] if told != desk.request else []
    return Unit(
        handled=handled,
        puts=[*desk.unit.puts, *puts],
        posts=[*desk.unit.posts],
        timers={LOOK: next_look(waited)},
    )
