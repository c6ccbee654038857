"""The event stays whatever the conference's provider does, and what is missing is made good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from infra.sandbox.documents import rows
from tests.e2e.household import Household, tomorrow, until


async def test_the_event_stays_partners_hear_of_trouble_and_it_is_repaired(home: Household) -> None:
    fault = await home.sandbox.fault("zoom.create", "before", status=500, rate=1.0)
    event = await home.event()
    failing = await home.hears("meeting.provisioning_failing")
    meeting = failing["meeting"]["id"]
    at_that_time = await home.meeting(meeting)
    kept = await home.shown(event)

    await home.sandbox.lift(fault)
    await home.hears("meeting.provisioned")

    assert not kept.cancelled
    assert at_that_time["status"] == "failing"
    assert "500" in at_that_time["reason"]
    assert await home.join_link_resolves(event)
    assert len(await home.conferences()) == 1
    assert home.heard() == ["meeting.provisioning_failing", "meeting.provisioned"]


async def test_partial_success_is_shown_and_hides_no_effect(home: Household) -> None:
    """The conference exists, and the link is not in the event yet: both are told."""
    fault = await home.sandbox.fault("google.patch", "before", status=503, rate=1.0)
    await home.event()

    async def made() -> bool:
        return len(await home.conferences()) == 1

    await until(made, "the conference")
    failing = await home.hears("meeting.provisioning_failing")
    stands = await home.meeting(failing["meeting"]["id"])
    explained = await home.explained(failing["meeting"]["id"])
    await home.sandbox.lift(fault)
    await home.hears("meeting.provisioned")

    (conference,) = await home.conferences()
    assert stands["status"] == "failing"
    assert stands["conference"] == str(conference.id)
    assert explained["facts"]["conference"]["in_ledger"] is True


async def test_writes_of_a_day_are_booked_and_the_rest_waits_for_midnight(home: Household) -> None:
    """Zoom: 100 creates and updates a host and day, until 00:00 UTC."""
    event, meeting = await home.provisioned()
    await home.sandbox.zoom.use_writes(home.ada, 100)
    writes = await home.sandbox.writes("zoom")

    await home.sandbox.google.move_event(home.calendar, event.id, starts=tomorrow(3))
    failing = await home.hears("meeting.provisioning_failing")

    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    stands = await home.meeting(meeting)
    assert failing["meeting"]["id"] == meeting
    assert datetime.fromisoformat(stands["again_at"]) == midnight
    assert f"{midnight:%Y-%m-%d}" in " ".join((await home.explained(meeting))["sentences"])
    assert await home.sandbox.writes("zoom") - writes <= 1, "one try to learn of it at the most"


async def test_a_change_that_zoom_cannot_show_costs_no_write(home: Household) -> None:
    event, _ = await home.provisioned()
    updates = await home.sandbox.calls("zoom.update")

    await home.sandbox.google.change_event(home.calendar, event.id, colorId="5")
    await home.rests()

    assert await home.sandbox.calls("zoom.update") == updates


async def test_quick_changes_in_a_row_cost_one_write_and_what_is_seen_meanwhile(
    home: Household,
) -> None:
    """What comes while Google's pushes are held back is one reading and one write; a reading that
    was due by itself may have seen it half done."""
    event, _ = await home.provisioned()
    updates = await home.sandbox.calls("zoom.update")

    await home.sandbox.manners("google", paused=True)
    for minutes in range(1, 13):
        starts = tomorrow() + timedelta(minutes=5 * minutes)
        await home.sandbox.google.move_event(home.calendar, event.id, starts=starts)
    await home.sandbox.manners("google", paused=False)

    async def follows() -> bool:
        (conference,) = await home.conferences()
        return bool(conference.doc["start_time"] == f"{tomorrow(1):%Y-%m-%dT%H:%M:%SZ}")

    await until(follows, "the last change")
    await home.rests()
    assert 1 <= await home.sandbox.calls("zoom.update") - updates <= 4


async def test_a_rate_limit_of_google_is_waited_out(home: Household) -> None:
    fault = await home.sandbox.fault(
        "google.patch", "before", status=403, reason="rateLimitExceeded", times=1
    )
    event = await home.event()
    await home.hears("meeting.provisioned")

    assert await home.sandbox.hits(fault) == 1
    assert await home.join_link_resolves(event)
    assert len(await home.conferences()) == 1


async def test_googles_spam_guard_is_left_alone_for_long_and_its_guests_never_written(
    home: Household,
) -> None:
    """403 quotaExceeded though every quota is free: too many invitations from one account."""
    guests = [{"email": "grace@example.org"}]
    fault = await home.sandbox.fault(
        "google.patch", "before", status=403, reason="quotaExceeded", rate=1.0
    )
    event = await home.event(attendees=guests)
    failing = await home.hears("meeting.provisioning_failing")
    await home.rests()

    again = datetime.fromisoformat(failing["again_at"])
    kept = await home.shown(event)
    assert again - datetime.now(UTC) > timedelta(minutes=30)
    assert await home.sandbox.hits(fault) == 1
    assert [one["email"] for one in rows(kept.doc, "attendees")] == ["grace@example.org"]
    assert len(await home.conferences()) == 1


async def test_a_calendar_that_may_not_be_written_is_a_persons_turn(home: Household) -> None:
    fault = await home.sandbox.fault(
        "google.patch", "before", status=403, reason="forbidden", rate=1.0
    )
    await home.event()
    failed = await home.hears("meeting.failed")
    await home.rests()

    stands = await home.meeting(failed["meeting"]["id"])
    assert stands["status"] == "parked"
    assert await home.sandbox.hits(fault) == 1
    assert len(await home.conferences()) == 1


async def test_one_answer_of_429_lets_the_whole_account_rest(home: Household) -> None:
    """Zoom was polled in a loop until its daily limit: what one call hears, all of them heed."""
    await home.sandbox.fault(
        "zoom.create", "before", status=429, headers={"Retry-After": "4"}, times=1
    )
    asked = await home.sandbox.calls("zoom.create")
    for number in range(4):
        await home.event(f"Meeting {number}", starts=tomorrow(number))

    async def all_made() -> bool:
        return len(await home.conferences()) == 4

    await until(all_made, "four conferences")

    creates = [
        one
        for one in await home.sandbox.latest_calls(1000)
        if one["operation"] == "zoom.create" and one["subject"] in {"me", home.ada}
    ]
    limited = next(one for one in creates if one["status"] == 429)
    refused_at = datetime.fromisoformat(str(limited["at"]))
    after = [datetime.fromisoformat(str(one["at"])) for one in creates]
    during = [at for at in after if refused_at < at < refused_at + timedelta(seconds=3.5)]
    assert len(during) <= 3, "those that were on their way when the first one was refused"
    assert await home.sandbox.calls("zoom.create") - asked <= 4 + 1 + len(during)
