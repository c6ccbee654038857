"""What is changed in a calendar is found, however its notification fared."""

from __future__ import annotations

from tests.e2e.household import Household, tomorrow, until

PAUSED = {"paused": True}
FLOWING = {"paused": False, "drop": 0.0}


async def full_readings(home: Household) -> list[str]:
    """The list calls that began without a cursor."""
    return [
        str(one["query"])
        for one in await home.sandbox.latest_calls(1000)
        if one["operation"] == "google.list"
        and one["subject"] == home.calendar
        and "syncToken" not in str(one["query"])
    ]


async def test_a_change_during_a_reading_is_read_by_another_that_begins_after_it(
    home: Household,
) -> None:
    """Lost wake-ups: each event comes while the one before it is being read."""
    events = [await home.event(f"Meeting {number}", starts=tomorrow(number)) for number in range(8)]

    async def all_there() -> bool:
        return len(await home.conferences()) == len(events)

    await until(all_there, "eight conferences")
    await home.rests()
    assert sorted(one.topic for one in await home.conferences()) == sorted(
        event.title for event in events
    )


async def test_what_was_deleted_while_the_cursor_died_is_torn_down(home: Household) -> None:
    """410 Gone was swallowed as an empty success, and deleted events stayed for ever."""
    gone, _ = await home.provisioned("Gone")
    await home.provisioned("Stays", starts=tomorrow(2))
    before = len(home.partner.heard)

    await home.sandbox.manners("google", **PAUSED)
    await home.sandbox.google.cancel_event(home.calendar, gone.id)
    await home.sandbox.google.expire_sync_tokens(home.calendar)
    await home.sandbox.manners("google", **FLOWING)
    await home.sandbox.google.notify(home.calendar)
    data = await home.hears("meeting.torn_down", after=before)

    assert data["meeting"]["title"] == "Gone"
    assert [one.topic for one in await home.conferences()] == ["Stays"]


async def test_a_dead_cursor_and_a_revoked_grant_end_in_different_stated_ends(
    home: Household,
) -> None:
    await home.provisioned()
    await home.sandbox.google.expire_sync_tokens(home.calendar)
    await home.sandbox.google.notify(home.calendar)
    await home.rests()
    after_410 = (await home.api.get(f"/v1/connections/{home.google}"))["state"]

    await home.sandbox.google.revoke_grants(home.ada)
    await home.sandbox.google.notify(home.calendar)
    told = await home.hears("connection.needs_reauth")

    assert after_410 == "linked"
    assert told["connection"] == home.google
    assert (await home.api.get(f"/v1/connections/{home.google}"))["state"] == "needs_reauth"


async def test_messages_of_a_retired_channel_are_taken_and_do_nothing(home: Household) -> None:
    """Stopped channels go on for a while; Google's client has two threads about it."""
    await home.provisioned()
    await home.api.delete(f"/v1/calendars/{home.watched}")

    async def stopped() -> bool:
        channels = await home.sandbox.google.channels()
        return all(one["stopped"] for one in channels if one["calendar"] == home.calendar)

    await until(stopped, "the end of the channel")
    await home.rests()
    reads = await home.sandbox.google.reads_of(home.calendar)
    await home.sandbox.send_again("google", 1)
    await home.rests()

    (latest,) = await home.sandbox.notifications(1)
    assert latest["status"] == 200
    assert await home.sandbox.google.reads_of(home.calendar) == reads


async def test_a_cursor_belongs_to_its_query(home: Household) -> None:
    """The same sync token for other parameters mixed calendars: new rules read from the start."""
    event = await home.event("Interview", location="Teahouse")
    await home.rests()
    before = len(await full_readings(home))
    rules = [{"keyword": "teahouse", "conferencing": home.zoom}]

    await home.api.replace("/v1/policy", {"rules": rules, "default": home.zoom})
    await home.hears("meeting.provisioned")

    assert len(await full_readings(home)) == before + 1
    assert await home.join_link_resolves(event)


async def test_a_changed_rule_reaches_events_that_have_not_changed(home: Household) -> None:
    event, _ = await home.provisioned()
    rules = [{"keyword": "teahouse", "conferencing": home.zoom}]

    await home.api.replace("/v1/policy", {"rules": rules, "default": home.zoom})
    await home.hears("meeting.torn_down")
    await home.rests()

    assert await home.conferences() == []
    assert (await home.shown(event)).location == "Zoom"


async def test_a_burst_of_notifications_is_a_few_readings(home: Household) -> None:
    await home.provisioned()
    reads = await home.sandbox.google.reads_of(home.calendar)

    await home.sandbox.google.notify(home.calendar, count=300)
    await home.rests()

    assert await home.sandbox.google.reads_of(home.calendar) - reads <= 4
