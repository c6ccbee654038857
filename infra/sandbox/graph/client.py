"""What can a test do and see at Microsoft Graph?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.sandbox.documents import Doc, section, text, whole
from infra.sandbox.hands import Json, Provider, Side


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as Graph shows it; `doc` is the whole of it."""

    doc: Doc

    @property
    def id(self) -> str:
        """Its id, which stays when it is moved."""
        return text(self.doc, "id")

    @property
    def title(self) -> str:
        """Its subject."""
        return text(self.doc, "subject")

    @property
    def location(self) -> str:
        """The display name of its location."""
        return text(section(self.doc, "location"), "displayName")

    @property
    def content(self) -> str:
        """Its body, HTML or text."""
        return text(section(self.doc, "body"), "content")


class GraphSide(Side):
    """Graph: mailboxes, calendars, events, subscriptions, online meetings."""

    provider: Provider = "graph"
    everything = "offline_access User.Read Calendars.ReadWrite OnlineMeetings.ReadWrite"

    async def add_account(
        self,
        email: str,
        *,
        name: str = "",
        zone: str = "W. Europe Standard Time",
        room: bool = False,
    ) -> str:
        """Open a mailbox; returns its object id."""
        told = await self._hands.doc(
            "graph/add_account", email=email, name=name or email, zone=zone, room=room
        )
        return text(told, "id")

    async def add_calendar(self, mailbox: str, name: str) -> str:
        """Open another calendar; returns its id."""
        return text(await self._hands.doc("graph/add_calendar", mailbox=mailbox, name=name), "id")

    async def permit(self, mailbox: str, *, permitted: bool) -> None:
        """Put a mailbox into the applications' access policy, or out of it."""
        await self._hands.do("graph/permit", mailbox=mailbox, permitted=permitted)

    async def add_event(
        self,
        mailbox: str,
        *,
        title: str,
        starts: datetime | None = None,
        lasts: timedelta = timedelta(hours=1),
        zone: str = "UTC",
        calendar: str = "",
        **body: Json,
    ) -> Entry:
        """Somebody makes an event; it starts tomorrow unless said. `starts` without a zone is the
        wall clock of `zone`. Other fields as Graph's."""
        begin = starts or datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
        times = {"start": moment(begin, zone), "end": moment(begin + lasts, zone)}
        told = {"subject": title, **times, **body}
        doc = await self._hands.doc(
            "graph/add_event", mailbox=mailbox, calendar=calendar, body=told
        )
        return Entry(doc)

    async def change_event(self, mailbox: str, event: str, **patch: Json) -> Entry:
        """Somebody changes an event or an occurrence by fields as Graph's."""
        told = await self._hands.doc("graph/change_event", mailbox=mailbox, event=event, body=patch)
        return Entry(told)

    async def move_event(
        self,
        mailbox: str,
        event: str,
        *,
        starts: datetime,
        lasts: timedelta = timedelta(hours=1),
        zone: str = "UTC",
    ) -> Entry:
        """Somebody moves an event or an occurrence."""
        times = {"start": moment(starts, zone), "end": moment(starts + lasts, zone)}
        return await self.change_event(mailbox, event, **times)

    async def cancel_event(self, mailbox: str, event: str) -> None:
        """Somebody deletes an event or an occurrence."""
        await self._hands.do("graph/cancel_event", mailbox=mailbox, event=event)

    async def event(self, mailbox: str, event: str) -> Entry:
        """Return one event, with its extended properties as `properties`."""
        return Entry(await self._hands.doc("graph/event", mailbox=mailbox, event=event))

    async def events(self, mailbox: str) -> list[Entry]:
        """Return a mailbox's events, exceptions of series too."""
        return [Entry(one) for one in await self._hands.docs("graph/events", mailbox=mailbox)]

    async def meetings(self, mailbox: str) -> list[Doc]:
        """Return a mailbox's online meetings."""
        return await self._hands.docs("graph/meetings", mailbox=mailbox)

    async def delete_meeting(self, mailbox: str, meeting: str) -> None:
        """Somebody deletes an online meeting."""
        await self._hands.do("graph/delete_meeting", mailbox=mailbox, meeting=meeting)

    async def move_meeting(self, mailbox: str, meeting: str, *, starts: datetime) -> None:
        """Somebody moves an online meeting."""
        told = {"mailbox": mailbox, "meeting": meeting, "starts": starts.isoformat()}
        await self._hands.do("graph/move_meeting", **told)

    async def subscriptions(self) -> list[Doc]:
        """Return the subscriptions there are: id, mailbox, address, expires, sent."""
        return await self._hands.docs("graph/subscriptions")

    async def drop_subscription(self, subscription: str) -> None:
        """Lose a subscription without a word, as Graph does now and then."""
        await self._hands.do("graph/drop_subscription", subscription=subscription)

    async def lifecycle(self, subscription: str, what: str) -> None:
        """Send `reauthorizationRequired`, `subscriptionRemoved` (and remove it) or `missed`."""
        await self._hands.do("graph/lifecycle", subscription=subscription, what=what)

    async def notify(self, mailbox: str, *, count: int = 1) -> None:
        """Send `updated` of nothing in particular to those who watch a mailbox."""
        await self._hands.do("graph/notify", mailbox=mailbox, count=count)

    async def rotate_keys(self) -> None:
        """Sign tokens with a new key, as the vendor does without a word."""
        await self._hands.do("graph/rotate_keys")

    async def expire_deltas(self, mailbox: str) -> None:
        """Answer every delta and skip token of a mailbox with 410 from now on."""
        await self._hands.do("graph/expire_deltas", mailbox=mailbox)

    async def mails(self) -> list[Doc]:
        """Return the mails that guests got."""
        return await self._hands.docs("graph/mails")

    async def most_at_once(self) -> int:
        """The most calls of one mailbox that were ever under way together."""
        return whole(await self._hands.doc("graph/quota"), "most_at_once")


def moment(at: datetime, zone: str) -> Doc:
    """Write a moment as Graph takes it: the wall clock of a zone, without an offset."""
    if at.tzinfo is not None:
        at, zone = at.astimezone(UTC), "UTC" if zone == "UTC" else zone
    return {"dateTime": f"{at:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": zone}
