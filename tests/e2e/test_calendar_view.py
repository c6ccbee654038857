"""What stands in a calendar is shown, ours or not, as it is at the provider now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from infra.cli.api import Problem
from infra.cli.rehearsal import Rehearsal
from tests.e2e.household import Household
from tests.e2e.office import Office, opened
from tests.e2e.tenancy import Tenancy, tomorrow

FOREIGN = "https://meet.goto.com/123456789"


@pytest_asyncio.fixture(loop_scope="session")
async def office(house: Rehearsal) -> AsyncIterator[Office]:
    async with opened(house) as office:
        yield office


async def view(home: Tenancy, calendar: str, *, days: int = 7) -> list[dict[str, Any]]:
    """What stands in the calendar from tomorrow on."""
    since, until = tomorrow(-1), tomorrow(-1) + timedelta(days=days)
    told = await home.api.get(
        f"/v1/calendars/{calendar}/events",
        since=f"{since:%Y-%m-%dT%H:%M:%SZ}",
        until=f"{until:%Y-%m-%dT%H:%M:%SZ}",
    )
    items: list[dict[str, Any]] = told["items"]
    return items


def shown(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Title, origin and kind of each."""
    return [(one["title"], one["origin"], one["kind"]) for one in items]


async def test_all_events_of_a_google_calendar_are_shown_with_their_origin(
    home: Household,
) -> None:
    await home.event("Lunch", location="The corner", starts=tomorrow(2))
    await home.event("Theirs", location=FOREIGN, starts=tomorrow(4))
    await home.event("Far away", location="", starts=tomorrow(30 * 24))
    _, meeting = await home.provisioned("Standup")

    items = await view(home, home.watched)

    (conference,) = await home.conferences()
    assert shown(items) == [
        ("Standup", "ours", "single"),
        ("Lunch", "calendar", "single"),
        ("Theirs", "calendar", "single"),
    ]
    assert [one["meeting"] for one in items] == [meeting, None, None]
    assert [one["join_url"] for one in items] == [conference.join_url, "", FOREIGN]


async def test_occurrences_that_are_to_come_are_shown_each_by_itself(home: Household) -> None:
    """S3-25: they are planned, and nothing was made for each of them."""
    series, _ = await home.provisioned("Daily", zone="UTC", recurrence=["RRULE:FREQ=DAILY;COUNT=4"])
    second = f"{series.id}_{tomorrow(24):%Y%m%dT%H%M%SZ}"
    await home.sandbox.google.cancel_event(home.calendar, second)

    items = await view(home, home.watched)

    assert {(one["origin"], one["kind"]) for one in items} == {("ours", "recurring")}
    assert [one["what"] for one in items] == ["usual", "cancelled", "usual", "usual"]
    assert [one["starts_at"] for one in items] == [
        f"{tomorrow(24 * day):%Y-%m-%dT%H:%M:%SZ}" for day in range(4)
    ]
    assert len(await home.conferences()) == 1


async def test_a_calendar_of_microsoft_is_shown_the_same_way(office: Office) -> None:
    daily = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "numberOfOccurrences": 2, "startDate": f"{tomorrow():%F}"},
    }
    await office.event("Lunch", "The corner", starts=tomorrow(2), recurrence=daily)
    await office.provisioned("Standup")

    items = await view(office, office.watched)

    assert shown(items) == [
        ("Standup", "ours", "single"),
        ("Lunch", "calendar", "recurring"),
        ("Lunch", "calendar", "recurring"),
    ]


async def test_a_span_that_is_none_is_refused(home: Household) -> None:
    for days in (0, 93):
        with pytest.raises(Problem, match="until"):
            await view(home, home.watched, days=days)
