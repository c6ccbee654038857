"""Grants through the whole house: what one application linked, another uses and hears about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from infra.cli.api import Api, Problem
from infra.cli.partner import Partner, listening
from infra.cli.rehearsal import Rehearsal
from tests.e2e.tenancy import WITHIN, Tenancy, let_in, tomorrow, until

PATIENCE = WITHIN.total_seconds()
ROOM = {"provider": "jitsi", "room_url": "https://meet.example.org"}


@dataclass
class Other:
    """Another application of the tenant, which neither sees nor hears of all of it."""

    application: str
    api: Api
    """With a key that manages its endpoints."""
    asks: Api
    """With a key that asks for meetings, and no more."""
    partner: Partner
    endpoint: str

    def subjects(self) -> list[str]:
        """What the callbacks that it heard were about."""
        return [one["data"]["subject"] for one in self.partner.heard]

    async def feed(self) -> list[str]:
        """The same of its feed."""
        page = await self.asks.get("/v1/feed", limit="200")
        return [one["callback"]["data"]["subject"] for one in page["items"]]


@pytest_asyncio.fixture(loop_scope="session")
async def tenancy(house: Rehearsal) -> AsyncIterator[Tenancy]:
    async with let_in(house) as tenancy:
        yield tenancy


@asynccontextmanager
async def joined(tenancy: Tenancy) -> AsyncIterator[Other]:
    """One more application, with an endpoint of its own."""
    async with AsyncExitStack() as stack:
        operator = Api(tenancy.house.api, tenancy.house.admin_key)
        stack.push_async_callback(operator.aclose)
        path = f"/v1/tenants/{tenancy.tenant}/applications"
        application = (await operator.post(path, {"name": "Coaching"}))["id"]

        async def keyed(*scopes: str) -> Api:
            made = await operator.post(f"{path}/{application}/keys", {"scopes": scopes})
            api = Api(tenancy.house.api, made["secret"])
            stack.push_async_callback(api.aclose)
            return api

        partner = await stack.enter_async_context(listening())
        manages = await keyed("meetings", "manage")
        endpoint = await manages.post("/v1/endpoints", {"url": partner.url})
        partner.secret = endpoint["secret"]
        yield Other(application, manages, await keyed("meetings"), partner, endpoint["id"])


async def ask_for(api: Api, name: str, connection: str) -> str:
    """Ask for a meeting over a connection; its id."""
    wish = {
        "title": "Interview",
        "starts_at": tomorrow().isoformat(),
        "ends_at": tomorrow(1).isoformat(),
        "conferencing": {"connection": connection},
    }
    return str((await api.put(f"/v1/meetings/{name}", wish))["id"])


async def hearers(tenancy: Tenancy, meeting: str) -> set[str]:
    """The endpoints that news of this meeting was posted for: by one commit for all of them, so
    that none comes later than what the application hears that hears everything."""

    async def heard() -> str:
        told = (one for one in tenancy.partner.heard if one["data"]["subject"] == meeting)
        return next((str(one["id"]) for one in told), "")

    callback = await until(heard, f"news of {meeting}")
    shown = await tenancy.api.get(f"/v1/callbacks/{callback}")
    return {one["endpoint"] for one in shown["deliveries"]}


async def test_who_was_granted_a_connection_hears_of_it_until_that_is_taken_away(
    tenancy: Tenancy,
) -> None:
    async with joined(tenancy) as granted, joined(tenancy) as other:
        room = (await tenancy.api.post("/v1/connections", ROOM))["id"]
        before = await ask_for(tenancy.api, "before", room)
        posted = [await hearers(tenancy, before)]
        code, grant = await tenancy.tieline(
            "grants", "give", granted.application, "--connection", room
        )
        during = await ask_for(tenancy.api, "during", room)
        posted.append(await hearers(tenancy, during))
        told = await granted.partner.waits_for("meeting.provisioned", seconds=PATIENCE)
        shown = await granted.asks.get(f"/v1/meetings/{during}")
        _, listed = await tenancy.tieline("grants", "list", "--connection", room)
        _, taken = await tenancy.tieline("grants", "take", grant["id"])
        after = await ask_for(tenancy.api, "after", room)
        posted.append(await hearers(tenancy, after))
        feeds = [await one.feed() for one in (granted, other)]

    assert (code, taken) == (0, {"taken": grant["id"]})
    assert [one["id"] for one in listed] == [grant["id"]]
    assert [granted.endpoint in one for one in posted] == [False, True, False]
    assert [other.endpoint in one for one in posted] == [False, False, False]
    assert (told["data"]["subject"], granted.subjects()) == (during, [during])
    assert shown["join_url"].startswith("https://meet.example.org/")
    assert feeds == [[during], []]


async def test_s4_7_whom_a_user_granted_their_connection_may_use_it(tenancy: Tenancy) -> None:
    async with joined(tenancy) as granted, joined(tenancy) as other:
        room = (await tenancy.api.post("/v1/connections", {**ROOM, "user": "ada"}))["id"]
        terms: dict[str, Any] = {"application": granted.application, "user": "ada"}

        refused = [await refusal(one.asks, room) for one in (granted, other)]
        await tenancy.api.post("/v1/grants", {**terms, "allows": ["use"]})
        meeting = await ask_for(granted.asks, "theirs", room)

        async def provisioned() -> bool:
            return (await granted.asks.get("/v1/meetings/theirs"))["status"] == "provisioned"

        await until(provisioned, "the meeting's conference")
        heard = await granted.partner.waits_for("meeting.provisioned", seconds=PATIENCE)
        [own] = (await granted.asks.get("/v1/grants"))["items"]

        assert refused == ["invalid-request", "invalid-request"]
        assert await refusal(other.asks, room) == "invalid-request"
        assert heard["data"]["meeting"]["id"] == meeting
        assert (own["user"], own["allows"], own["in_force"]) == ("ada", ["use"], True)
        assert (await other.asks.get("/v1/grants"))["items"] == []
        assert other.subjects() == []


async def refusal(api: Api, connection: str) -> str:
    """How the wish for a meeting over this connection is refused."""
    try:
        await ask_for(api, "theirs", connection)
    except Problem as problem:
        return problem.kind
    return ""
