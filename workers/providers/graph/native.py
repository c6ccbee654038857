"""How does a Teams meeting live in an event? In the one that asks for it, or in one of our own.

https://learn.microsoft.com/graph/outlook-calendar-online-meetings
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import httpx

from infra.errors import (
    Conflict,
    NeedsReauth,
    Refused,
    TokenExpired,
    TryLater,
    Unknown,
    Vanished,
)
from infra.http.wire import Wire
from schemas.connections import Account
from schemas.drift import Listed
from schemas.events import Slot
from schemas.meetings import Conference
from schemas.wire.graph import EXPANDED, REFERENCE, SELECTED, Entries, Entry, instant
from workers.ports import Access, Found
from workers.providers.graph import entries
from workers.providers.graph.answers import read
from workers.providers.graph.calls import Asking, call, mailbox, part
from workers.providers.graph.client import Graph

SUBJECT_AT_MOST: Final = 255
_ONLINE: Final = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}


class TeamsInEvents:
    """One client for all connections; it keeps nothing. A conference is known by its event's id.

    Outlook lets nobody take a Teams meeting out of an event again: the one in a person's event ends
    with that event, and its times are always the event's. An event of our own is ours to change and
    to delete; it says nothing of a series, whose link is the same for all of it.
    """

    def __init__(self, wire: Wire, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._calendar = Graph(wire, now)

    async def account(self, access: Access) -> Account:
        """The mailbox in whose events the meetings live."""
        return await self._calendar.account(access)

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """Make the event that asks for it an online one, or an online event of our own: by stored
        reference, else with a transaction id, so that a second create brings the first one's."""
        if access.event:
            entry = await self._home(access)
            if not entry.teams_link:
                body = {**_ONLINE, **_marked(reference)}
                entry = await self._patch(access, entry, body, name="graph.online", send_by=send_by)
            return _conference(_demand(entry, reference), access, slot, reference)
        found = await self._search(access, reference)
        entry = found[0] if found else await self._insert(access, slot, reference, send_by=send_by)
        return _conference(entry, access, slot, reference)

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """In the event that asks for it, or by our reference in the events of the mailbox."""
        there = (
            [await self._home(access)] if access.event else await self._search(access, reference)
        )
        ours = [one for one in there if one.teams_link and one.held(REFERENCE) == reference]
        made = (_conference(one, access, slot, reference) for one in ours)
        return [Found(one, None) for one in made]

    async def listed(self, access: Access) -> list[Listed] | None:
        """Drift in events is seen from the calendar's side."""
        return None

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """As it is; an event of our own that was moved no longer shows our slot."""
        entry = await self._there(access, conference)
        if entry is None:
            return None
        moved = _is_own(entry, conference.reference) and not _shows(entry, conference.slot)
        shown = "" if moved else conference.shown
        return conference.model_copy(update={"join_url": entry.teams_link, "shown": shown})

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """An event of our own shows the slot from now on; a person's shows its own."""
        entry = await self._there(access, conference)
        if entry is None:
            return None
        if _is_own(entry, conference.reference):
            entry = await self._patch(access, entry, _shown(slot))
        renewed = {"join_url": entry.teams_link, "slot": slot, "shown": slot.fingerprint}
        return conference.model_copy(update=renewed)

    async def delete(self, access: Access, conference: Conference) -> None:
        """Delete an event of our own; gone already is done. A person's event is left to them."""
        with suppress(Vanished):  # what we wanted
            entry = await self._entry(access, conference.id)
            if _is_own(entry, conference.reference):
                await self._call("delete", access, "DELETE", _at(access, entry.id))

    async def host_link(self, access: Access, conference: Conference) -> str:
        """The host joins by the same link, and is known by signing in."""
        return conference.join_url

    async def _home(self, access: Access) -> Entry:
        """The event that asks. Raises Refused when it is in somebody else's mailbox."""
        try:
            return await self._entry(access, access.event)
        except Vanished as error:
            words = "the event is not in the mailbox of this connection: name one of its organizer"
            raise Refused(words) from error

    async def _there(self, access: Access, conference: Conference) -> Entry | None:
        try:
            entry = await self._entry(access, conference.id)
        except Vanished:
            return None
        return entry if entry.teams_link and not entry.cancelled else None

    async def _search(self, access: Access, reference: str) -> list[Entry]:
        marked = f"ep/id eq '{REFERENCE}' and ep/value eq '{reference}'"
        query = httpx.QueryParams(
            {
                "$filter": f"singleValueExtendedProperties/Any(ep: {marked})",
                "$expand": EXPANDED,
            }
        )
        url = f"{mailbox(access)}/events?{query}"
        return list(read(Entries, await self._call("events", access, "GET", url)).value)

    async def _insert(self, access: Access, slot: Slot, reference: str, *, send_by: float) -> Entry:
        """The same transaction id with other words is refused: what the first one made is there."""
        body = {**_shown(slot), **_ONLINE, **_marked(reference), "transactionId": reference}
        url = f"{mailbox(access)}/events"
        try:
            answer = await self._call("insert", access, "POST", url, body=body, send_by=send_by)
        except Conflict:
            found = await self._search(access, reference)
            if not found:
                raise
            return found[0]
        return read(Entry, answer)

    async def _entry(self, access: Access, event: str) -> Entry:
        query = httpx.QueryParams({"$select": SELECTED, "$expand": EXPANDED})
        url = f"{_at(access, event)}?{query}"
        return read(Entry, await self._call("get", access, "GET", url))

    async def _patch(
        self,
        access: Access,
        entry: Entry,
        body: Mapping[str, Any],
        *,
        name: str = "graph.patch",
        send_by: float | None = None,
    ) -> Entry:
        """The answer tells no extended property: what we know of them holds. A patch that makes a
        conference has a `name` of its own among the points, for a crash there is a create's."""
        asking = Asking(name, "PATCH", _at(access, entry.id))
        answer = await call(self._wire, asking, access, body=body, etag=entry.etag, send_by=send_by)
        held = {"properties": entry.properties, "transaction": entry.transaction}
        if "singleValueExtendedProperties" in body:
            return await self._read_back(access, entry.id)
        return read(Entry, answer).model_copy(update=held)

    async def _read_back(self, access: Access, event: str) -> Entry:
        """The event that was made an online one. Whatever this read meets, that was done: taken for
        a refusal, or for one that was not sent, its link would count as somebody else's."""
        try:
            return await self._entry(access, event)
        except (TryLater, TokenExpired, NeedsReauth, Refused, Vanished, Conflict) as error:
            words = f"the event was made an online one, and could not be read: {error}"
            raise Unknown(words) from error

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
        asking = Asking(f"graph.{operation}", method, url)
        return await call(self._wire, asking, access, body=body, send_by=send_by)


def _marked(reference: str) -> dict[str, Any]:
    return {"singleValueExtendedProperties": [{"id": REFERENCE, "value": reference}]}


def _demand(entry: Entry, reference: str) -> Entry:
    """The event, if its Teams meeting is ours. Raises Refused for one that somebody else made."""
    if entry.held(REFERENCE) != reference:
        raise Refused("the event has a Teams meeting already, which is not ours")
    return entry


def _shown(slot: Slot) -> dict[str, Any]:
    return {
        "subject": slot.title[:SUBJECT_AT_MOST] or "Meeting",
        "start": {"dateTime": instant(slot.starts_at).removesuffix("Z"), "timeZone": "UTC"},
        "end": {"dateTime": instant(slot.ends_at).removesuffix("Z"), "timeZone": "UTC"},
    }


def _shows(entry: Entry, slot: Slot) -> bool:
    """Whether it is at the slot's time. Words are not compared: people may have changed them."""
    there = entries.event(entry).slot
    return (there.starts_at, there.ends_at) == (slot.starts_at, slot.ends_at)


def _is_own(entry: Entry, reference: str) -> bool:
    """Whether we made the event itself: what created it is named once and for ever."""
    return entry.transaction == reference


def _conference(entry: Entry, access: Access, slot: Slot, reference: str) -> Conference:
    stands = not _is_own(entry, reference) or _shows(entry, slot)
    return Conference(
        provider="teams-event",
        connection=access.connection,
        id=entry.id,
        host=access.host,
        join_url=entry.teams_link,
        reference=reference,
        shown=slot.fingerprint if stands else "",
        slot=slot,
        made_at=slot.starts_at,
    )


def _at(access: Access, event: str) -> str:
    return f"{mailbox(access)}/events/{part(event)}"
