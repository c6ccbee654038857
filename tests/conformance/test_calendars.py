"""Each provider in the role `calendar` joins the suite, and what only it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from infra.errors import RateLimited, Refused, Vanished
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.events import Event, Occurrence
from schemas.providers import GOOGLE
from tests.conformance.calendar_faults import Suffers
from tests.conformance.calendar_stage import SINCE, STARTS, Joined
from tests.conformance.calendars import Reads, Writes
from workers.ports import Access, CursorExpired
from workers.providers import calendars

ADA = "ada@example.org"


@dataclass
class AtGoogle(Joined):
    """Google Calendar as the sandbox plays it."""

    @override
    async def add(self, title: str = "Interview", **fields: Any) -> str:
        given = {"starts": STARTS, "zone": "UTC", **fields}
        return (await self.sandbox.google.add_event(self.calendar, title=title, **given)).id

    @override
    async def rename(self, event: str, title: str) -> None:
        await self.sandbox.google.change_event(self.calendar, event, summary=title)

    @override
    async def write_around(self, event: str) -> None:
        location, _ = await self.texts(event)
        await self.sandbox.google.change_event(
            self.calendar, event, location=f"Floor 2, {location}"
        )

    @override
    async def wipe(self, event: str) -> None:
        await self.sandbox.google.change_event(
            self.calendar, event, location=None, description=None
        )

    @override
    async def cancel(self, event: str) -> None:
        await self.sandbox.google.cancel_event(self.calendar, event)

    @override
    async def duplicate(self, event: str) -> str:
        doc = (await self.sandbox.google.event(self.calendar, event)).doc
        kept = ("location", "description", "extendedProperties")
        return await self.add("Copy", **{key: doc[key] for key in kept})

    @override
    async def texts(self, event: str) -> tuple[str, str]:
        stored = await self.sandbox.google.event(self.calendar, event)
        return stored.location, stored.description

    @override
    async def forget_cursors(self) -> None:
        await self.sandbox.google.expire_sync_tokens(self.calendar)

    @override
    async def small_pages(self) -> None:
        await self.sandbox.google.settings(page_cap=2)

    @override
    async def lose_scopes(self) -> None:
        await self.sandbox.google.set_scopes(
            self.calendar, "https://www.googleapis.com/auth/calendar.readonly"
        )

    @override
    async def expire(self) -> None:
        await self.sandbox.google.expire_access(self.calendar)

    @override
    async def mails(self) -> int:
        return len(await self.sandbox.google.mails())


async def at_google(sandbox: Sandbox, wire: Wire) -> AtGoogle:
    calendar = await sandbox.google.add_account(ADA)
    scopes = " ".join(GOOGLE.oauth.scopes) if GOOGLE.oauth else ""
    tokens = await sandbox.google.sign_in(ADA, scopes=scopes)
    api = f"{sandbox.url}/google/calendar/v3"
    access = Access(connection="con_1", api=api, host=ADA, token=tokens.access, serial=1)
    port = calendars(wire, lambda: datetime.now(UTC))["google"]
    return AtGoogle(port, access, calendar, sandbox, "google")


class TestGoogle(Reads, Writes, Suffers):
    """Google joins with the least scopes that the product asks for."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> AtGoogle:
        return await at_google(sandbox, wire)


@pytest.fixture
async def google(sandbox: Sandbox, wire: Wire) -> AtGoogle:
    return await at_google(sandbox, wire)


async def test_googles_account_is_its_primary_calendar(google: AtGoogle) -> None:
    holidays = {"id": "holidays", "summary": "Holidays"}
    own = {"id": ADA, "summary": "Ada", "primary": True}
    both = {"items": [holidays, own]}
    await google.sandbox.fault("google.calendars", "before", status=200, body=both)

    account = await google.port.account(google.access)

    assert (account.id, account.name) == (ADA, "Ada")


async def test_an_account_without_a_calendar_of_its_own_is_refused(google: AtGoogle) -> None:
    await google.sandbox.fault("google.calendars", "before", status=200, body={"items": []})

    with pytest.raises(Refused):
        await google.port.account(google.access)


async def test_calendars_come_page_by_page(google: AtGoogle) -> None:
    first = {"items": [{"id": "a", "accessRole": "reader"}], "nextPageToken": "p2"}
    gone = {"id": "b", "deleted": True}
    second = {"items": [gone, {"id": "c", "summaryOverride": "Mine"}]}
    await google.sandbox.fault("google.calendars", "before", status=200, body=first)
    await google.sandbox.fault("google.calendars", "before", status=200, body=second)

    listed = await google.port.list_calendars(google.access)

    assert [(one.provider_id, one.name, one.writable) for one in listed] == [
        ("a", "a", False),
        ("c", "Mine", False),
    ]


async def test_only_a_full_reading_is_bounded_by_time(google: AtGoogle) -> None:
    _, cursor = await google.read()
    await google.sandbox.forget_calls()
    await google.add(starts=SINCE - timedelta(days=9))

    changes, _ = await google.read(cursor)

    assert len(changes) == 1  # a delta shows all, timeMin would be refused with it


async def test_a_full_reading_that_google_refuses_is_no_expired_cursor(google: AtGoogle) -> None:
    await google.sandbox.fault("google.list", "before", status=400)

    with pytest.raises(Refused):
        await google.read()


async def test_a_page_token_that_google_cannot_read_starts_the_reading_anew(
    google: AtGoogle,
) -> None:
    with pytest.raises(CursorExpired):
        await google.port.read_page(
            google.access, google.calendar, cursor=None, page="nonsense", since=SINCE
        )


async def test_exceptions_of_a_series_come_as_its_occurrences(google: AtGoogle) -> None:
    series = await google.add(recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    _, cursor = await google.read()
    second, third = (STARTS + timedelta(days=days) for days in (1, 2))
    await google.sandbox.google.cancel_event(google.calendar, f"{series}_{second:%Y%m%dT%H%M%SZ}")
    await google.sandbox.google.move_event(
        google.calendar, f"{series}_{third:%Y%m%dT%H%M%SZ}", starts=third + timedelta(hours=2)
    )

    changes, _ = await google.read(cursor)

    seen = {
        (one.event, one.what, datetime.fromisoformat(one.original_start).astimezone(UTC))
        for one in changes
        if isinstance(one, Occurrence)
    }
    assert seen == {(series, "cancelled", second), (series, "moved", third)}
    assert all(isinstance(one, Event | Occurrence) for one in changes)


async def test_a_link_written_to_a_series_is_written_once_to_its_master(google: AtGoogle) -> None:
    series = await google.add(recurrence=["RRULE:FREQ=DAILY;COUNT=5"], location="zoom")

    await google.write(series)

    assert (await google.event(series)).mark is not None
    assert len(await google.sandbox.google.events(google.calendar)) == 1


async def test_a_meet_link_is_seen(google: AtGoogle) -> None:
    data = {"entryPoints": [{"entryPointType": "video", "uri": "https://meet.google.com/a-b"}]}
    event = await google.add(location="zoom", conferenceData=data, hangoutLink="https://x")

    assert (await google.event(event)).foreign_link


async def test_only_three_fields_are_ever_written(google: AtGoogle) -> None:
    guests = [{"email": "bob@example.com", "responseStatus": "accepted"}]
    event = await google.add(location="zoom", attendees=guests, colorId="5")
    before = (await google.sandbox.google.event(google.calendar, event)).doc

    await google.write(event)

    after = (await google.sandbox.google.event(google.calendar, event)).doc
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    ours = {"location", "description", "extendedProperties"}
    assert changed - {"etag", "updated", "sequence"} == ours


async def test_googles_limit_against_abuse_parks_for_hours(google: AtGoogle) -> None:
    event = await google.add(location="zoom")
    await google.sandbox.fault("google.patch", "before", status=403, reason="quotaExceeded")

    with pytest.raises(RateLimited) as raised:
        await google.write(event)

    assert raised.value.until - datetime.now(UTC) > timedelta(hours=3)


async def test_only_the_organiser_may_change_some_events(google: AtGoogle) -> None:
    event = await google.add(location="zoom")
    reason = "forbiddenForNonOrganizer"
    await google.sandbox.fault("google.patch", "before", status=403, reason=reason)

    with pytest.raises(Refused) as raised:
        await google.write(event)

    assert raised.value.reason == "only the event's organiser may change it"


@pytest.mark.parametrize("calendar", ["nobody@example.org", "en.german#holiday@example.org"])
async def test_a_calendar_that_nobody_has_vanished(google: AtGoogle, calendar: str) -> None:
    google.calendar = calendar

    with pytest.raises(Vanished):
        await google.read()

    assert await google.sandbox.calls("google.list") == 1


async def test_a_mark_without_text_and_a_block_without_a_mark_are_both_removed(
    google: AtGoogle,
) -> None:
    event = await google.add(location="zoom")
    await google.write(event)
    _, block = await google.texts(event)
    await google.wipe(event)
    await google.remove(event)
    stored = await google.sandbox.google.event(google.calendar, event)
    unmarked = await google.add(location="zoom", description=block)

    await google.remove(unmarked)

    assert stored.private == {}
    assert await google.texts(unmarked) == ("zoom", "")
