"""What does a person at a terminal see of callbacks that went out, and of those that did not?"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.doors.house import TIELINE, outer_environment
from tests.doors.play import Play
from tests.machines.peer import peer, says

ABORTS = says("400 No", headers="webhook-delivery: abort-message\r\n")
OK = says("200 OK")


@asynccontextmanager
async def begun(play: Play, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command with the partner's key, until it is told to stop."""
    told = {"TIELINE_PUBLIC_URL": play.house.api, "TIELINE_API_KEY": play.key}
    process = await asyncio.create_subprocess_exec(
        str(TIELINE), *words, env={**outer_environment(), **told}, stdout=asyncio.subprocess.PIPE
    )
    yield process
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    await process.wait()


async def tieline(play: Play, *words: str) -> str:
    """What the command prints when it has done what it was asked."""
    async with begun(play, *words) as process:
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, printed
    return printed.decode()


async def feed_of(play: Play) -> list[dict[str, Any]]:
    """Every callback of the tenant, oldest first."""
    lines = (await tieline(play, "--json", "feed")).splitlines()
    return [json.loads(line)["callback"] for line in lines]


async def provisioned(play: Play, *names: str) -> None:
    """Meetings in a room that needs no account."""
    room = {"provider": "static", "room_url": "https://rooms.example/blue"}
    made = await play.api.post("/v1/connections", room)
    for name in names:
        await play.ask(name, {"connection": made["id"]})
        await play.meeting(name, "provisioned")


async def test_what_was_told_is_read_looked_into_and_sent_once_more(play: Play) -> None:
    endpoint = await play.hear()
    await provisioned(play, "one")
    await play.heard("meeting.provisioned")

    [callback] = [one["id"] for one in await feed_of(play) if one["type"] == "meeting.provisioned"]
    read = await tieline(play, "feed")
    shown = await tieline(play, "callbacks", "show", callback)
    attempts = await tieline(play, "callbacks", "attempts", callback)
    await tieline(play, "callbacks", "redeliver", callback, "--endpoint", endpoint["id"])

    assert len(await play.heard("meeting.provisioned", 2)) == 2
    [line] = [line for line in read.splitlines() if callback in line]
    assert "meeting.provisioned" in line
    assert f"{endpoint['id']}: delivered" in shown
    assert "204" in attempts


async def test_who_follows_the_feed_sees_what_comes(play: Play) -> None:
    await provisioned(play, "one")
    after = (await tieline(play, "feed")).split()[-1]

    async with begun(play, "feed", "--follow", "--after", after) as following:
        await play.api.delete("/v1/meetings/one")
        assert following.stdout is not None
        line = await asyncio.wait_for(following.stdout.readline(), 60)

    assert "meeting.torn_down" in line.decode()


async def test_what_was_given_up_is_recovered_before_the_eyes_of_a_person(play: Play) -> None:
    async with peer(ABORTS, ABORTS, OK) as theirs:
        made = await play.api.post(
            "/v1/endpoints", {"url": theirs.url, "types": ["meeting.provisioned"]}
        )
        await provisioned(play, "one", "two")
        await play.given_up(2)
        listed = await tieline(play, "undelivered", "list", "--endpoint", made["id"])
        counted = await tieline(play, "undelivered", "recover", "--dry-run")
        recovered = await tieline(play, "undelivered", "recover")
        left = await tieline(play, "undelivered", "list")

    assert listed.count(made["id"]) == 2
    assert "2 would be sent again" in counted
    assert "is done: 2 of 2 are on their way again; 0 were gone." in recovered
    assert left.strip() == "There is none."
