"""Series through Google's own client: instances, exceptions, and daylight saving time."""

from __future__ import annotations

from typing import Any

from infra.sandbox.client import Sandbox
from tests.sandbox.google import Google

ID = "series00001"
Body = dict[str, object]


def series(rule: str, *more: str, zone: str = "Europe/Berlin", day: str = "2027-03-22") -> Body:
    return {
        "id": ID,
        "summary": "Weekly",
        "start": {"dateTime": f"{day}T10:00:00", "timeZone": zone},
        "end": {"dateTime": f"{day}T11:00:00", "timeZone": zone},
        "recurrence": [f"RRULE:{rule}", *more],
    }


async def laid_out(google: Google, calendar: str, **query: object) -> list[dict[str, Any]]:
    request = google.events.instances(calendarId=calendar, eventId=ID, **query)
    return (await google.do(request))["items"]


async def test_a_series_keeps_its_hour_over_daylight_saving_time(
    google: Google, calendar: str
) -> None:
    body = series("FREQ=WEEKLY;COUNT=3")
    await google.do(google.events.insert(calendarId=calendar, body=body))

    found = await laid_out(google, calendar)

    assert [one["start"]["dateTime"] for one in found] == [
        "2027-03-22T10:00:00+01:00",
        "2027-03-29T10:00:00+02:00",
        "2027-04-05T10:00:00+02:00",
    ]
    assert [one["id"] for one in found][:2] == [
        f"{ID}_20270322T090000Z",
        f"{ID}_20270329T080000Z",
    ]
    assert {one["recurringEventId"] for one in found} == {ID}


async def test_rules_end_by_count_and_until_and_leave_days_out(
    google: Google, calendar: str
) -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270405T080000Z"
    body = series(rule, "EXDATE;TZID=Europe/Berlin:20270324T100000")
    await google.do(google.events.insert(calendarId=calendar, body=body))

    found = await laid_out(google, calendar)

    assert [one["start"]["dateTime"][:10] for one in found] == [
        "2027-03-22",
        "2027-03-29",
        "2027-03-31",
        "2027-04-05",
    ]


async def test_an_endless_series_is_read_in_pages(google: Google, calendar: str) -> None:
    body = series("FREQ=DAILY")
    await google.do(google.events.insert(calendarId=calendar, body=body))
    first = google.events.instances(calendarId=calendar, eventId=ID, maxResults=2)
    page = await google.do(first)

    second = await google.do(google.events.instances_next(first, page))

    days = [one["start"]["dateTime"][:10] for one in page["items"] + second["items"]]
    assert days == ["2027-03-22", "2027-03-23", "2027-03-24", "2027-03-25"]


async def test_a_moved_instance_is_an_exception_that_knows_where_it_was_meant_to_be(
    google: Google, calendar: str
) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=series("FREQ=WEEKLY;COUNT=3")))
    second = (await laid_out(google, calendar))[1]
    moved = {
        "start": {"dateTime": "2027-03-30T15:00:00+02:00"},
        "end": {"dateTime": "2027-03-30T16:00:00+02:00"},
    }

    await google.do(google.events.patch(calendarId=calendar, eventId=second["id"], body=moved))

    found = await laid_out(google, calendar)
    listed = await google.do(google.events.list(calendarId=calendar))
    assert found[1]["start"]["dateTime"] == "2027-03-30T15:00:00+02:00"
    assert found[1]["originalStartTime"]["dateTime"] == "2027-03-29T10:00:00+02:00"
    assert [item["id"] for item in listed["items"]] == [ID, second["id"]]


async def test_a_cancelled_instance_is_told_while_its_series_lives(
    google: Google, calendar: str
) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=series("FREQ=WEEKLY;COUNT=3")))
    token = (await google.do(google.events.list(calendarId=calendar)))["nextSyncToken"]
    second = (await laid_out(google, calendar))[1]

    await google.do(google.events.delete(calendarId=calendar, eventId=second["id"]))

    delta = await google.do(google.events.list(calendarId=calendar, syncToken=token))
    plain = await google.do(google.events.list(calendarId=calendar))
    assert len(await laid_out(google, calendar)) == 2
    assert delta["items"][0]["recurringEventId"] == ID
    assert delta["items"][0]["originalStartTime"]["dateTime"] == "2027-03-29T10:00:00+02:00"
    assert [item["status"] for item in plain["items"]] == ["confirmed", "cancelled"]


async def test_deleting_a_series_takes_its_exceptions_along(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=series("FREQ=WEEKLY;COUNT=3")))
    second = (await laid_out(google, calendar))[1]["id"]
    await sandbox.google.change_event(calendar, second, summary="Other")

    await google.do(google.events.delete(calendarId=calendar, eventId=ID))

    assert await sandbox.google.events(calendar) == []


async def test_single_events_are_laid_out_in_a_list(google: Google, calendar: str) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=series("FREQ=DAILY;COUNT=4")))

    found = await google.do(
        google.events.list(
            calendarId=calendar,
            singleEvents=True,
            orderBy="startTime",
            timeMin="2027-03-23T00:00:00Z",
            timeMax="2027-03-25T00:00:00Z",
        )
    )

    assert [one["start"]["dateTime"][:10] for one in found["items"]] == ["2027-03-23", "2027-03-24"]
    assert "recurrence" not in found["items"][0]


async def test_an_all_day_series_has_days_for_ids(google: Google, calendar: str) -> None:
    body = {
        "id": ID,
        "start": {"date": "2027-03-22"},
        "end": {"date": "2027-03-23"},
        "recurrence": ["RRULE:FREQ=MONTHLY;COUNT=2"],
    }
    await google.do(google.events.insert(calendarId=calendar, body=body))

    found = await laid_out(google, calendar)

    assert [one["id"] for one in found] == [f"{ID}_20270322", f"{ID}_20270422"]
    assert found[1]["end"] == {"date": "2027-04-23"}


async def test_an_instance_that_is_none_is_not_found(google: Google, calendar: str) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=series("FREQ=DAILY")))

    wrong = google.events.get(calendarId=calendar, eventId=f"{ID}_20270322T093000Z")

    assert await google.refused(wrong) == (404, "notFound")
