"""When is a troubled meeting tried again, and when is it a person's turn? Pure."""

from __future__ import annotations

from datetime import datetime

from schemas.meetings import Meeting
from workers.domain.backoff import wait_before


def patient(meeting: Meeting, *, dice: float, now: datetime) -> Meeting:
    """The meeting with a moment for its next try, or parked when the schedule is used up.

    A moment that the provider named stays. The wait is kept in the meeting rather than in its lane,
    so that a new wish is heard at once while an old one still waits.
    """
    trouble = meeting.trouble
    if trouble is None or trouble.parked or trouble.until is not None:
        return meeting
    wait = wait_before(trouble.times, dice=dice)
    if wait is None:
        given_up = trouble.model_copy(update={"parked": True, "grave": True})
        return meeting.model_copy(update={"trouble": given_up})
    again = trouble.model_copy(update={"until": now + wait})
    return meeting.model_copy(update={"trouble": again})
