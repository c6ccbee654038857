"""Which meetings were held at GoTo, and who was there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.http.wire import Wire
from schemas.account_asks import Span, Whose
from schemas.accounts import AccountConference, Attendance
from schemas.wire.goto import Attendee, Meeting, read_all
from workers.ports import Access
from workers.providers.goto.account import admins_only, below, shown
from workers.providers.goto.calls import G2M, Caller, read
from workers.providers.goto.client import instant

ATTENDANCE_NEEDS: Final = "identity:"
ORGANIZERS_ONLY: Final = (
    "GoTo tells who was in a meeting only to its organizer, and to administrators of the account"
)


class GoToHistory:
    """What has ended; a meeting that still runs is in none of these answers."""

    attendance_needs: Final = ATTENDANCE_NEEDS

    def __init__(self, wire: Wire) -> None:
        self._caller = Caller(wire)

    async def held(self, access: Access, span: Span, whose: Whose) -> list[AccountConference]:
        """Both ends of the span are required."""
        path = f"{below(whose)}/historicalMeetings"
        answer = await self._caller.call(
            "history", access, "GET", path, query=_dates(span), admin=admins_only(whose)
        )
        return [shown(row, upcoming=False) for row in read(read_all, Meeting, answer)]

    async def attendance(self, access: Access, conference: str) -> list[Attendance]:
        """By the instance of the meeting; a 404 also where it was never started."""
        path = f"{G2M}/meetings/{conference}/attendees"
        answer = await self._caller.call("attendees", access, "GET", path, admin=ORGANIZERS_ONLY)
        return [_present(row) for row in read(read_all, Attendee, answer)]

    async def attendance_between(
        self, access: Access, span: Span, whose: Whose
    ) -> list[Attendance]:
        """Of an organizer or a group; oneself is an organizer too."""
        named = whose if whose.organizer or whose.group else Whose(organizer=access.host)
        answer = await self._caller.call(
            "attendees",
            access,
            "GET",
            f"{below(named)}/attendees",
            query=_dates(span),
            admin=admins_only(named),
        )
        return [_present(row) for row in read(read_all, Attendee, answer)]


def _dates(span: Span) -> Mapping[str, str]:
    return {"startDate": instant(span.since), "endDate": instant(span.until)}


def _present(said: Attendee) -> Attendance:
    return Attendance(
        name=said.name,
        email=said.email,
        joined_at=said.joined_at,
        left_at=said.left_at,
        minutes=said.minutes,
        conference=said.meeting,
        instance=said.instance,
        title=said.subject,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        attendees=said.attendees,
        organizer=said.organizer,
        organizer_email=said.organizer_email,
        group="" if said.group == "NA" else said.group,
    )
