"""How are an account's meetings managed by GoTo's own ids, whoever made them?"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, Final

from infra.http.wire import Wire
from schemas.account_asks import Whose
from schemas.accounts import AccountConference, ConferenceDraft
from schemas.wire.goto import ACTIVE, Created, Meeting, Start, read_all, read_one
from workers.ports import Access
from workers.providers.goto.calls import G2M, Caller, read
from workers.providers.goto.client import escaped, instant, join_link
from workers.providers.goto.people import ADMINS_ONLY

UNPROTECTED: Final = (
    "GoTo takes no password from us: until its organizer sets another, it is the default,"
    " `meetingPassword`."
)


class GoToAccount:
    """The meetings of whose token it is; administrators see those of others too."""

    def __init__(self, wire: Wire) -> None:
        self._caller = Caller(wire)

    async def upcoming(self, access: Access, whose: Whose) -> list[AccountConference]:
        """All future ones; there is no paging and no range."""
        path = f"{below(whose)}/upcomingMeetings"
        answer = await self._caller.call("list", access, "GET", path, admin=admins_only(whose))
        return [shown(row, upcoming=True) for row in read(read_all, Meeting, answer)]

    async def make(self, access: Access, draft: ConferenceDraft) -> AccountConference:
        """The answer tells what GoTo decided; the rest is what was asked for."""
        answer = await self._caller.call(
            "create", access, "POST", f"{G2M}/meetings", body=_asked(draft)
        )
        made = read(read_one, Created, answer)
        recurs = draft.kind == "recurring"
        return AccountConference(
            id=made.id,
            unique_id=made.unique_id,
            title=draft.title,
            kind=draft.kind,
            starts_at=None if recurs else draft.starts_at,
            ends_at=None if recurs else draft.ends_at,
            join_url=join_link(made.id, made.join_url),
            password_required=draft.password_required,
            call_info=made.call_info,
            max_participants=made.max_participants,
            co_organizers=draft.co_organizers,
            organizer=access.host,
            notes=(UNPROTECTED,) if draft.password_required else (),
        )

    async def look_up(self, access: Access, conference: str) -> AccountConference:
        """It comes without organizer and join link; the link follows from the number."""
        path = f"{G2M}/meetings/{conference}"
        said = read(read_one, Meeting, await self._caller.call("get", access, "GET", path))
        return shown(said, upcoming=True)

    async def replace(
        self, access: Access, conference: str, draft: ConferenceDraft
    ) -> AccountConference:
        """Sent for every type of meeting: where GoTo refuses, it says so. Answered with nothing, so
        read back."""
        path = f"{G2M}/meetings/{conference}"
        await self._caller.call("update", access, "PUT", path, body=_asked(draft))
        return await self.look_up(access, conference)

    async def remove(self, access: Access, conference: str) -> int:
        """204, and nothing else."""
        path = f"{G2M}/meetings/{conference}"
        return (await self._caller.call("delete", access, "DELETE", path)).status_code

    async def start_link(self, access: Access, conference: str) -> str:
        """With a code that works once."""
        path = f"{G2M}/meetings/{conference}/start"
        return read(read_one, Start, await self._caller.call("start", access, "GET", path)).host_url


def below(whose: Whose) -> str:
    """Where questions about one organizer, one group, or oneself begin."""
    if whose.organizer:
        return f"{G2M}/organizers/{whose.organizer}"
    return f"{G2M}/groups/{whose.group}" if whose.group else G2M


def admins_only(whose: Whose) -> str:
    """The sentence for a 403 about others; about oneself a 403 means something else."""
    return ADMINS_ONLY if whose.organizer or whose.group else ""


def shown(said: Meeting, *, upcoming: bool) -> AccountConference:
    """A meeting as we tell it. What is to come has a join link, what was held an instance."""
    return AccountConference(
        id=said.id,
        unique_id=said.unique_id,
        title=html.unescape(said.subject),
        kind=said.kind,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        minutes=said.minutes,
        created_at=said.created_at,
        running=said.status == ACTIVE if said.status else None,
        join_url=join_link(said.id, said.join_url) if upcoming else "",
        password_required=said.password_required,
        call_info=said.call_info,
        max_participants=said.max_participants,
        co_organizers=said.coorganizers,
        organizer=said.organizer,
        account=said.account,
        first_name=said.first_name,
        last_name=said.last_name,
        email=said.email,
        locale=said.locale,
        group=said.group,
        session=said.session,
        instance="" if upcoming else said.instance,
        attendees=said.attendees,
        notes=(UNPROTECTED,) if said.password_required else (),
    )


def _asked(draft: ConferenceDraft) -> Mapping[str, Any]:
    """All fields are required, also on an update."""
    body: dict[str, Any] = {
        "subject": escaped(draft.title),
        "starttime": instant(draft.starts_at),
        "endtime": instant(draft.ends_at),
        "passwordrequired": draft.password_required,
        "conferencecallinfo": draft.call_info,
        "timezonekey": "",
        "meetingtype": draft.kind,
    }
    if draft.co_organizers:
        body["coorganizerKeys"] = list(draft.co_organizers)
    return body
