"""How are Zoom meetings made, found, changed and deleted? The role `conferencing` (v2 of the API).

https://developers.zoom.us/docs/api/meetings/
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

import httpx
from pydantic import ValidationError

from infra.errors import TryLater, Unknown, Vanished
from infra.http.wire import Wire
from schemas.connections import Account
from schemas.drift import Listed
from schemas.events import Slot
from schemas.meetings import Conference
from schemas.records import Wire as Words
from schemas.wire.zoom import Listed as Row
from schemas.wire.zoom import Meeting, Meetings, User
from workers.ports import Access, Found
from workers.providers.zoom.answers import remedy

_Said = TypeVar("_Said", bound=Words)

SCHEDULED: Final = 2
NO_FIXED_TIME: Final = 3
"""For a series: Zoom knows no RRULE, no EXDATE and no yearly rule."""
TOPIC_AT_MOST: Final = 200
PAGES_AT_MOST: Final = 100
"""30,000 meetings of one host."""
_REFERENCE: Final = re.compile(r"^ref (tl-\S+)$", re.MULTILINE)
PLANS: Final[Mapping[int, str]] = MappingProxyType({1: "basic", 2: "licensed", 3: "on-premises"})


class Zoom:
    """One client for all connections; it keeps nothing. A path names the host as `me`, for a
    user's token may say nothing else."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def account(self, access: Access) -> Account:
        """The user behind the token, with `plan`: basic, licensed, on-premises or none."""
        said = _read(User, await self._call("user", access, "GET", "/users/me"))
        return Account(
            id=said.id,
            account_id=said.account_id,
            name=said.display_name or said.email,
            plan=PLANS.get(said.type, "none"),
        )

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """Sent once and never repeated here: Zoom has no key by which a second POST is the same."""
        body = {**_shown(slot), "agenda": _line(reference)}
        answer = await self._call(
            "create", access, "POST", "/users/me/meetings", body=body, send_by=send_by
        )
        return _conference(_read(Meeting, answer), access, slot, reference, shown=slot.fingerprint)

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """Those whose agenda holds the line that we wrote. The list may lag and cuts the agenda, so
        each is confirmed; what else was made `since` is not looked at, the line alone is proof."""
        ids = [row.id async for row in self._listed(access) if _line(reference) in row.agenda]
        found: list[Found] = []
        for name in ids:
            said = await self._get(access, name)
            if said is not None and _line(reference) in said.agenda.splitlines():
                shown = slot.fingerprint if _shows(said, slot) else ""
                conference = _conference(said, access, slot, reference, shown=shown)
                found.append(Found(conference, said.created_at, said.status == "started"))
        return sorted(found, key=lambda one: one.conference.made_at)

    async def listed(self, access: Access) -> list[Listed] | None:
        """All of the host's that have not expired; a reference shows in the cut agenda too."""
        return [_listed(row) async for row in self._listed(access)]

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """The meeting as it is, with the title and times that somebody gave it at Zoom."""
        said = await self._get(access, conference.id)
        if said is None:
            return None
        slot = _slot_there(said, conference)
        if slot is None:  # no slot says what became of it
            return _renewed(conference, said, conference.slot, shown="")
        shown = conference.shown if slot == conference.slot else slot.fingerprint
        return _renewed(conference, said, slot, shown=shown)

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """PATCH answers nothing, so read it back: a new passcode makes a new join link. What Zoom
        made of our words is not compared, or it would be corrected for ever."""
        path = f"/meetings/{conference.id}"
        try:
            await self._call("update", access, "PATCH", path, body=_shown(slot))
        except Vanished:
            return None
        said = await self._get(access, conference.id)
        return _renewed(conference, said, slot, shown=slot.fingerprint) if said else None

    async def delete(self, access: Access, conference: Conference) -> None:
        """Delete it without mails to anyone; gone or ended is done."""
        path = f"/meetings/{conference.id}?schedule_for_reminder=false"
        with suppress(Vanished):  # what we wanted
            await self._call("delete", access, "DELETE", path)

    async def host_link(self, access: Access, conference: Conference) -> str:
        """A start link that holds for two hours. Raises Vanished when the meeting is gone."""
        said = await self._get(access, conference.id)
        if said is None:
            raise Vanished("Zoom has no such meeting any more")
        return said.start_url

    async def _get(self, access: Access, name: str) -> Meeting | None:
        try:
            answer = await self._call("get", access, "GET", f"/meetings/{name}")
        except Vanished:
            return None
        return _read(Meeting, answer)

    async def _listed(self, access: Access) -> AsyncIterator[Row]:
        """Yield the host's meetings that have not expired: upcoming, running, lately ended."""
        token = ""
        for _ in range(PAGES_AT_MOST):
            query = httpx.QueryParams({"type": "scheduled", "page_size": "300"})
            query = query.set("next_page_token", token) if token else query
            answer = await self._call("list", access, "GET", f"/users/me/meetings?{query}")
            said = _read(Meetings, answer)
            for row in said.meetings:
                yield row
            token = said.next_page_token
            if not token:
                return
        raise TryLater("this host has more meetings at Zoom than can be looked through")

    async def _call(
        self,
        operation: str,
        access: Access,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        send_by: float | None = None,
    ) -> httpx.Response:
        request = httpx.Request(
            method,
            f"{access.api}{path}",
            headers={"Authorization": f"Bearer {access.token}"},
            json=body,
        )
        answer = await self._wire.send(request, name=f"zoom.{operation}", send_by=send_by)
        if error := remedy(answer, access.host):
            raise error
        return answer


def _listed(row: Row) -> Listed:
    minutes = timedelta(minutes=row.duration or 0)
    said = _REFERENCE.search(row.agenda)
    return Listed(
        id=row.id,
        title=row.topic,
        starts_at=row.start_time,
        ends_at=row.start_time + minutes if row.start_time else None,
        created_at=row.created_at,
        reference=said[1] if said else "",
    )


def _shown(slot: Slot) -> dict[str, Any]:
    """What a slot is at Zoom. An offset would be read as UTC, so times go out in UTC as `Z`."""
    words = {"topic": _topic(slot), "timezone": slot.timezone}
    if slot.is_series:
        return {**words, "type": NO_FIXED_TIME}
    start = f"{slot.starts_at:%Y-%m-%dT%H:%M:%SZ}"
    return {**words, "type": SCHEDULED, "start_time": start, "duration": _minutes(slot)}


def _slot_there(said: Meeting, conference: Conference) -> Slot | None:
    """The slot that it shows now; None when it was given a time, or lost it. A title is another one
    only if it is neither what we sent nor what Zoom made of that: else nothing would ever be
    right."""
    slot = conference.slot
    if not _shows(said, slot):
        if slot.is_series or said.start_time is None or said.duration is None:
            return None
        ends_at = said.start_time + timedelta(minutes=said.duration)
        slot = slot.model_copy(update={"starts_at": said.start_time, "ends_at": ends_at})
    if not said.topic or conference.is_titled(said.topic) or said.topic == _topic(slot):
        return slot
    return slot.model_copy(update={"title": said.topic})


def _shows(said: Meeting, slot: Slot) -> bool:
    """Whether it is at the slot's time."""
    if slot.is_series:
        return said.type == NO_FIXED_TIME
    if said.start_time is None:
        return False
    late = abs(said.start_time - slot.starts_at)
    return late < timedelta(minutes=1) and said.duration == _minutes(slot)


def _topic(slot: Slot) -> str:
    return slot.title[:TOPIC_AT_MOST] or "Meeting"


def _minutes(slot: Slot) -> int:
    return max(1, math.ceil((slot.ends_at - slot.starts_at) / timedelta(minutes=1)))


def _line(reference: str) -> str:
    return f"ref {reference}"


def _conference(
    said: Meeting, access: Access, slot: Slot, reference: str, *, shown: str
) -> Conference:
    return Conference(
        provider="zoom",
        connection=access.connection,
        id=said.id,
        host=said.host_id or access.host,
        join_url=said.join_url,
        reference=reference,
        shown=shown,
        slot=slot,
        made_at=said.created_at or slot.starts_at,
        title=_title(said, slot),
    )


def _renewed(before: Conference, said: Meeting, slot: Slot, *, shown: str) -> Conference:
    link = said.join_url or before.join_url
    renewed = {"join_url": link, "slot": slot, "shown": shown, "title": _title(said, slot)}
    return before.model_copy(update=renewed)


def _title(said: Meeting, slot: Slot) -> str | None:
    return None if said.topic in ("", slot.title) else said.topic


def _read(words: type[_Said], answer: httpx.Response) -> _Said:
    try:
        return words.model_validate_json(answer.content)
    except ValidationError as error:  # not chained: it would quote what people wrote
        fields = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        said = f"Zoom answered {answer.status_code} in words we do not know: {fields[:5]}"
        raise Unknown(said) from None
