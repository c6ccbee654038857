"""How are GoTo meetings made, found, changed and deleted? The role `conferencing`.

https://developer.goto.com/GoToMeetingV1 (the subject is the only place for our reference)
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from infra.errors import Refused, Vanished
from infra.http.wire import Wire
from schemas.connections import Account
from schemas.drift import Listed
from schemas.events import Slot
from schemas.meetings import Conference
from schemas.problems import ProblemType
from schemas.wire.goto import ACTIVE, Created, Me, Meeting, Start, read_all, read_one
from workers.ports import Access, Found
from workers.providers.goto.calls import G2M, Caller, read

SUBJECT_AT_MOST: Final = 100
REFERENCE_SHOWN: Final = 15
"""Letters of the reference that people see: 60 bits behind its `tl-`."""
_REFERENCE: Final = re.compile(r"\[(tl-[a-z2-7]+)\]$")
CALL_INFO: Final = "Hybrid"
"""Both telephone and computer."""


class GoTo:
    """One client for all connections; it keeps nothing. The host is whose token it is."""

    def __init__(self, wire: Wire) -> None:
        self._caller = Caller(wire)

    async def account(self, access: Access) -> Account:
        """The organizer behind the token. `plan` is `free` when the API is closed to the account,
        which only a call to it tells."""
        said = read(
            read_one, Me, await self._caller.call("user", access, "GET", "/admin/rest/v1/me")
        )
        name = f"{said.first_name} {said.last_name}".strip()
        return Account(
            id=said.key,
            account_id=said.account_key,
            name=name or said.email,
            plan=await self._plan(access),
        )

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """Sent once and never repeated here: GoTo has no key by which a second POST is the same."""
        body = _shown(slot, _subject(slot, reference if access.marks else ""))
        answer = await self._caller.call(
            "create", access, "POST", f"{G2M}/meetings", body=body, send_by=send_by
        )
        said = read(read_one, Created, answer)
        made = _conference(said, access, slot, reference, shown=slot.fingerprint)
        return made.model_copy(update={"title": _title(body["subject"], slot)})

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """Those whose subject ends in our reference, lowest number first: GoTo tells no moment of
        creation, so `since` is of no use.

        On a connection that goes without the reference nothing proves that a meeting is ours: if
        one looks like it, Refused says so in words, and the meeting is parked.
        """
        rows = await self._upcoming(access)
        if not access.marks:
            _nothing_like_it(rows, slot)
            return []
        mark = _mark(reference)
        ours = sorted((row for row in rows if row.subject.endswith(mark)), key=lambda row: row.id)
        return [_found(row, access, slot, reference) for row in ours]

    async def listed(self, access: Access) -> list[Listed] | None:
        """All future ones, with the reference that people see."""
        return [_listed(row) for row in await self._upcoming(access)]

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """The meeting as it is, with the title and times that somebody gave it at GoTo."""
        said = await self._get(access, conference.id)
        if said is None:
            return None
        slot = _slot_there(said, conference)
        if slot is None:  # no slot says what became of it
            return _renewed(conference, said, conference.slot, shown="")
        shown = conference.shown if slot == conference.slot else slot.fingerprint
        return _renewed(conference, said, slot, shown=shown)

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """PUT replaces all and answers nothing: what people chose is read and sent along, and the
        result is read back."""
        before = await self._get(access, conference.id)
        if before is None:
            return None
        subject = _subject(slot, conference.reference if access.marks else "")
        body = {**_shown(slot, subject), **_kept(before)}
        path = f"{G2M}/meetings/{conference.id}"
        try:
            await self._caller.call("update", access, "PUT", path, body=body)
        except Vanished:
            return None
        said = await self._get(access, conference.id)
        return _renewed(conference, said, slot, shown=slot.fingerprint) if said else None

    async def delete(self, access: Access, conference: Conference) -> None:
        """Delete it; gone is done. Raises InSession."""
        with suppress(Vanished):  # what we wanted
            await self._caller.call("delete", access, "DELETE", f"{G2M}/meetings/{conference.id}")

    async def host_link(self, access: Access, conference: Conference) -> str:
        """A start link with a one-time code. Raises Vanished when the meeting is gone."""
        path = f"{G2M}/meetings/{conference.id}/start"
        return read(read_one, Start, await self._caller.call("start", access, "GET", path)).host_url

    async def _plan(self, access: Access) -> str:
        try:
            await self._upcoming(access)
        except Refused as refused:
            if refused.problem is ProblemType.FREE_PLAN:
                return "free"
            raise
        return "paid"

    async def _upcoming(self, access: Access) -> list[Meeting]:
        answer = await self._caller.call("list", access, "GET", f"{G2M}/upcomingMeetings")
        return read(read_all, Meeting, answer)

    async def _get(self, access: Access, name: str) -> Meeting | None:
        try:
            answer = await self._caller.call("get", access, "GET", f"{G2M}/meetings/{name}")
        except Vanished:
            return None
        return read(read_one, Meeting, answer)


def join_link(number: str, said: str = "") -> str:
    """The join link as GoTo told it; not all answers hold it, and it follows from the number."""
    return said or f"https://meet.goto.com/{number}"


def instant(moment: datetime) -> str:
    """A moment as GoTo reads it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def escaped(subject: str, at_most: int = SUBJECT_AT_MOST) -> str:
    """A subject as it goes out: cut by what people see, then `<` and `>` as GoTo wants them."""
    return html.escape(subject[:at_most], quote=False).replace("&amp;", "&")


def _shown(slot: Slot, subject: str) -> dict[str, Any]:
    """What a slot is at GoTo; all of it in small letters, `timezonekey` out of use and required.
    A series is a meeting without times, which GoTo calls recurring."""
    return {
        "subject": subject,
        "starttime": instant(slot.starts_at),
        "endtime": instant(slot.ends_at),
        "passwordrequired": False,
        "conferencecallinfo": CALL_INFO,
        "timezonekey": "",
        "meetingtype": "recurring" if slot.is_series else "scheduled",
    }


def _kept(before: Meeting) -> Mapping[str, Any]:
    """What people may have chosen at GoTo, and a replacement would take away."""
    kept: dict[str, Any] = {"passwordrequired": before.password_required}
    if before.coorganizers:
        kept["coorganizerKeys"] = list(before.coorganizers)
    return kept


def _subject(slot: Slot, reference: str) -> str:
    title = slot.title or "Meeting"
    if not reference:
        return escaped(title)
    mark = _mark(reference)
    return f"{escaped(title, SUBJECT_AT_MOST - len(mark) - 1)} {mark}"


def _mark(reference: str) -> str:
    return f"[{reference[:REFERENCE_SHOWN]}]"


def _slot_there(said: Meeting, conference: Conference) -> Slot | None:
    """The slot that it shows now; None when it was given a time, or lost it. A title is another one
    only if it is neither what we sent nor what GoTo made of that; our mark is no part of it."""
    slot = conference.slot
    if not _shows(said, slot):
        if slot.is_series or said.starts_at is None or said.ends_at is None:
            return None
        slot = slot.model_copy(update={"starts_at": said.starts_at, "ends_at": said.ends_at})
    title, mark = html.unescape(said.subject), _mark(conference.reference)
    sent = {html.unescape(_subject(slot, mine)) for mine in ("", conference.reference)}
    if title in sent or conference.is_titled(title):
        return slot
    return slot.model_copy(update={"title": title.removesuffix(mark).rstrip()})


def _title(subject: str, slot: Slot) -> str | None:
    title = html.unescape(subject)
    return None if title == slot.title else title


def _shows(said: Meeting, slot: Slot) -> bool:
    """Whether it is at the slot's time."""
    if slot.is_series:
        return said.starts_at is None
    return said.starts_at is not None and _is_at(said, slot)


def _is_at(said: Meeting, slot: Slot) -> bool:
    if said.starts_at is None or said.ends_at is None:
        return False
    apart = (abs(said.starts_at - slot.starts_at), abs(said.ends_at - slot.ends_at))
    return max(apart) < timedelta(minutes=1)


def _nothing_like_it(rows: list[Meeting], slot: Slot) -> None:
    subject = _subject(slot, "")
    like = [row.id for row in rows if row.subject == subject and _shows(row, slot)]
    if like:
        raise Refused(
            f"a create had no answer, and GoTo meeting {like[0]} looks like it but does not carry"
            " our reference: delete it at GoTo, or give this meeting its join link, then retry"
        )


def _listed(row: Meeting) -> Listed:
    title = html.unescape(row.subject)
    said = _REFERENCE.search(title)
    return Listed(
        id=row.id,
        title=title,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        running=row.status == ACTIVE,
        reference=said[1] if said else "",
    )


def _found(row: Meeting, access: Access, slot: Slot, reference: str) -> Found:
    shown = slot.fingerprint if _shows(row, slot) else ""
    conference = _conference(row, access, slot, reference, shown=shown)
    titled = conference.model_copy(update={"title": _title(row.subject, slot)})
    return Found(titled, None, row.status == ACTIVE)


def _conference(
    said: Created | Meeting, access: Access, slot: Slot, reference: str, *, shown: str
) -> Conference:
    return Conference(
        provider="goto",
        connection=access.connection,
        id=said.id,
        host=access.host,
        join_url=join_link(said.id, said.join_url),
        reference=reference,
        shown=shown,
        slot=slot,
        made_at=slot.starts_at,  # GoTo does not say when
    )


def _renewed(before: Conference, said: Meeting, slot: Slot, *, shown: str) -> Conference:
    renewed = {"slot": slot, "shown": shown, "title": _title(said.subject, slot)}
    return before.model_copy(update=renewed)
