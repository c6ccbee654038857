"""Lists through Google's own client: pages, filters, and what changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.sandbox.client import Sandbox
from tests.sandbox.google import Google

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


async def pages(google: Google, **query: object) -> list[dict[str, Any]]:
    """Follow nextPageToken to the end."""
    request = google.events.list(**query)
    found = []
    while request is not None:
        page = await google.do(request)
        found.append(page)
        request = google.events.list_next(request, page)
    return found


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [item.get("summary", item["id"]) for page in found for item in page["items"]]


async def filled(sandbox: Sandbox, calendar: str, count: int) -> None:
    for number in range(count):
        await sandbox.google.add_event(
            calendar, title=f"e{number}", starts=NOON + timedelta(days=number)
        )


async def test_a_list_is_read_page_by_page_and_only_the_last_has_the_sync_token(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await filled(sandbox, calendar, 5)

    found = await pages(google, calendarId=calendar, maxResults=2)

    assert titles(found) == ["e0", "e1", "e2", "e3", "e4"]
    assert ["nextSyncToken" in page for page in found] == [False, False, True]


async def test_a_sync_token_gives_what_changed_since_deletions_included(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    kept = await sandbox.google.add_event(calendar, title="kept")
    gone = await sandbox.google.add_event(calendar, title="gone")
    token = (await pages(google, calendarId=calendar))[-1]["nextSyncToken"]
    await sandbox.google.change_event(calendar, kept.id, summary="changed")
    await sandbox.google.cancel_event(calendar, gone.id)

    found = await pages(google, calendarId=calendar, syncToken=token)
    after = await pages(google, calendarId=calendar, syncToken=found[-1]["nextSyncToken"])

    assert found[0]["items"][0]["summary"] == "changed"
    assert found[0]["items"][1]["status"] == "cancelled"
    assert "summary" not in found[0]["items"][1]
    assert after[0]["items"] == []


async def test_a_change_during_paging_is_in_the_next_delta(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await filled(sandbox, calendar, 3)
    request = google.events.list(calendarId=calendar, maxResults=2)
    first = await google.do(request)
    await sandbox.google.change_event(calendar, first["items"][0]["id"], summary="late")
    second = await google.do(google.events.list_next(request, first))

    delta = await pages(google, calendarId=calendar, syncToken=second["nextSyncToken"])

    assert titles([first, second]) == ["e0", "e1", "e2"]
    assert titles(delta) == ["late"]


@pytest.mark.parametrize(
    "forbidden",
    [
        {"timeMin": "2027-01-01T00:00:00Z"},
        {"timeMax": "2027-01-01T00:00:00Z"},
        {"updatedMin": "2027-01-01T00:00:00Z"},
        {"q": "x"},
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"showDeleted": False},
    ],
)
async def test_a_sync_token_goes_with_no_filter(
    google: Google, calendar: str, forbidden: dict[str, Any]
) -> None:
    token = (await pages(google, calendarId=calendar))[-1]["nextSyncToken"]

    refused = await google.refused(
        google.events.list(calendarId=calendar, syncToken=token, **forbidden)
    )

    assert refused == (400, "badRequest")


async def test_a_sync_token_belongs_to_its_query_and_its_calendar(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    other = await sandbox.google.add_calendar(calendar, "Other")
    token = (await pages(google, calendarId=calendar, eventTypes="default"))[-1]["nextSyncToken"]
    listed = google.events.list

    fine = await google.do(listed(calendarId=calendar, syncToken=token, eventTypes="default"))

    assert fine["items"] == []
    assert await google.refused(listed(calendarId=calendar, syncToken=token)) == (400, "badRequest")
    assert await google.refused(
        listed(calendarId=other, syncToken=token, eventTypes="default")
    ) == (400, "badRequest")
    assert await google.refused(listed(calendarId=calendar, syncToken="???")) == (400, "badRequest")


async def test_an_expired_sync_token_asks_for_a_full_read(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    token = (await pages(google, calendarId=calendar))[-1]["nextSyncToken"]
    request = google.events.list(calendarId=calendar, syncToken=token)

    await sandbox.google.expire_sync_tokens(calendar)

    assert await google.refused(request) == (410, "fullSyncRequired")


async def test_a_sync_token_grows_old(google: Google, calendar: str, sandbox: Sandbox) -> None:
    token = (await pages(google, calendarId=calendar))[-1]["nextSyncToken"]
    await sandbox.advance(timedelta(days=29))

    refused = await google.refused(google.events.list(calendarId=calendar, syncToken=token))

    assert refused == (410, "fullSyncRequired")


async def test_lists_are_filtered(google: Google, calendar: str, sandbox: Sandbox) -> None:
    await filled(sandbox, calendar, 3)
    ours = {"private": {"tl": "1", "rev": "2"}}
    mine = await sandbox.google.add_event(
        calendar, title="ours", starts=NOON, extendedProperties=ours
    )
    focus = await sandbox.google.add_event(calendar, title="focus", eventType="focusTime")

    span = {"timeMin": "2027-01-05T00:00:00Z", "timeMax": "2027-01-06T00:00:00Z"}
    by_time = await pages(google, calendarId=calendar, **span)
    by_property = await pages(
        google, calendarId=calendar, privateExtendedProperty=["tl=1", "rev=2"]
    )
    by_uid = await pages(google, calendarId=calendar, iCalUID=f"{mine.id}@google.com")
    by_type = await pages(google, calendarId=calendar, eventTypes=["focusTime"])
    by_text = await pages(google, calendarId=calendar, q="FOC")

    assert titles(by_time) == ["e1"]
    assert titles(by_property) == ["ours"]
    assert titles(by_uid) == ["ours"]
    assert titles(by_type) == titles(by_text) == [focus.title]


async def test_deleted_events_are_shown_when_asked_for(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    gone = await sandbox.google.add_event(calendar, title="gone")
    await sandbox.google.cancel_event(calendar, gone.id)

    without = await pages(google, calendarId=calendar)
    shown = await pages(google, calendarId=calendar, showDeleted=True)

    assert titles(without) == []
    assert [item["status"] for item in shown[0]["items"]] == ["cancelled"]


async def test_pages_can_be_made_short(google: Google, calendar: str, sandbox: Sandbox) -> None:
    await filled(sandbox, calendar, 3)
    await sandbox.google.settings(page_cap=1)

    found = await pages(google, calendarId=calendar, maxResults=250)

    assert [len(page["items"]) for page in found] == [1, 1, 1]
