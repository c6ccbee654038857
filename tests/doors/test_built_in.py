"""B-19: Jitsi and a static room give a join link without any account."""

from __future__ import annotations

from tests.doors.play import Play

SERVER = "https://jitsi.example"
ROOM = "https://rooms.example/blue"


async def test_b19_jitsi_gives_each_meeting_a_room_of_its_own(play: Play) -> None:
    await play.hear()
    jitsi = await play.api.post("/v1/connections", {"provider": "jitsi", "room_url": SERVER})

    await play.ask("one", {"connection": jitsi["id"]})
    one = await play.meeting("one", "provisioned")
    await play.ask("two", {"connection": jitsi["id"]})
    two = await play.meeting("two", "provisioned")

    assert one["join_url"].startswith(f"{SERVER}/")
    assert one["join_url"] != two["join_url"]
    told = await play.heard("meeting.provisioned", 2)
    links = {each["data"]["meeting"]["join_url"] for each in told}
    assert links == {one["join_url"], two["join_url"]}


async def test_b19_a_static_room_is_the_link_of_every_meeting_in_it(play: Play) -> None:
    await play.hear()
    room = await play.api.post("/v1/connections", {"provider": "static", "room_url": ROOM})

    await play.ask("one", {"connection": room["id"]})

    assert (await play.meeting("one", "provisioned"))["join_url"] == ROOM
    [told] = await play.heard("meeting.provisioned")
    assert told["data"]["meeting"]["join_url"] == ROOM
