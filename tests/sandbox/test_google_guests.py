"""Guests and rooms: one event in several calendars, one of them the organizer's."""

from __future__ import annotations

from infra.sandbox.client import Sandbox
from tests.sandbox.google import Google, event

BOB = "bob@example.org"
ROOM = "room@resource.calendar.google.com"
ID = "shared00001"


async def test_an_invitation_is_in_every_calendar_under_one_uid(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    bob = await sandbox.google.add_account(BOB)
    body = event(id=ID, attendees=[{"email": BOB}])

    await google.do(google.events.insert(calendarId=calendar, body=body, sendUpdates="all"))

    copy = await sandbox.google.event(bob, ID)
    mails = await sandbox.google.mails()
    assert copy.doc["iCalUID"] == f"{ID}@google.com"
    assert copy.doc["organizer"] == {"email": calendar}
    assert [mail.get("to") for mail in mails] == [[BOB]]


async def test_nobody_is_mailed_unless_asked(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    body = event(id=ID, attendees=[{"email": BOB}])

    await google.do(google.events.insert(calendarId=calendar, body=body))
    patch = {"location": "x"}
    await google.do(google.events.patch(calendarId=calendar, eventId=ID, body=patch))

    assert await sandbox.google.mails() == []


async def test_a_guest_may_answer_but_not_change_what_is_shared(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    bob = await sandbox.google.add_account(BOB)
    body = event(id=ID, attendees=[{"email": BOB}])
    await google.do(google.events.insert(calendarId=calendar, body=body))
    guest = Google(sandbox.url, await sandbox.google.sign_in(BOB))
    yes = {"attendees": [{"email": BOB, "responseStatus": "accepted"}]}

    await guest.do(guest.events.patch(calendarId=bob, eventId=ID, body=yes))
    refused = await guest.refused(
        guest.events.patch(calendarId=bob, eventId=ID, body={"location": "mine"})
    )

    original = await sandbox.google.event(calendar, ID)
    assert original.doc["attendees"] == [{"email": BOB, "responseStatus": "accepted"}]
    assert refused == (403, "forbiddenForNonOrganizer")
    guest.close()


async def test_a_change_and_a_cancellation_reach_the_guests(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    bob = await sandbox.google.add_account(BOB)
    body = event(id=ID, attendees=[{"email": BOB}])
    await google.do(google.events.insert(calendarId=calendar, body=body))

    patch = {"location": "x"}
    await google.do(google.events.patch(calendarId=calendar, eventId=ID, body=patch))
    changed = await sandbox.google.event(bob, ID)
    await google.do(google.events.delete(calendarId=calendar, eventId=ID))
    gone = await sandbox.google.event(bob, ID)

    assert changed.location == "x"
    assert gone.cancelled


async def test_a_room_accepts(google: Google, calendar: str, sandbox: Sandbox) -> None:
    room = await sandbox.google.add_account(ROOM, room=True)
    body = event(id=ID, attendees=[{"email": ROOM, "resource": True}])

    await google.do(google.events.insert(calendarId=calendar, body=body))

    booked = await sandbox.google.event(room, ID)
    assert booked.doc["attendees"] == [
        {"email": ROOM, "resource": True, "responseStatus": "accepted"}
    ]


async def test_a_room_that_accepts_makes_another_version(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await sandbox.google.add_account(ROOM, room=True)
    body = event(id=ID, attendees=[{"email": ROOM, "resource": True}])
    made = await google.do(google.events.insert(calendarId=calendar, body=body))

    patch = google.events.patch(calendarId=calendar, eventId=ID, body={"location": "x"})
    patch.headers["If-Match"] = made["etag"]

    assert await google.refused(patch) == (412, "conditionNotMet")


async def test_a_guest_who_deletes_the_event_declines(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    bob = await sandbox.google.add_account(BOB)
    body = event(id=ID, attendees=[{"email": BOB}])
    await google.do(google.events.insert(calendarId=calendar, body=body))

    await sandbox.google.cancel_event(bob, ID)

    original = await sandbox.google.event(calendar, ID)
    assert original.doc["attendees"] == [{"email": BOB, "responseStatus": "declined"}]
    assert not original.cancelled


async def test_private_properties_are_private_to_a_copy(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    bob = await sandbox.google.add_account(BOB)
    properties = {"private": {"tl": "1"}, "shared": {"of": "all"}}
    body = event(id=ID, attendees=[{"email": BOB}], extendedProperties=properties)

    await google.do(google.events.insert(calendarId=calendar, body=body))

    assert (await sandbox.google.event(calendar, ID)).private == {"tl": "1"}
    copy = await sandbox.google.event(bob, ID)
    assert copy.doc["extendedProperties"] == {"shared": {"of": "all"}}
