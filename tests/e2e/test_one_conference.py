"""One conference for each event, whatever is done to the event and whatever the vendors do."""

from __future__ import annotations

from infra.cli.rehearsal import Rehearsal
from infra.sandbox.documents import rows
from tests.e2e.household import Household, moved_in, tomorrow, until


async def test_an_event_that_asks_for_it_gets_a_conference_its_link_and_one_callback(
    home: Household,
) -> None:
    event, meeting = await home.provisioned()

    (conference,) = await home.conferences()
    shown = await home.shown(event)
    stands = await home.meeting(meeting)
    assert conference.topic == "Standup"
    assert conference.join_url in shown.location
    assert conference.join_url in shown.description
    assert (stands["status"], stands["join_url"]) == ("provisioned", conference.join_url)
    assert home.heard() == ["meeting.provisioned"]


async def test_each_event_has_a_conference_of_its_own(home: Household) -> None:
    for number in range(3):
        await home.provisioned(f"Meeting {number}", starts=tomorrow(number))

    conferences = await home.conferences()
    assert sorted(one.topic for one in conferences) == [f"Meeting {n}" for n in range(3)]
    assert len({one.join_url for one in conferences}) == 3


async def test_an_event_that_asks_for_nothing_gets_nothing(home: Household) -> None:
    before = len(home.partner.heard)
    await home.event("Lunch", location="The corner")
    await home.event("Holiday", start={"date": "2030-01-05"}, end={"date": "2030-01-06"})
    await home.provisioned("Standup")

    (only,) = await home.conferences()
    assert only.topic == "Standup"
    assert len(home.partner.heard) == before + 1


async def test_the_link_resolves_after_any_sequence_of_moves(home: Household) -> None:
    event, meeting = await home.provisioned()

    for hours in (3, 1, 5):
        before = len(home.partner.heard)
        await home.sandbox.google.move_event(home.calendar, event.id, starts=tomorrow(hours))
        await home.hears("meeting.rescheduled", after=before)
        assert await home.join_link_resolves(event)

    (conference,) = await home.conferences()
    assert conference.doc["start_time"] == f"{tomorrow(5):%Y-%m-%dT%H:%M:%SZ}"
    assert (await home.meeting(meeting))["status"] == "provisioned"


async def test_a_cancelled_event_loses_its_conference_and_is_called_back(home: Household) -> None:
    event, meeting = await home.provisioned()

    await home.sandbox.google.cancel_event(home.calendar, event.id)
    data = await home.hears("meeting.torn_down")

    assert await home.conferences() == []
    assert data["meeting"]["id"] == meeting
    assert (await home.meeting(meeting))["status"] == "cancelled"


async def test_a_link_that_somebody_took_out_comes_back(home: Household) -> None:
    event, _ = await home.provisioned()

    await home.sandbox.google.change_event(
        home.calendar, event.id, location="Zoom", description="", extendedProperties=None
    )

    async def back() -> bool:
        return await home.join_link_resolves(event)

    assert await until(back, "the link")
    assert len(await home.conferences()) == 1


async def test_the_echo_of_our_own_write_causes_no_write_and_no_callback(home: Household) -> None:
    await home.provisioned()
    written = await home.sandbox.writes("google"), await home.sandbox.writes("zoom")
    heard = len(home.partner.heard)

    await home.sandbox.google.notify(home.calendar, count=5)
    await home.sandbox.send_again("zoom", 5)
    await home.rests()

    assert (await home.sandbox.writes("google"), await home.sandbox.writes("zoom")) == written
    assert len(home.partner.heard) == heard


async def test_a_pasted_link_is_foreign_and_survives_the_event(home: Household) -> None:
    """The room of five years was destroyed because its link stood in a deleted event."""
    room = await home.sandbox.zoom.add_meeting(home.ada, topic="Our old room", type=3)
    event = await home.event("Review", location=f"Zoom {room.join_url}")
    await home.provisioned("Standup")

    await home.sandbox.google.cancel_event(home.calendar, event.id)
    await home.rests()

    topics = sorted(one.topic for one in await home.conferences())
    assert topics == ["Our old room", "Standup"]
    assert await home.sandbox.calls("zoom.delete", str(room.id)) == 0


async def test_one_change_is_one_update_and_mails_nobody(home: Household) -> None:
    guests = [{"email": "grace@example.org"}, {"email": "alan@example.org"}]
    event, _ = await home.provisioned(attendees=guests)
    patches = await home.sandbox.calls("google.patch", home.calendar)
    mails = len(await home.sandbox.google.mails())
    before = len(home.partner.heard)

    await home.sandbox.google.move_event(home.calendar, event.id, starts=tomorrow(4))
    await home.hears("meeting.rescheduled", after=before)
    await home.rests()

    after_the_move = await home.sandbox.google.mails()
    shown = await home.shown(event)
    assert await home.sandbox.calls("google.patch", home.calendar) == patches
    assert [one["email"] for one in rows(shown.doc, "attendees")] == [g["email"] for g in guests]
    assert len(after_the_move) - mails <= len(guests), "only the move itself may be mailed"


async def test_a_series_has_one_conference_written_once_to_its_master(home: Household) -> None:
    event, meeting = await home.provisioned(
        "Weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], zone="Europe/Berlin"
    )

    instance = f"{event.id}_{tomorrow(0):%Y%m%dT%H%M%SZ}"
    await home.sandbox.google.move_event(home.calendar, instance, starts=tomorrow(2))
    await home.rests()

    (conference,) = await home.conferences()
    assert conference.join_url in (await home.shown(event)).location
    assert await home.sandbox.calls("google.patch", home.calendar) == 1
    assert "occurrence.moved" in [one["what"] for one in await home.timeline(meeting)]


async def test_one_event_on_two_watched_calendars_is_one_conference(home: Household) -> None:
    """ENGINE 24: the invitation in Grace's calendar is the same meeting."""
    grace = f"grace-of-{home.ada}"
    await home.sandbox.google.add_account(grace)
    await home.sandbox.google.share(grace, {home.ada: "writer"})
    await home.api.post("/v1/calendars", {"connection": home.google, "provider_id": grace})
    await home.rests()

    event, meeting = await home.provisioned(attendees=[{"email": grace}])
    await home.rests()

    explained = await home.explained(meeting)
    assert len(await home.conferences()) == 1
    assert len(explained["facts"]["sightings"]) == 2
    assert await home.join_link_resolves(event)
    assert home.heard() == ["meeting.provisioned"]


async def test_two_tenants_with_the_same_google_account_both_work(house: Rehearsal) -> None:
    async with moved_in(house) as first, moved_in(house, ada=first.ada) as second:
        event = await first.event()
        one = await first.hears("meeting.provisioned")
        two = await second.hears("meeting.provisioned")
        await first.rests()

        assert one["meeting"]["id"] != two["meeting"]["id"]
        assert one["tenant"] == first.tenant
        assert two["tenant"] == second.tenant
        assert len(await first.conferences()) == 2, "each tenant its own, neither the other's"

        await first.sandbox.google.cancel_event(first.calendar, event.id)
        await first.hears("meeting.torn_down")
        await second.hears("meeting.torn_down")
        assert await first.conferences() == []
