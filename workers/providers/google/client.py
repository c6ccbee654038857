"""What can be read and written in a Google calendar? The role `calendar` (v3 of the API).

https://developers.google.com/workspace/calendar/api/v3/reference
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from infra.errors import Refused, Unknown, Vanished
from infra.http.wire import Wire
from schemas.connections import Account
from schemas.desk import CalendarListed
from schemas.events import Event, Gone, Slot
from schemas.meetings import Written
from schemas.records import Wire as Words
from schemas.wire.google import (
    LINK,
    MEETING,
    CalendarRow,
    CalendarRows,
    ChannelOpened,
    Entries,
    Entry,
    link_patch,
    rfc3339,
    slot_patch,
)
from workers.domain.joining import stands, with_link, without_link
from workers.ports import Access, Channel, CursorExpired, Page
from workers.providers.google import entries
from workers.providers.google.answers import remedy

_Said = TypeVar("_Said", bound=Words)

QUERY: Final = "eventTypes=default&maxResults=250&showDeleted=true&singleEvents=false"
"""A sync token belongs to these very parameters; `timeMin` bounds only the first reading (T33)."""
WRITERS: Final = frozenset({"owner", "writer"})
BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Google:
    """One client for all connections; it keeps nothing."""

    query: Final = QUERY

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def account(self, access: Access) -> Account:
        """The account is known by its primary calendar, whose id is its address."""
        for row in await self._calendars(access):
            if row.primary:
                return Account(id=row.id, name=row.summary or row.id)
        raise Refused("this Google account has no calendar of its own")

    async def list_calendars(self, access: Access) -> list[CalendarListed]:
        """The calendars the account can see."""
        return [
            CalendarListed(
                provider_id=row.id,
                name=row.own_name or row.summary or row.id,
                timezone=row.time_zone,
                writable=row.role in WRITERS,
            )
            for row in await self._calendars(access)
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
        """One page. Raises CursorExpired for a token that Google has forgotten or cannot read."""
        place = {"syncToken": cursor} if cursor is not None else {"timeMin": rfc3339(since)}
        if page is not None:
            place["pageToken"] = page
        url = httpx.URL(f"{_events(access, calendar)}?{QUERY}").copy_merge_params(place)
        try:
            answer = await self._call("list", access, "GET", str(url))
        except Refused as refused:
            if cursor is None and page is None:
                raise
            raise CursorExpired(refused.reason) from refused
        said = _read(Entries, answer)
        changes = [entries.change(entry, said.time_zone) for entry in said.items]
        return Page(
            changes=[change for change in changes if change is not None],
            next_page=said.next_page,
            cursor=said.next_sync,
        )

    async def read_event(self, access: Access, calendar: str, event: str) -> Event | Gone:
        """The event as it is now; one that was deleted, or that we may not see, is gone."""
        try:
            entry = await self._entry(access, calendar, event)
        except Vanished:
            return Gone(event=event)
        return entries.event(entry, "UTC")

    async def write_link(
        self, access: Access, calendar: str, target: Written, *, meeting: str
    ) -> Written:
        """Put the link in, unless it can be read there already: a repeat after an unknown outcome
        writes nothing. Guests are neither touched nor told (T24)."""
        entry = await self._entry(access, calendar, target.event)
        marked = entry.properties.private.get(MEETING) == meeting
        standing = entries.ours(entry) == target.join_url and stands(
            entry.location, entry.description, target.join_url
        )
        if marked and standing:
            return target.model_copy(update={"etags": (entry.etag,)})
        bare = without_link(entry.location, entry.description, entries.ours(entry))
        location, description = with_link(*bare, target.join_url)
        patch = link_patch(location, description, meeting=meeting, join_url=target.join_url)
        written = await self._patch(access, calendar, entry, patch)
        return target.model_copy(update={"etags": (entry.etag, written.etag)})

    async def show_slot(
        self, access: Access, calendar: str, event: str, slot: Slot
    ) -> tuple[str, ...]:
        """A repeat writes nothing. Guests are told of another time, lest they come at the old one;
        of another title they are not."""
        entry = await self._entry(access, calendar, event)
        before = entries.slot(entry, "UTC")
        if before.agrees_with(slot):
            return (entry.etag,)
        renamed = before.model_copy(update={"title": slot.title})
        moved = not renamed.agrees_with(slot)
        patch = slot_patch(slot, entry.start.time_zone if moved else None, moved=moved)
        written = await self._patch(access, calendar, entry, patch, tell="all" if moved else "none")
        return (entry.etag, written.etag)

    async def remove_link(self, access: Access, calendar: str, target: Written) -> None:
        """Take our link out; an event that is gone, or carries another link, is left alone."""
        with suppress(Vanished):  # what we wanted
            entry = await self._entry(access, calendar, target.event)
            if LINK in entry.properties.private and entries.ours(entry) != target.join_url:
                return
            bare = without_link(entry.location, entry.description, target.join_url)
            if LINK in entry.properties.private or bare != (entry.location, entry.description):
                patch = link_patch(*bare, meeting=None, join_url=None)
                await self._patch(access, calendar, entry, patch)

    async def watch(
        self, access: Access, calendar: str, *, channel: str, address: str, token: str
    ) -> Channel:
        """Open a push channel; how long it lives only the answer tells."""
        url = f"{_events(access, calendar)}/watch?eventTypes=default"
        body = {"id": channel, "type": "web_hook", "address": address, "token": token}
        said = _read(ChannelOpened, await self._call("watch", access, "POST", url, body=body))
        ends = BEGIN + timedelta(milliseconds=said.expiration)
        return Channel(resource=said.resource, expires_at=ends)

    async def renew(self, access: Access, *, channel: str, resource: str) -> Channel | None:
        """Google's channels are not renewed: another is opened."""
        return None

    async def stop(self, access: Access, *, channel: str, resource: str) -> None:
        """Close a push channel; one that Google does not know is closed."""
        body = {"id": channel, "resourceId": resource}
        with suppress(Vanished):  # closed already
            await self._call("stop", access, "POST", f"{access.api}/channels/stop", body=body)

    async def _calendars(self, access: Access) -> list[CalendarRow]:
        rows: list[CalendarRow] = []
        page: str | None = ""
        while page is not None:
            url = httpx.URL(f"{access.api}/users/me/calendarList?maxResults=250")
            at = url.copy_merge_params({"pageToken": page}) if page else url
            said = _read(CalendarRows, await self._call("calendars", access, "GET", str(at)))
            rows += [row for row in said.items if not row.deleted]
            page = said.next_page
        return rows

    async def _entry(self, access: Access, calendar: str, event: str) -> Entry:
        """Raises Vanished for a deleted one too, which Google goes on showing as cancelled."""
        url = f"{_events(access, calendar)}/{quote(event, safe='')}"
        entry = _read(Entry, await self._call("get", access, "GET", url))
        if entry.cancelled:
            raise Vanished(f"event {event} was deleted")
        return entry

    async def _patch(
        self,
        access: Access,
        calendar: str,
        entry: Entry,
        patch: Mapping[str, Any],
        *,
        tell: str = "none",
    ) -> Entry:
        url = f"{_events(access, calendar)}/{quote(entry.id, safe='')}?sendUpdates={tell}"
        answer = await self._call("patch", access, "PATCH", url, body=patch, etag=entry.etag)
        return _read(Entry, answer)

    async def _call(
        self,
        operation: str,
        access: Access,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        etag: str = "",
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {access.token}"}
        if etag:
            headers["If-Match"] = etag
        request = httpx.Request(method, url, headers=headers, json=body)
        answer = await self._wire.send(request, name=f"google.{operation}")
        if error := remedy(answer, access.connection):
            raise error
        return answer


def _events(access: Access, calendar: str) -> str:
    return f"{access.api}/calendars/{quote(calendar, safe='')}/events"


def _read(words: type[_Said], answer: httpx.Response) -> _Said:
    try:
        return words.model_validate_json(answer.content)
    except ValidationError as error:  # not chained: it would quote what people wrote
        fields = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        status = HTTPStatus(answer.status_code).value
        said = f"Google Calendar answered {status} in words we do not know: {fields[:5]}"
        raise Unknown(said) from None
