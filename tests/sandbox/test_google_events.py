"""Events through Google's own client: made, read, changed, deleted."""

from __future__ import annotations

from infra.sandbox.client import Sandbox
from tests.sandbox.google import Google, event

ID = "ab12cd34ef56"


async def test_an_event_comes_back_as_it_was_made(google: Google, calendar: str) -> None:
    made = await google.do(google.events.insert(calendarId=calendar, body=event(id=ID)))

    read = await google.do(google.events.get(calendarId="primary", eventId=ID))

    assert read == made
    assert read["iCalUID"] == f"{ID}@google.com"
    assert read["organizer"] == {"email": calendar, "self": True}
    assert read["start"] == {"dateTime": "2027-01-04T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert read["status"] == "confirmed"


async def test_an_id_that_is_taken_is_refused_even_after_deletion(
    google: Google, calendar: str
) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=event(id=ID)))
    again = google.events.insert(calendarId=calendar, body=event(id=ID))

    first = await google.refused(again)
    await google.do(google.events.delete(calendarId=calendar, eventId=ID))
    second = await google.refused(again)

    assert first == second == (409, "duplicate")


async def test_an_id_outside_the_alphabet_is_refused(google: Google, calendar: str) -> None:
    wrong = google.events.insert(calendarId=calendar, body=event(id="XYZ"))

    assert await google.refused(wrong) == (400, "invalid")


async def test_every_write_changes_the_etag_and_an_old_one_is_refused(
    google: Google, calendar: str
) -> None:
    made = await google.do(google.events.insert(calendarId=calendar, body=event(id=ID)))
    patch = google.events.patch(calendarId=calendar, eventId=ID, body={"location": "x"})
    patch.headers["If-Match"] = made["etag"]

    changed = await google.do(patch)

    assert changed["etag"] != made["etag"]
    assert await google.refused(patch) == (412, "conditionNotMet")


async def test_a_patch_merges_and_an_update_replaces(google: Google, calendar: str) -> None:
    private = {"extendedProperties": {"private": {"a": "1"}}}
    body = event(id=ID, location="here", **private)
    await google.do(google.events.insert(calendarId=calendar, body=body))
    patch = {"extendedProperties": {"private": {"b": "2"}}, "summary": "Moved"}

    patched = await google.do(google.events.patch(calendarId=calendar, eventId=ID, body=patch))
    updated = await google.do(google.events.update(calendarId=calendar, eventId=ID, body=event()))

    assert patched["extendedProperties"]["private"] == {"a": "1", "b": "2"}
    assert patched["location"] == "here"
    assert "location" not in updated
    assert "extendedProperties" not in updated


async def test_a_deleted_event_stays_as_cancelled_and_cannot_be_deleted_twice(
    google: Google, calendar: str
) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=event(id=ID)))
    delete = google.events.delete(calendarId=calendar, eventId=ID)

    await google.do(delete)

    read = await google.do(google.events.get(calendarId=calendar, eventId=ID))
    assert read["status"] == "cancelled"
    assert await google.refused(delete) == (410, "deleted")


async def test_a_cancelled_event_can_be_revived(google: Google, calendar: str) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=event(id=ID)))
    await google.do(google.events.delete(calendarId=calendar, eventId=ID))

    body = event(status="confirmed")
    await google.do(google.events.update(calendarId=calendar, eventId=ID, body=body))

    read = await google.do(google.events.get(calendarId=calendar, eventId=ID))
    assert read["status"] == "confirmed"


async def test_a_meet_conference_is_made_once_per_request_id(google: Google, calendar: str) -> None:
    key = {"conferenceSolutionKey": {"type": "hangoutsMeet"}, "requestId": "r1"}
    body = event(id=ID, conferenceData={"createRequest": key})
    with_meet = {"calendarId": calendar, "conferenceDataVersion": 1}

    made = await google.do(google.events.insert(body=body, **with_meet))
    again = await google.do(google.events.patch(eventId=ID, body=body, **with_meet))
    moved = await google.do(
        google.events.patch(calendarId=calendar, eventId=ID, body={"summary": "x"})
    )

    assert made["hangoutLink"].startswith("https://meet.google.com/")
    assert again["conferenceData"] == made["conferenceData"]
    assert moved["hangoutLink"] == made["hangoutLink"]


async def test_unknown_events_and_calendars_are_refused(google: Google, calendar: str) -> None:
    get = google.events.get(calendarId=calendar, eventId="nothere")
    elsewhere = google.events.list(calendarId="not@example.org")

    assert await google.refused(get) == (404, "notFound")
    assert await google.refused(elsewhere) == (404, "notFound")


async def test_times_that_google_refuses_are_refused(google: Google, calendar: str) -> None:
    ends_first = event(end={"dateTime": "2027-01-04T09:00:00+01:00"})
    no_zone = event(start={"dateTime": "2027-01-04T09:00:00"})
    no_end = {"start": {"date": "2027-01-04"}}
    insert = google.events.insert

    assert (await google.refused(insert(calendarId=calendar, body=ends_first)))[1] == (
        "timeRangeEmpty"
    )
    assert (await google.refused(insert(calendarId=calendar, body=no_zone)))[1] == "required"
    assert (await google.refused(insert(calendarId=calendar, body=no_end)))[1] == "required"


async def test_calendars_are_listed_the_primary_one_first(google: Google, sandbox: Sandbox) -> None:
    other = await sandbox.google.add_calendar("ada@example.org", "Team")
    await sandbox.google.add_account("bob@example.org")

    listed = await google.do(google.service.calendarList().list())
    got = await google.do(google.service.calendars().get(calendarId=other))

    assert [entry["id"] for entry in listed["items"]] == ["ada@example.org", other]
    assert listed["items"][0]["primary"]
    assert got["summary"] == "Team"


async def test_a_reader_may_not_write(google: Google, sandbox: Sandbox) -> None:
    bob = await sandbox.google.add_account("bob@example.org")
    await sandbox.google.share(bob, {"ada@example.org": "reader"})

    await google.do(google.events.list(calendarId=bob))

    insert = google.events.insert(calendarId=bob, body=event())
    assert await google.refused(insert) == (403, "forbidden")
