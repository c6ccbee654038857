"""A series is one conference, whatever becomes of its occurrences, at Google and at Microsoft."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from infra.sandbox.client import Entry
from infra.sandbox.documents import Doc
from tests.e2e.household import Household
from tests.e2e.office import Office, opened
from tests.e2e.tenancy import Tenancy, tomorrow, until

ZONES = {
    "Europe/Madrid": "Europe/Madrid",
    "Eastern Standard Time": "America/New_York",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Morocco Standard Time": "Africa/Casablanca",
}
"""As Graph is told, by Windows' name or the IANA's, and as they are."""


@pytest_asyncio.fixture(loop_scope="session")
async def office(house: Rehearsal) -> AsyncIterator[Office]:
    async with opened(house) as office:
        yield office
        await office.sandbox.graph.settings(shows_masters=True)


def daily(count: int = 4, **bounds: object) -> Doc:
    """A rule in Graph's words."""
    told = {"type": "numbered", "numberOfOccurrences": count, **bounds}
    first = {"startDate": f"{tomorrow():%Y-%m-%d}"}
    return {"pattern": {"type": "daily", "interval": 1}, "range": {**told, **first}}


def weekly(first: datetime, count: int) -> Doc:
    """Once a week on the day of the first one."""
    told = daily(count)
    day = f"{first:%A}".lower()
    return {**told, "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [day]}}


def nth(series: Entry, days: int) -> str:
    """The id of an occurrence, so many days after the first."""
    return f"{series.id}.{tomorrow() + timedelta(days=days):%Y%m%d}"


async def occurrences(home: Tenancy, meeting: str) -> list[dict[str, Any]]:
    """What is to come of a meeting, all pages."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        path = f"/v1/meetings/{meeting}/occurrences"
        page = await home.api.get(path, limit="30", **after)
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def states(home: Tenancy, meeting: str) -> list[str]:
    """How its occurrences stand, in order."""
    return [one["what"] for one in await occurrences(home, meeting)]


async def noted(home: Tenancy, meeting: str) -> list[str]:
    """What its timeline says of occurrences."""
    told = [one["what"] for one in await home.timeline(meeting)]
    return [what for what in told if what.startswith("occurrence.")]


async def becomes(home: Tenancy, meeting: str, *wanted: str) -> None:
    """Wait until its occurrences stand like this."""

    async def stand() -> bool:
        return await states(home, meeting) == list(wanted)

    await until(stand, f"{wanted}")
    await home.rests()


async def test_a_series_is_one_conference_though_its_occurrences_come_one_by_one(
    office: Office,
) -> None:
    """T2: four occurrences once made ten conferences."""
    await office.sandbox.graph.settings(shows_masters=False)

    series, meeting = await office.provisioned(recurrence=daily())
    for days in range(4):
        await office.sandbox.graph.move_event(
            office.mailbox, nth(series, days), starts=tomorrow(days * 24 + 2)
        )
    await becomes(office, meeting, "moved", "moved", "moved", "moved")

    (conference,) = await office.at_zoom()
    assert conference.join_url in (await office.shown(series)).location
    assert await office.sandbox.calls("zoom.create", office.ada) <= 1
    assert office.heard() == ["meeting.provisioned"]


async def test_what_differs_in_a_series_is_honoured_and_told_once(office: Office) -> None:
    """T31, at Microsoft 365."""
    series, meeting = await office.provisioned(recurrence=daily())
    graph, mailbox = office.sandbox.graph, office.mailbox

    await graph.cancel_event(mailbox, nth(series, 1))
    await becomes(office, meeting, "usual", "cancelled", "usual", "usual")
    await graph.move_event(mailbox, nth(series, 2), starts=tomorrow(2 * 24 + 3))
    await becomes(office, meeting, "usual", "cancelled", "moved", "usual")
    moved = (await occurrences(office, meeting))[2]
    await graph.move_event(mailbox, nth(series, 2), starts=tomorrow(2 * 24))
    await becomes(office, meeting, "usual", "cancelled", "usual", "usual")
    for title in ("Standup!", "Standup!!"):  # the series is read anew, with all that is called off
        before = len(office.partner.heard)
        await graph.change_event(mailbox, series.id, subject=title)
        await office.hears("meeting.updated", after=before)
    await office.rests()

    assert moved["starts_at"] == f"{tomorrow(2 * 24 + 3):%Y-%m-%dT%H:%M:%SZ}"
    assert await noted(office, meeting) == [
        "occurrence.cancelled",
        "occurrence.moved",
        "occurrence.restored",
    ]
    assert len(await office.at_zoom()) == 1


async def test_what_differs_in_a_google_series_is_honoured(home: Household) -> None:
    """T31, at Google, where what was cancelled can be brought back."""
    series, meeting = await home.provisioned(
        "Daily", zone="UTC", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]
    )
    google, calendar = home.sandbox.google, home.calendar
    second = f"{series.id}_{tomorrow(24):%Y%m%dT%H%M%SZ}"

    await google.move_event(calendar, second, starts=tomorrow(26))
    await becomes(home, meeting, "usual", "moved", "usual")
    await google.cancel_event(calendar, second)
    await becomes(home, meeting, "usual", "cancelled", "usual")
    at = {"dateTime": f"{tomorrow(24):%Y-%m-%dT%H:%M:%SZ}"}
    end = {"dateTime": f"{tomorrow(25):%Y-%m-%dT%H:%M:%SZ}"}
    await google.change_event(calendar, second, status="confirmed", start=at, end=end)
    await becomes(home, meeting, "usual", "usual", "usual")

    assert await noted(home, meeting) == [
        "occurrence.moved",
        "occurrence.cancelled",
        "occurrence.restored",
    ]
    assert len(await home.conferences()) == 1


@pytest.mark.parametrize("zone", ZONES)
async def test_a_series_keeps_its_hour_through_every_change_of_the_clocks(
    office: Office, zone: str
) -> None:
    """T30"""
    place = ZoneInfo(ZONES[zone])
    first = tomorrow().astimezone(place).replace(hour=9, tzinfo=None)
    rule = weekly(first, 53)  # a whole year, so that no clock stays as it is

    _, meeting = await office.provisioned(starts=first, zone=zone, recurrence=rule)
    found = await occurrences(office, meeting)

    starts = [datetime.fromisoformat(one["starts_at"]).astimezone(place) for one in found]
    assert [at.replace(tzinfo=None) for at in starts] == [
        first + timedelta(weeks=number) for number in range(53)
    ]
    assert len({at.utcoffset() for at in starts}) == 2


async def test_this_and_following_makes_two_series_with_a_conference_each(office: Office) -> None:
    """A calendar makes a split of one series: it ends the old one and copies it, our link too."""
    old, meeting = await office.provisioned(recurrence=daily(6))
    shown = await office.shown(old)
    before = len(office.partner.heard)

    last = f"{tomorrow(24):%Y-%m-%d}"
    await office.sandbox.graph.change_event(
        office.mailbox, old.id, recurrence=daily(type="endDate", endDate=last)
    )
    held = shown.doc["properties"]
    assert isinstance(held, dict)
    new = await office.sandbox.graph.add_event(
        office.mailbox,
        title="Standup",
        starts=tomorrow(2 * 24 + 1),
        location=shown.doc["location"],
        body=shown.doc["body"],
        recurrence=daily(4),
        singleValueExtendedProperties=[{"id": key, "value": held[key]} for key in held],
    )
    told = await office.hears("meeting.provisioned", after=before)
    await office.rests()

    links = {one.join_url for one in await office.at_zoom()}
    first, second = await office.shown(old), await office.shown(new)
    assert len(links) == 2
    assert told["meeting"]["id"] != meeting
    assert {link for link in links if link in first.content} != {
        link for link in links if link in second.content
    }
    assert len([link for link in links if link in second.content + second.location]) == 1
    assert len(await occurrences(office, meeting)) == 2


async def test_a_series_at_zoom_has_no_fixed_time_and_its_timeline_says_so(office: Office) -> None:
    _, meeting = await office.provisioned(recurrence=daily())

    (conference,) = await office.at_zoom()
    (entry,) = [
        one
        for one in await office.timeline(meeting)
        if one["what"] == "conference.without_fixed_time"
    ]
    assert conference.doc["type"] == 3
    assert "Zoom" in entry["words"]


async def test_a_series_whose_count_is_used_up_is_over(office: Office) -> None:
    starts = tomorrow(-6 * 24)

    await office.event("Over", starts=starts, recurrence=daily(3))
    await office.provisioned()

    (only,) = await office.at_zoom()
    assert only.topic == "Standup"
