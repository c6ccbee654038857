"""A room is a resource calendar bound to a conferencing connection: its events get a conference,
and its agenda shows now and next with the way in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.household import Household, tomorrow, until


async def agenda(home: Household) -> dict[str, Any]:
    """What is on in the room."""
    told: dict[str, Any] = await home.api.get(f"/v1/rooms/{home.watched}/agenda")
    return told


async def bound(home: Household) -> None:
    """Ada's calendar is a room's from now on."""
    path = f"/v1/rooms/{home.watched}"
    room = await home.api.put(path, {"connection": home.zoom})
    assert room["connection"] == home.zoom


async def test_each_event_of_a_room_gets_its_conference_without_a_keyword(home: Household) -> None:
    await bound(home)
    starts = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)

    await home.event("Running", location="", starts=starts)
    await home.event("Later", location="", starts=tomorrow())

    async def both() -> dict[str, Any]:
        told = await agenda(home)
        entries = [*told["now"], *told["next"]]
        return told if [one["join_url"] is not None for one in entries] == [True, True] else {}

    told = await until(both, "the agenda")
    (now,), (later,) = told["now"], told["next"]
    assert (now["title"], later["title"]) == ("Running", "Later")
    assert later["join_url"] in {one.join_url for one in await home.conferences()}
    assert later["foreign"] is False
    link = await home.api.get(later["start"])
    assert link["url"].startswith("http")
    assert link["url"] != later["join_url"]
    (room,) = (await home.api.get("/v1/rooms"))["items"]
    assert room["id"] == home.watched


async def test_a_link_that_was_there_is_shown_and_left_alone(home: Household) -> None:
    await bound(home)
    link = "https://meet.goto.com/123456789"

    event = await home.event("Theirs", location=f"GoTo {link}", starts=tomorrow())

    async def shown() -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = (await agenda(home))["next"]
        return entries

    (entry,) = await until(shown, "the agenda")
    await home.rests()
    assert (entry["join_url"], entry["foreign"], entry["start"]) == (link, True, None)
    assert await home.conferences() == []
    assert (await home.shown(event)).location == f"GoTo {link}"


async def test_a_room_that_is_freed_goes_by_the_rules_again(home: Household) -> None:
    await bound(home)
    await home.event("Later", location="", starts=tomorrow())
    await home.hears("meeting.provisioned")

    await home.api.delete(f"/v1/rooms/{home.watched}")

    await home.hears("meeting.torn_down")
    assert await home.conferences() == []
    assert (await home.api.get("/v1/rooms"))["items"] == []


async def test_a_series_of_a_room_is_one_conference(home: Household) -> None:
    await bound(home)

    await home.event(
        "Weekly", location="", zone="Europe/Madrid", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"]
    )

    async def shown() -> list[dict[str, Any]]:
        entries = (await agenda(home))["series"]
        return [one for one in entries if one["join_url"]]

    (entry,) = await until(shown, "the series")
    assert entry["title"] == "Weekly"
    assert len(await home.conferences()) == 1
