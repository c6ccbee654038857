"""Endpoints and undelivered callbacks from the command line, with a partner that was down."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from tests.e2e.tenancy import Tenancy, let_in, tomorrow, until
from tests.machines.peer import peer, says

OK, NO = says("204 No Content", body=b""), says("400 Bad Request")
MEETINGS = 3


@pytest_asyncio.fixture(loop_scope="session")
async def tenancy(house: Rehearsal) -> AsyncIterator[Tenancy]:
    async with let_in(house) as tenancy:
        yield tenancy


async def ask_for_meetings(tenancy: Tenancy) -> None:
    """Meetings whose conferences ask nobody."""
    wish = {"provider": "jitsi", "room_url": "https://meet.example.org"}
    rooms = (await tenancy.api.post("/v1/connections", wish))["id"]
    for number in range(MEETINGS):
        meeting = {
            "title": "Interview",
            "starts_at": tomorrow().isoformat(),
            "ends_at": tomorrow(1).isoformat(),
            "conferencing": {"connection": rooms},
        }
        await tenancy.api.put(f"/v1/meetings/case-{number}", meeting)


async def test_what_a_partner_missed_is_listed_counted_and_sent_again(tenancy: Tenancy) -> None:
    """B-6: by filter, with a dry run, and watched to its end."""
    async with peer(*[NO] * (2 * MEETINGS), OK) as theirs:
        manners = {"url": theirs.url, "types": ["meeting.provisioned"], "retry_s": [1]}
        endpoint = (await tenancy.api.post("/v1/endpoints", manners))["id"]
        await ask_for_meetings(tenancy)
        wanted = ("--endpoint", endpoint, "--reason", "exhausted")

        async def all_missed() -> bool:
            listed = await tenancy.api.get("/v1/undelivered", endpoint=endpoint)
            return len(listed["items"]) == MEETINGS

        await until(all_missed, "what was given up")
        _, listed = await tenancy.tieline("undelivered", "list", *wanted)
        _, earlier = await tenancy.tieline(
            "undelivered", "list", *wanted, "--until", "2026-01-01T00:00:00Z"
        )
        _, counted = await tenancy.tieline("undelivered", "recover", *wanted, "--dry-run")
        code, done = await tenancy.tieline("undelivered", "recover", *wanted)

        async def all_heard() -> bool:
            return len(theirs.bodies) == 3 * MEETINGS

        await until(all_heard, "what was recovered")

    assert (len(listed), earlier) == (MEETINGS, [])
    assert (counted["state"], counted["expected"]) == ("counted", MEETINGS)
    assert (code, done["state"], done["recovered"]) == (0, "done", MEETINGS)
    ids = [orjson.loads(body)["id"] for body in theirs.bodies]
    assert sorted(ids[-MEETINGS:]) == sorted(set(ids))


async def test_an_endpoint_is_changed_tested_and_given_a_new_secret(tenancy: Tenancy) -> None:
    async with peer(OK) as theirs:
        _, made = await tenancy.tieline("endpoints", "add", theirs.url)
        _, changed = await tenancy.tieline(
            "endpoints", "change", made["id"], "--rate", "5", "--description", "CRM"
        )
        _, rotated = await tenancy.tieline("endpoints", "rotate", made["id"], "--hours", "1")
        _, sent = await tenancy.tieline("endpoints", "test", made["id"], "--type", "meeting.ended")

        async def tried() -> bool:
            told = await tenancy.api.get(f"/v1/callbacks/{sent['callback']}")
            return [one["state"] for one in told["deliveries"]] == ["delivered"]

        await until(tried, "the example")
        _, attempts = await tenancy.tieline("callbacks", "attempts", sent["callback"])
        _, asked = await tenancy.tieline("endpoints", "challenge", made["id"])
        _, shown = await tenancy.tieline("endpoints", "show", made["id"])

    assert (changed["rate_per_s"], changed["description"]) == (5, "CRM")
    assert changed["concurrency"] == made["concurrency"]
    assert rotated["secret"] != made["secret"]
    assert shown["secrets"] == 2
    assert [one["delivered"] for one in attempts] == [True]
    assert asked["id"] == made["id"]
    assert orjson.loads(theirs.bodies[0])["type"] == "meeting.ended"
