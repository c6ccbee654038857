"""What does a suite see of a calendar provider: its client, and what its people may do there?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.events import Change, Event, Slot
from schemas.meetings import Written
from workers.ports import Access, Calendars

NOW = datetime.now(UTC).replace(microsecond=0)
STARTS = (NOW + timedelta(days=2)).replace(hour=9, minute=0, second=0)
SINCE = NOW - timedelta(days=1)
LINK = "https://us05web.zoom.us/j/86123456789?pwd=a"
OTHER = "https://us05web.zoom.us/j/99123456789?pwd=b"
MEETING = "mtg_1"
Do = Callable[[], Awaitable[object]]


@dataclass
class Joined:
    """A provider as the suite sees it, and what its people and its faults may do."""

    port: Calendars
    access: Access
    calendar: str
    sandbox: Sandbox
    name: str

    async def add(self, title: str = "Interview", **fields: Any) -> str:  # noqa: ANN401
        """Somebody makes an event that begins at STARTS unless told; its id."""
        raise NotImplementedError

    async def rename(self, event: str, title: str) -> None:
        """Somebody gives an event another title."""
        raise NotImplementedError

    async def write_around(self, event: str) -> None:
        """Somebody puts words before the location."""
        raise NotImplementedError

    async def wipe(self, event: str) -> None:
        """Somebody empties location and description."""
        raise NotImplementedError

    async def cancel(self, event: str) -> None:
        """Somebody deletes an event."""
        raise NotImplementedError

    async def duplicate(self, event: str) -> str:
        """Somebody copies an event with all that stands in it; the copy's id."""
        raise NotImplementedError

    async def texts(self, event: str) -> tuple[str, str]:
        """Location and description as people see them."""
        raise NotImplementedError

    async def forget_cursors(self) -> None:
        """The provider forgets its cursors."""
        raise NotImplementedError

    async def small_pages(self) -> None:
        """The provider shows two changes a page."""
        raise NotImplementedError

    async def lose_scopes(self) -> None:
        """The account takes back what it allowed."""
        raise NotImplementedError

    async def expire(self) -> None:
        """The access token runs out."""
        raise NotImplementedError

    async def mails(self) -> int:
        """How many mails went to guests."""
        raise NotImplementedError

    async def read(self, cursor: str | None = None) -> tuple[list[Change], str]:
        """All pages of what changed, and the next cursor."""
        changes: list[Change] = []
        page: str | None = None
        while True:
            one = await self.port.read_page(
                self.access, self.calendar, cursor=cursor, page=page, since=SINCE
            )
            changes += one.changes
            if one.next_page is None:
                assert one.cursor is not None
                return changes, one.cursor
            assert one.cursor is None
            page = one.next_page

    async def event(self, event: str) -> Event:
        """One event as our client reads it."""
        read = await self.port.read_event(self.access, self.calendar, event)
        assert isinstance(read, Event)
        return read

    async def write(self, event: str, link: str = LINK) -> Written:
        """Put a link in."""
        target = Written(calendar="cal_1", event=event, join_url=link)
        return await self.port.write_link(self.access, self.calendar, target, meeting=MEETING)

    async def show_slot(self, event: str, slot: Slot) -> tuple[str, ...]:
        """Let an event show a slot."""
        return await self.port.show_slot(self.access, self.calendar, event, slot)

    async def remove(self, event: str, link: str = LINK) -> None:
        """Take a link out."""
        target = Written(calendar="cal_1", event=event, join_url=link)
        await self.port.remove_link(self.access, self.calendar, target)

    async def watch(self, channel: str = "chan-1") -> str:
        """Open a channel to nowhere; its resource."""
        opened = await self.port.watch(
            self.access, self.calendar, channel=channel, address="http://127.0.0.1:9/", token="t"
        )
        assert opened.expires_at > NOW
        return opened.resource

    def calls(self, event: str) -> dict[str, Do]:
        """Every operation of the port, to be called through a fault."""
        return {
            "calendars": lambda: self.port.account(self.access),
            "list": self.read,
            "get": lambda: self.event(event),
            "patch": lambda: self.write(event),
            "watch": self.watch,
            "stop": lambda: self.port.stop(self.access, channel="chan-1", resource="r"),
        }


class Book(ABC):
    """A suite of the role `calendar`; a provider joins by this one method."""

    @abstractmethod
    async def join(self, sandbox: Sandbox, wire: Wire) -> Joined:
        """The provider's client, linked to an account that the sandbox plays."""

    @pytest.fixture
    async def joined(self, sandbox: Sandbox, wire: Wire) -> Joined:
        return await self.join(sandbox, wire)
