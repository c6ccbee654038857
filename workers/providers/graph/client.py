"""What can be read and written in a calendar of Microsoft 365? The role `calendar`.

https://learn.microsoft.com/graph/api/resources/calendar
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from infra.certificates import Certificate
from infra.errors import Refused, Unknown, Vanished
from infra.http.wire import Wire
from schemas.connections import Account
from schemas.desk import CalendarListed
from schemas.events import Change, Event, Gone, Slot
from schemas.meetings import Written
from schemas.wire.graph import (
    EXPANDED,
    MEETING,
    SELECTED,
    CalendarRow,
    CalendarRows,
    Entries,
    Entry,
    Location,
    User,
    instant,
    link_patch,
    slot_patch,
)
from workers.domain.joining import stands, with_link, without_link
from workers.ports import Access, Channel, CursorExpired, Page
from workers.providers.graph import entries, subscriptions
from workers.providers.graph.answers import read
from workers.providers.graph.bodies import with_block, without_block
from workers.providers.graph.calls import Asking, call, is_ours, mailbox, part

PRIMARY: Final = "primary"
"""What we call the default calendar of a mailbox: only of that one is there a delta, and a push."""
AHEAD: Final = timedelta(days=366)
"""How far a view reaches. The daily full reading moves it on."""


class Graph:
    """One client for all connections; it keeps nothing."""

    query: Final = f"view={AHEAD.days}"

    def __init__(
        self, wire: Wire, now: Callable[[], datetime], certificate: Certificate | None = None
    ) -> None:
        self._wire = wire
        self._now = now
        self._certificate = certificate

    async def account(self, access: Access) -> Account:
        """The person behind the token; for an application, the mailbox that it was sent to."""
        if not access.host:
            said = read(User, await self._get("user", access, f"{access.api}/me"))
            return Account(id=said.id, name=said.display_name or said.mail or said.principal)
        answer = await self._get("calendar", access, f"{mailbox(access)}/calendar")
        owner = read(CalendarRow, answer).owner
        name = (owner.name or owner.address) if owner else ""
        return Account(id=access.host, name=name or access.host)

    async def list_calendars(self, access: Access) -> list[CalendarListed]:
        """The calendars of the mailbox. Graph names no zone of one: events have their own."""
        return [
            CalendarListed(
                provider_id=PRIMARY if row.primary else row.id,
                name=row.name or row.id,
                timezone="UTC",
                writable=row.can_edit,
            )
            async for row in self._calendars(access)
        ]

    async def read_page(
        self,
        access: Access,
        calendar: str,
        *,
        cursor: str | None,
        page: str | None,
        since: datetime,
    ) -> Page:
        """One page: of the delta of the default calendar, of the whole view of another, which ends
        without a cursor. Raises CursorExpired for a link that leads elsewhere or nowhere."""
        link = page or cursor
        if link is not None and not is_ours(access, link):
            raise CursorExpired("the link leads to another address than we call")
        answer = await self._get("list", access, link or _view(access, calendar, since))
        said = read(Entries, answer)
        for told in (said.next_link, said.delta_link):
            if told is not None and not is_ours(access, told):
                raise Unknown("Microsoft Graph pointed to another address than we call")
        return Page(
            changes=[change async for change in self._changes(access, said.value)],
            next_page=said.next_link,
            cursor=said.delta_link,
        )

    async def read_event(self, access: Access, calendar: str, event: str) -> Event | Gone:
        """The event as it is now; one that was deleted, or that we may not see, is gone."""
        try:
            return entries.event(await self._entry(access, event))
        except Vanished:
            return Gone(event=event)

    async def write_link(
        self, access: Access, calendar: str, target: Written, *, meeting: str
    ) -> Written:
        """Put the link in, unless it can be read there already: a repeat after an unknown outcome
        writes nothing. Guests are not changed; Exchange tells them of a new place by itself."""
        entry = await self._entry(access, target.event)
        standing = entries.ours(entry) == target.join_url and stands(
            entries.place_of(entry), entries.text_of(entry).content, target.join_url
        )
        if standing and entry.held(MEETING) == meeting:
            return target.model_copy(update={"etags": (entry.etag,)})
        place, _ = without_link(entries.place_of(entry), "", entries.ours(entry))
        place, _ = with_link(place, "", target.join_url)
        body = with_block(without_block(entries.text_of(entry)), target.join_url)
        patch = link_patch(_at(entry, place), body, meeting=meeting, join_url=target.join_url)
        written = await self._patch(access, entry, patch)
        return target.model_copy(update={"etags": (entry.etag, written.etag)})

    async def show_slot(
        self, access: Access, calendar: str, event: str, slot: Slot
    ) -> tuple[str, ...]:
        """A repeat writes nothing. Exchange tells the guests of another time by itself."""
        entry = await self._entry(access, event)
        before = entries.slot(entry)
        if before.agrees_with(slot):
            return (entry.etag,)
        renamed = before.model_copy(update={"title": slot.title})
        moved = not renamed.agrees_with(slot)
        patch = slot_patch(slot, entries.zone_of(entry), moved=moved)
        written = await self._patch(access, entry, patch)
        return (entry.etag, written.etag)

    async def remove_link(self, access: Access, calendar: str, target: Written) -> None:
        """Take our link out; an event that is gone, or carries another link, is left alone."""
        with suppress(Vanished):  # what we wanted
            entry = await self._entry(access, target.event)
            held = entries.ours(entry)
            if held and held != target.join_url:
                return
            place, _ = without_link(entries.place_of(entry), "", target.join_url)
            body = without_block(entries.text_of(entry))
            if held or (place, body) != (entries.place_of(entry), entries.text_of(entry)):
                patch = link_patch(_at(entry, place), body, meeting="", join_url="")
                await self._patch(access, entry, patch)

    async def watch(
        self, access: Access, calendar: str, *, channel: str, address: str, token: str
    ) -> Channel:
        """Open a push channel for the default calendar; others cannot be watched."""
        if calendar != PRIMARY:
            raise Refused("Microsoft Graph pushes changes of a mailbox's default calendar only")
        asked = subscriptions.Asked(self._now(), self._certificate)
        return await subscriptions.subscribe(
            self._wire, access, asked, address=address, secret=token
        )

    async def renew(self, access: Access, *, channel: str, resource: str) -> Channel | None:
        """Let a push channel live on, which also answers a `reauthorizationRequired`; not one that
        tells content when none is wanted, or the other way round."""
        asked = subscriptions.Asked(self._now(), self._certificate)
        return await subscriptions.renew(self._wire, access, resource, asked)

    async def stop(self, access: Access, *, channel: str, resource: str) -> None:
        """Close a push channel; one that Graph does not know is closed."""
        await subscriptions.stop(self._wire, access, resource)

    async def _changes(self, access: Access, found: tuple[Entry, ...]) -> AsyncIterator[Change]:
        """What a page tells. A view shows occurrences, and perhaps not the series they are of: that
        one is read, once, so that a series is one event however few of its occurrences came."""
        latest = {entry.id: entry for entry in found}
        for series in sorted({entry.series or "" for entry in found} - {"", *latest}):
            latest[series] = Entry(id=series, type="seriesMaster")
        for entry in latest.values():
            async for change in self._change(access, entry):
                yield change

    async def _change(self, access: Access, entry: Entry) -> AsyncIterator[Change]:
        """What left the view may only have moved out of it, so it is looked at before it counts as
        gone."""
        if entry.removed is not None or (entry.series is None and entries.says_more(entry)):
            try:
                entry = await self._entry(access, entry.id)
            except Vanished:
                yield Gone(event=entry.id)
                return
        if entry.series is not None:
            if (one := entries.occurrence(entry)) is not None:
                yield one
            return
        yield entries.event(entry)
        if entry.type == "seriesMaster":
            yield entries.called_off(entry)

    async def _calendars(self, access: Access) -> AsyncIterator[CalendarRow]:
        url: str | None = f"{mailbox(access)}/calendars?$top=100"
        while url is not None:
            said = read(CalendarRows, await self._get("calendars", access, url))
            for row in said.value:
                yield row
            url = said.next_link
            if url is not None and not is_ours(access, url):
                raise Unknown("Microsoft Graph pointed to another address than we call")

    async def _entry(self, access: Access, event: str) -> Entry:
        """Raises Vanished for a deleted one."""
        query = httpx.QueryParams({"$select": SELECTED, "$expand": EXPANDED})
        url = f"{mailbox(access)}/events/{part(event)}?{query}"
        return read(Entry, await self._get("get", access, url))

    async def _patch(self, access: Access, entry: Entry, patch: dict[str, Any]) -> Entry:
        url = f"{mailbox(access)}/events/{part(entry.id)}"
        asking = Asking("graph.patch", "PATCH", url)
        answer = await call(self._wire, asking, access, body=patch, etag=entry.etag)
        return read(Entry, answer)

    async def _get(self, operation: str, access: Access, url: str) -> httpx.Response:
        return await call(self._wire, Asking(f"graph.{operation}", "GET", url), access)


def _view(access: Access, calendar: str, since: datetime) -> str:
    """The first page of a reading. A cursor is bound to this very window."""
    window = {"startDateTime": instant(since), "endDateTime": instant(since + AHEAD)}
    query = httpx.QueryParams(window)
    if calendar == PRIMARY:
        return f"{mailbox(access)}/calendarView/delta?{query}"
    query = query.merge({"$top": "50", "$select": SELECTED})
    return f"{mailbox(access)}/calendars/{part(calendar)}/calendarView?{query}"


def _at(entry: Entry, place: str) -> dict[str, Any]:
    """The location under another name, all else of it as it came."""
    location = entry.location or Location()
    return location.model_dump(by_alias=True) | {"displayName": place}
