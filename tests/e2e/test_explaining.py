"""Why did that happen? Explain and the timeline say it in words, for any event and meeting."""

from __future__ import annotations

from tests.e2e.household import Household, tomorrow


async def test_explain_names_policy_cursor_fingerprint_and_ledger(home: Household) -> None:
    event, meeting = await home.provisioned()

    explained = await home.explained(meeting)

    said, facts = " ".join(explained["sentences"]), explained["facts"]
    assert "keyword “zoom” stands in its location" in said
    assert facts["wanted"] == facts["conference"]["shown"]
    assert facts["conference"]["in_ledger"] is True
    assert facts["sightings"][0]["event"] == event.id
    assert facts["sightings"][0]["read_at"]


async def test_explain_tells_of_an_event_that_no_meeting_came_of(home: Household) -> None:
    event = await home.event("Lunch", location="The corner")

    told = await home.api.get(f"/v1/calendars/{home.watched}/events/{event.id}/explain")
    code, shown = await home.tieline("explain", home.watched, event.id)

    assert code == 0
    for explained in (told, shown):
        assert "no rule" in " ".join(explained["sentences"]).lower()


async def test_one_timeline_goes_from_the_notification_to_the_callback(home: Household) -> None:
    event, meeting = await home.provisioned()
    before = len(home.partner.heard)
    await home.sandbox.google.move_event(home.calendar, event.id, starts=tomorrow(2))
    await home.hears("meeting.rescheduled", after=before)
    await home.rests()

    entries = await home.timeline(meeting)
    first = entries[0]["trace"]
    of_the_first = [one["what"] for one in entries if one["trace"] == first]
    told = next(one for one in home.partner.heard if one["type"] == "meeting.provisioned")
    assert of_the_first == [
        "event.seen",
        "conference.intended",
        "provision.provisioned",
        "write.written",
        "callback.delivered",
    ]
    assert told["data"]["trace_id"] == first
    assert entries == sorted(entries, key=lambda one: one["at"])


async def test_no_join_link_or_title_stands_in_timeline_or_explain(home: Household) -> None:
    _, meeting = await home.provisioned("Canary talks")
    (conference,) = await home.conferences()

    told = f"{await home.timeline(meeting)} {await home.explained(meeting)}"

    assert conference.join_url not in told
    assert "Canary" not in told
