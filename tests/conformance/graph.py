"""Microsoft Graph as the sandbox plays it, for the suites of both roles."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from infra.certificates import Certificates
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from infra.sandbox.documents import Doc, text
from schemas.wire.graph import LINK, MEETING
from tests.conformance.calendar_stage import STARTS, Do, Joined
from workers.ports import Access
from workers.providers import calendars
from workers.providers.graph.client import PRIMARY
from workers.providers.graph.series import WEEK

ADA = "ada@example.org"
_TAG = re.compile(r"<[^>]*>")
_HEAD = re.compile(r"<head>.*?</head>", re.DOTALL)


def pattern(rules: Sequence[str], starts: datetime) -> Doc:
    """The rules of the suite in Graph's own words."""
    parts = dict(part.split("=") for part in rules[0].removeprefix("RRULE:").split(";"))
    kind = {"WEEKLY": "weekly", "DAILY": "daily"}[parts["FREQ"]]
    days: Doc = {"daysOfWeek": [WEEK[starts.weekday()]]} if kind == "weekly" else {}
    bounds: Doc = {"type": "noEnd", "startDate": f"{starts:%Y-%m-%d}"}
    if "COUNT" in parts:
        bounds |= {"type": "numbered", "numberOfOccurrences": int(parts["COUNT"])}
    return {"pattern": {"type": kind, "interval": 1, **days}, "range": bounds}


def visible(content: str) -> str:
    """What people read of a page."""
    return html.unescape(_TAG.sub("", _HEAD.sub("", content).replace("<br>", "\n")))


@dataclass
class AtGraph(Joined):
    """A mailbox; its bodies are HTML unless a test says otherwise."""

    mailbox: str
    body_type: str = "html"

    @override
    async def add(self, title: str = "Interview", **fields: Any) -> str:
        given: dict[str, Any] = {"starts": STARTS, "zone": "UTC", **fields}
        if "recurrence" in given:
            given["recurrence"] = pattern(given["recurrence"], given["starts"])
        if "location" in given:
            given["location"] = {"displayName": given["location"]}
        if "description" in given:
            content = given.pop("description")
            given["body"] = {"contentType": self.body_type, "content": content}
        if "attendees" in given:
            given["attendees"] = [
                {"emailAddress": {"address": one["email"]}, "type": "required"}
                for one in given["attendees"]
            ]
        return (await self.sandbox.graph.add_event(self.mailbox, title=title, **given)).id

    @override
    async def rename(self, event: str, title: str) -> None:
        await self.sandbox.graph.change_event(self.mailbox, event, subject=title)

    @override
    async def write_around(self, event: str) -> None:
        location, _ = await self.texts(event)
        place = {"displayName": f"Floor 2, {location}"}
        await self.sandbox.graph.change_event(self.mailbox, event, location=place)

    @override
    async def wipe(self, event: str) -> None:
        empty = {"contentType": self.body_type, "content": ""}
        place = {"displayName": ""}
        await self.sandbox.graph.change_event(self.mailbox, event, location=place, body=empty)

    @override
    async def cancel(self, event: str) -> None:
        await self.sandbox.graph.cancel_event(self.mailbox, event)

    @override
    async def duplicate(self, event: str) -> str:
        doc = (await self.sandbox.graph.event(self.mailbox, event)).doc
        properties = doc["properties"]
        assert isinstance(properties, dict)
        held = [{"id": key, "value": value} for key, value in properties.items()]
        twin = await self.sandbox.graph.add_event(
            self.mailbox,
            title="Copy",
            starts=STARTS,
            location=doc["location"],
            body=doc["body"],
            singleValueExtendedProperties=held,
        )
        return twin.id

    @override
    async def texts(self, event: str) -> tuple[str, str]:
        stored = await self.sandbox.graph.event(self.mailbox, event)
        content = stored.content
        return stored.location, visible(content) if self.body_type == "html" else content

    @override
    async def forget_cursors(self) -> None:
        await self.sandbox.graph.expire_deltas(self.mailbox)

    @override
    async def small_pages(self) -> None:
        await self.sandbox.graph.settings(page_cap=2)

    @override
    async def lose_scopes(self) -> None:
        await self.sandbox.graph.set_scopes(self.mailbox, "User.Read Calendars.Read")

    @override
    async def expire(self) -> None:
        await self.sandbox.graph.expire_access(self.mailbox)

    @override
    async def mails(self) -> int:
        return len(await self.sandbox.graph.mails())

    @override
    def calls(self, event: str) -> dict[str, Do]:
        given = super().calls(event)
        return {**given, "calendars": lambda: self.port.list_calendars(self.access)}

    async def held(self, event: str) -> dict[str, str]:
        """Our extended properties of an event: the meeting and the link."""
        doc = (await self.sandbox.graph.event(self.mailbox, event)).doc
        properties = doc["properties"]
        assert isinstance(properties, dict)
        return {key: text(properties, key) for key in (MEETING, LINK)}


async def at_graph(
    sandbox: Sandbox, wire: Wire, certificates: Certificates | None = None
) -> AtGraph:
    """A person's mailbox, with the least scopes that the product asks for."""
    await sandbox.graph.settings(handshake=False)
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    tokens = await sandbox.graph.sign_in(mailbox, scopes="User.Read Calendars.ReadWrite")
    api = f"{sandbox.url}/graph/v1.0"
    access = Access(connection="con_1", api=api, host=mailbox, token=tokens.access, serial=1)
    port = calendars(wire, lambda: datetime.now(UTC), certificates)["graph"]
    return AtGraph(port, access, PRIMARY, sandbox, "graph", mailbox)


def nobody(access: Access) -> Access:
    """The access at link time, when whose account it is is not known yet."""
    return replace(access, host="")


def ahead(days: int) -> datetime:
    """So many days after the suite's usual start."""
    return STARTS + timedelta(days=days)
