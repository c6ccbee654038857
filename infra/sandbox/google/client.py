"""What can a test do and see at Google?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.sandbox.documents import Doc, section, text, whole
from infra.sandbox.hands import Json, Provider, Side


@dataclass(frozen=True, slots=True)
class Event:
    """An event as Google stores it; `doc` is the whole of it."""

    doc: Doc

    @property
    def id(self) -> str:
        """Its id in its calendar."""
        return text(self.doc, "id")

    @property
    def title(self) -> str:
        """Its summary."""
        return text(self.doc, "summary")

    @property
    def location(self) -> str:
        """Its location."""
        return text(self.doc, "location")

    @property
    def description(self) -> str:
        """Its description."""
        return text(self.doc, "description")

    @property
    def etag(self) -> str:
        """Its version."""
        return text(self.doc, "etag")

    @property
    def cancelled(self) -> bool:
        """Whether it was deleted."""
        return self.doc.get("status") == "cancelled"

    @property
    def private(self) -> dict[str, str]:
        """Its private extended properties."""
        held = section(section(self.doc, "extendedProperties"), "private")
        return {key: str(value) for key, value in held.items()}


class GoogleSide(Side):
    """Google: accounts, calendars, events and channels."""

    provider: Provider = "google"
    everything = "https://www.googleapis.com/auth/calendar"

    async def add_account(
        self, email: str, *, name: str = "", zone: str = "Europe/Berlin", room: bool = False
    ) -> str:
        """Open an account; returns the id of its primary calendar, which is the address."""
        await self._hands.do(
            "google/add_account", email=email, name=name or email, zone=zone, room=room
        )
        return email

    async def add_calendar(
        self,
        owner: str,
        summary: str,
        *,
        zone: str = "Europe/Berlin",
        roles: dict[str, str] | None = None,
    ) -> str:
        """Open another calendar; returns its id."""
        told = await self._hands.doc(
            "google/add_calendar", owner=owner, summary=summary, zone=zone, roles=roles or {}
        )
        return text(told, "id")

    async def share(self, calendar: str, roles: dict[str, str]) -> None:
        """Give others a role (owner, writer, reader) on a calendar."""
        await self._hands.do("google/share", calendar=calendar, roles=roles)

    async def remove_calendar(self, calendar: str) -> None:
        """Remove a calendar; its channels hear `not_exists`."""
        await self._hands.do("google/remove_calendar", calendar=calendar)

    async def add_event(
        self,
        calendar: str,
        *,
        title: str,
        starts: datetime | None = None,
        lasts: timedelta = timedelta(hours=1),
        zone: str = "",
        **body: Json,
    ) -> Event:
        """Somebody makes an event; it starts tomorrow unless said. Other fields as Google's."""
        begin = starts or await self._tomorrow()
        times = {"start": _moment(begin, zone), "end": _moment(begin + lasts, zone)}
        told = {"summary": title, **times, **body}
        return Event(await self._hands.doc("google/add_event", calendar=calendar, body=told))

    async def change_event(self, calendar: str, event: str, **patch: Json) -> Event:
        """Somebody changes an event (or an instance) by fields as Google's; None removes one."""
        return Event(
            await self._hands.doc("google/change_event", calendar=calendar, event=event, body=patch)
        )

    async def move_event(
        self,
        calendar: str,
        event: str,
        *,
        starts: datetime,
        lasts: timedelta = timedelta(hours=1),
        zone: str = "",
    ) -> Event:
        """Somebody moves an event (or an instance)."""
        return await self.change_event(
            calendar, event, start=_moment(starts, zone), end=_moment(starts + lasts, zone)
        )

    async def cancel_event(self, calendar: str, event: str) -> None:
        """Somebody deletes an event; an instance's id cancels that instance."""
        await self._hands.do("google/cancel_event", calendar=calendar, event=event)

    async def event(self, calendar: str, event: str) -> Event:
        """Return one event as stored."""
        return Event(await self._hands.doc("google/event", calendar=calendar, event=event))

    async def events(self, calendar: str, *, deleted: bool = False) -> list[Event]:
        """Return a calendar's events."""
        told = await self._hands.docs("google/events", calendar=calendar, deleted=deleted)
        return [Event(doc) for doc in told]

    async def channels(self) -> list[Doc]:
        """Return the channels ever opened: id, calendar, address, stopped, sent, expires_ms."""
        return await self._hands.docs("google/channels")

    async def mails(self) -> list[Doc]:
        """Return the mails that guests got."""
        return await self._hands.docs("google/mails")

    async def notify(self, calendar: str, *, state: str = "exists", count: int = 1) -> None:
        """Send messages on a calendar's channels though nothing changed."""
        await self._hands.do("google/notify", calendar=calendar, state=state, count=count)

    async def expire_sync_tokens(self, calendar: str) -> None:
        """Answer every sync token of a calendar with 410 from now on."""
        await self._hands.do("google/expire_sync_tokens", calendar=calendar)

    async def reads_of(self, calendar: str) -> int:
        """Count the list calls of one calendar."""
        counts = await self._hands.doc("stage/calls", subject=calendar)
        return whole(counts, "google.list")

    async def _tomorrow(self) -> datetime:
        now = datetime.fromisoformat(text(await self._hands.doc("stage/clock"), "now"))
        return now.replace(microsecond=0) + timedelta(days=1)


def _moment(at: datetime, zone: str) -> Doc:
    return {"dateTime": at.isoformat(), **({"timeZone": zone} if zone else {})}
