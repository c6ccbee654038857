"""How are Teams meetings made, found, changed and deleted? The role `conferencing`.

https://learn.microsoft.com/graph/api/onlinemeeting-createorget
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import httpx

from infra.errors import Vanished
from infra.http.wire import Wire
from schemas.connections import Account
from schemas.drift import Listed
from schemas.events import Slot
from schemas.meetings import Conference
from schemas.wire.graph import OnlineMeeting, User, instant
from workers.ports import Access, Found
from workers.providers.graph.answers import read
from workers.providers.graph.calls import Asking, call, mailbox, part

SUBJECT_AT_MOST: Final = 255
SERIES_LASTS: Final = timedelta(days=365)
"""Graph expires a meeting some 60 days after its end; a series' ends when it may be renewed."""


class Teams:
    """One client for all connections; it keeps nothing. `createOrGet` is the same meeting for the
    same external id, so adopting what a lost create made is the create itself."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def account(self, access: Access) -> Account:
        """The person behind the token, or the one that an application was sent to: Graph lets no
        application ask who that is, so its name is what it was called by."""
        if access.host:
            return Account(id=access.host, name=access.host)
        said = read(User, await self._call("user", access, "GET", f"{access.api}/me"))
        return Account(id=said.id, name=said.display_name or said.mail or said.principal)

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """Make the meeting of this reference; a second create brings the first one's."""
        answer = await self._create_or_get(access, slot, reference, send_by=send_by)
        return _conference(read(OnlineMeeting, answer), access, slot, reference)

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """There is no search by external id but `createOrGet`: what it had to make (201) was not
        there, and goes again at once."""
        answer = await self._create_or_get(access, slot, reference, send_by=None)
        conference = _conference(read(OnlineMeeting, answer), access, slot, reference)
        if answer.status_code == HTTPStatus.CREATED:
            await self.delete(access, conference)
            return []
        return [Found(conference, conference.made_at)]

    async def listed(self, access: Access) -> list[Listed] | None:
        """Graph lists no meetings."""
        return None

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """The meeting as it is, at the times that somebody gave it in Teams."""
        try:
            answer = await self._call("meeting", access, "GET", _at(access, conference.id))
        except Vanished:
            return None
        said = read(OnlineMeeting, answer)
        slot, shown = conference.slot, conference.shown
        if not _shows(said, slot):
            slot = _moved(said, slot)
            shown = "" if slot == conference.slot else slot.fingerprint
        renewed = {"join_url": said.join_url, "slot": slot, "shown": shown}
        return conference.model_copy(update=renewed)

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """Let it show the slot; the answer is the meeting as it is then."""
        try:
            answer = await self._call(
                "update", access, "PATCH", _at(access, conference.id), body=_shown(slot)
            )
        except Vanished:
            return None
        said = read(OnlineMeeting, answer)
        renewed = {"join_url": said.join_url, "slot": slot, "shown": slot.fingerprint}
        return conference.model_copy(update=renewed)

    async def delete(self, access: Access, conference: Conference) -> None:
        """Delete it; gone already is done. Teams says nothing of a meeting in session."""
        with suppress(Vanished):  # what we wanted
            await self._call("end", access, "DELETE", _at(access, conference.id))

    async def host_link(self, access: Access, conference: Conference) -> str:
        """The host joins by the same link, and is known by signing in."""
        return conference.join_url

    async def _create_or_get(
        self, access: Access, slot: Slot, reference: str, *, send_by: float | None
    ) -> httpx.Response:
        url = f"{mailbox(access)}/onlineMeetings/createOrGet"
        body = {"externalId": reference, **_shown(slot)}
        return await self._call("create", access, "POST", url, body=body, send_by=send_by)

    async def _call(
        self,
        operation: str,
        access: Access,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        send_by: float | None = None,
    ) -> httpx.Response:
        asking = Asking(f"graph.{operation}", method, url, needs="OnlineMeetings.ReadWrite")
        return await call(self._wire, asking, access, body=body, send_by=send_by)


def _shown(slot: Slot) -> dict[str, Any]:
    """What a slot is in Teams, which knows no series: the same link serves all of one."""
    ends_at = slot.starts_at + SERIES_LASTS if slot.is_series else slot.ends_at
    return {
        "subject": slot.title[:SUBJECT_AT_MOST] or "Meeting",
        "startDateTime": instant(slot.starts_at),
        "endDateTime": instant(ends_at),
    }


def _shows(said: OnlineMeeting, slot: Slot) -> bool:
    """Whether it is at the slot's time. Words are not compared: Teams may have changed them."""
    wanted = _shown(slot)
    told = [instant(at) if at else "" for at in (said.starts_at, said.ends_at)]
    return told == [wanted["startDateTime"], wanted["endDateTime"]]


def _moved(said: OnlineMeeting, slot: Slot) -> Slot:
    """At the times that it has now; a series, and what lost its times, is at none that we know."""
    if slot.is_series or said.starts_at is None or said.ends_at is None:
        return slot
    return slot.model_copy(update={"starts_at": said.starts_at, "ends_at": said.ends_at})


def _conference(said: OnlineMeeting, access: Access, slot: Slot, reference: str) -> Conference:
    return Conference(
        provider="teams",
        connection=access.connection,
        id=said.id,
        host=access.host,
        join_url=said.join_url,
        reference=reference,
        shown=slot.fingerprint if _shows(said, slot) else "",
        slot=slot,
        made_at=said.created_at or slot.starts_at,
    )


def _at(access: Access, name: str) -> str:
    return f"{mailbox(access)}/onlineMeetings/{part(name)}"
