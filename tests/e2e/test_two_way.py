"""What is changed on either side reaches the other, or is put back, by the source of truth (B-12):
Google with Zoom, which tells us, and Google with GoTo, which is asked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.cli.moving_in import consent
from infra.sandbox.client import Event, Meeting
from tests.e2e.household import Household, tomorrow, until


async def led_by(home: Household, truth: str) -> None:
    """From now on, this is the source of truth."""
    rule = {"keyword": "zoom", "conferencing": home.zoom, "source_of_truth": truth}
    await home.api.replace("/v1/policy", {"rules": [rule], "default": home.zoom})
    await home.rests()


async def at_zoom(home: Household) -> Meeting:
    (conference,) = await home.conferences()
    return conference


def starts(event: Event) -> datetime:
    start = event.doc["start"]
    assert isinstance(start, dict)
    return datetime.fromisoformat(str(start["dateTime"]))


async def event_shows(home: Household, event: Event, title: str, at: datetime) -> None:
    async def shows() -> bool:
        shown = await home.shown(event)
        return (shown.title, starts(shown)) == (title, at)

    await until(shows, f"{title} at {at}")


async def rest_in_peace(home: Household, *, links: int = 1) -> None:
    """Nothing is written any more, however often both sides say that something was."""
    await home.rests()
    writes = await home.sandbox.writes("google"), await home.sandbox.writes("zoom")
    heard = len(home.partner.heard)
    await home.sandbox.google.notify(home.calendar, count=3)
    await home.sandbox.send_again("zoom", 3)
    await home.rests()
    assert (await home.sandbox.writes("google"), await home.sandbox.writes("zoom")) == writes
    assert len(home.partner.heard) == heard
    assert len(await home.conferences()) == links


async def test_what_is_changed_at_zoom_is_put_back_where_the_calendar_is_right(
    home: Household,
) -> None:
    event, meeting = await home.provisioned()
    there = await at_zoom(home)

    later = f"{tomorrow(5):%Y-%m-%dT%H:%M:%SZ}"
    await home.sandbox.zoom.change_meeting(there.id, topic="Talk", start_time=later)

    async def is_back() -> bool:
        now = await at_zoom(home)
        start = datetime.fromisoformat(str(now.doc["start_time"]))
        return (now.topic, start) == ("Standup", tomorrow())

    await until(is_back, "title and time at Zoom")
    await rest_in_peace(home)
    await event_shows(home, event, "Standup", tomorrow())
    words = [one["words"] for one in await home.timeline(meeting)]
    assert "it was changed at the provider and is put back: the calendar is right" in words
    assert "The calendar is the source of truth" in " ".join(
        (await home.explained(meeting))["sentences"]
    )


async def test_what_is_changed_at_zoom_reaches_the_event_where_that_is_right(
    home: Household,
) -> None:
    await led_by(home, "conference")
    guest = {"email": "grace@example.org"}
    event, meeting = await home.provisioned(attendees=[guest], zone="Europe/Berlin")
    there, mails = await at_zoom(home), len(await home.sandbox.google.mails())
    before = len(home.partner.heard)

    later = f"{tomorrow(5):%Y-%m-%dT%H:%M:%SZ}"
    await home.sandbox.zoom.change_meeting(there.id, topic="Talk", start_time=later)
    moved = await home.hears("meeting.rescheduled", after=before)
    await event_shows(home, event, "Talk", tomorrow(5))

    await rest_in_peace(home)
    shown = await home.shown(event)
    assert await home.join_link_resolves(event)
    assert (await at_zoom(home)).topic == "Talk"
    assert moved["meeting"]["title"] == "Talk"
    assert len(await home.sandbox.google.mails()) > mails, "guests are told of another time"
    assert isinstance(shown.doc["start"], dict)
    assert shown.doc["start"]["timeZone"] == "Europe/Berlin"
    assert (await home.meeting(meeting))["source_of_truth"] == "conference"
    assert "change.changed" in [one["what"] for one in await home.timeline(meeting)]


async def test_one_meeting_of_a_calendar_may_be_led_by_its_conference_and_back_again(
    home: Household,
) -> None:
    event, meeting = await home.provisioned()
    there, path = await at_zoom(home), f"/v1/meetings/{meeting}"
    await home.api.change(path, {"source_of_truth": "conference"})
    await home.rests()

    await home.sandbox.zoom.change_meeting(there.id, topic="Talk")
    await event_shows(home, event, "Talk", tomorrow())
    led = (await home.meeting(meeting))["source_of_truth"]
    chosen = await home.api.change(path, {"source_of_truth": "calendar"})
    await home.rests()
    await home.sandbox.zoom.change_meeting(there.id, topic="Again")

    async def is_back() -> bool:
        return (await at_zoom(home)).topic == "Talk"

    await until(is_back, "the title at Zoom")
    assert (led, chosen["source_of_truth"]) == ("conference", "calendar")
    assert (await home.meeting(meeting))["source_of_truth"] == "calendar"
    await rest_in_peace(home)


async def test_what_is_changed_in_the_calendar_is_put_back_where_zoom_is_right(
    home: Household,
) -> None:
    await led_by(home, "conference")
    event, meeting = await home.provisioned()

    await home.sandbox.google.move_event(home.calendar, event.id, starts=tomorrow(3))

    await event_shows(home, event, "Standup", tomorrow())
    await rest_in_peace(home)
    explained = " ".join((await home.explained(meeting))["sentences"])
    assert "The conference is the source of truth" in explained
    assert home.heard() == ["meeting.provisioned"]


async def test_a_conference_deleted_at_zoom_comes_back_where_the_calendar_is_right(
    home: Household,
) -> None:
    event, _ = await home.provisioned()
    there = await at_zoom(home)

    await home.sandbox.zoom.delete_meeting(there.id)

    async def anew() -> bool:
        return [one.id for one in await home.conferences()] not in ([], [there.id])

    await until(anew, "another conference")
    await rest_in_peace(home)
    assert await home.join_link_resolves(event)


async def test_a_conference_deleted_at_zoom_ends_the_meeting_where_zoom_is_right(
    home: Household,
) -> None:
    await led_by(home, "conference")
    event, meeting = await home.provisioned()
    there = await at_zoom(home)

    await home.sandbox.zoom.delete_meeting(there.id)
    await home.hears("meeting.torn_down")

    await rest_in_peace(home, links=0)
    shown, stands = await home.shown(event), await home.meeting(meeting)
    assert "http" not in shown.location + shown.description
    assert (shown.title, stands["status"], stands["join_url"]) == ("Standup", "cancelled", None)
    assert "deleted at the provider" in stands["reason"]


async def test_a_dry_run_says_who_is_right(home: Household) -> None:
    await led_by(home, "conference")
    event, _ = await home.provisioned()

    told = await home.api.post(f"/v1/calendars/{home.watched}/events/{event.id}/dry-run")

    assert "The source of truth is the conference." in told["sentences"]
    assert told["calls"] == []


async def test_a_partner_may_let_the_conference_lead(home: Household) -> None:
    times = {"starts_at": tomorrow().isoformat(), "ends_at": tomorrow(1).isoformat()}
    wish = {"title": "Interview", **times, "conferencing": "default"}
    body = {**wish, "source_of_truth": "conference"}
    await home.api.put("/v1/meetings/m1", body)
    await home.hears("meeting.provisioned")
    there = await at_zoom(home)

    await home.sandbox.zoom.change_meeting(there.id, topic="Talk", duration=30)
    before = len(home.partner.heard) - 1
    moved = await home.hears("meeting.rescheduled", after=before)

    stands = await home.api.get("/v1/meetings/m1")
    ends = datetime.fromisoformat(moved["meeting"]["ends_at"])
    assert (moved["meeting"]["title"], ends) == ("Talk", tomorrow() + timedelta(minutes=30))
    assert (stands["title"], stands["status"]) == ("Talk", "provisioned")
    await rest_in_peace(home)


@dataclass
class AtGoTo:
    """Ada's account at GoTo, linked beside her calendar."""

    home: Household
    client: str
    connection: str
    organizer: str
    address: str

    async def conference(self) -> tuple[int, str, datetime]:
        """The one there is: number, subject, start."""
        (one,) = await self.home.sandbox.goto.meetings(self.organizer)
        return int(str(one["id"])), str(one["subject"]), datetime.fromisoformat(str(one["starts"]))

    async def is_asked(self) -> None:
        """She links it again, which has GoTo asked at once: it pushes nothing."""
        await self.home.sandbox.goto.consent(account=self.address)
        await consent(
            self.home.api, self.client, back=self.home.partner.url, connection=self.connection
        )


async def goto_led_by(home: Household, truth: str) -> AtGoTo:
    goto, mark = home.sandbox.goto, secrets.token_hex(4)
    address = f"ada-{mark}@example.org"
    organizer = await goto.add_organizer(address, account=await goto.add_account())
    await goto.add_client(f"ours-{mark}", mark)
    ours = {"provider": "goto", "client_id": f"ours-{mark}", "secret": mark}
    client = (await home.api.post("/v1/clients", ours))["id"]
    await goto.consent(account=address)
    connection = await consent(home.api, client, back=home.partner.url)
    rule = {"keyword": "goto", "conferencing": connection, "source_of_truth": truth}
    await home.api.replace("/v1/policy", {"rules": [rule]})
    await home.rests()
    return AtGoTo(home, client, connection, organizer, address)


async def test_what_is_changed_at_goto_reaches_the_event_where_that_is_right(
    home: Household,
) -> None:
    there = await goto_led_by(home, "conference")
    event, _ = await home.provisioned(location="GoTo")
    number, _, _ = await there.conference()
    before = await home.sandbox.calls("goto.update")

    await home.sandbox.goto.rename_meeting(number, "Talk")
    await home.sandbox.goto.move_meeting(number, tomorrow(5), tomorrow(6))
    await there.is_asked()

    await event_shows(home, event, "Talk", tomorrow(5))
    await there.is_asked()
    await home.rests()
    assert await there.conference() == (number, "Talk", tomorrow(5))
    assert await home.sandbox.calls("goto.update") == before
    await home.sandbox.goto.delete_meeting(number)
    await there.is_asked()
    await home.hears("meeting.torn_down")
    await home.rests()
    assert "http" not in (await home.shown(event)).location


async def test_what_is_changed_at_goto_is_put_back_where_the_calendar_is_right(
    home: Household,
) -> None:
    there = await goto_led_by(home, "calendar")
    event, _ = await home.provisioned(location="GoTo")
    number, subject, _ = await there.conference()
    before = await home.sandbox.calls("goto.update")

    for title, at in (("Talk", tomorrow()), ("Standup", tomorrow(5))):
        await home.sandbox.goto.rename_meeting(number, title)
        await home.sandbox.goto.move_meeting(number, at, at + timedelta(hours=1))
        await there.is_asked()

        async def is_back() -> bool:
            return await there.conference() == (number, subject, tomorrow())

        await until(is_back, "title and time at GoTo")
    assert await home.sandbox.calls("goto.update") == before + 2
    await event_shows(home, event, "Standup", tomorrow())
