"""A tenant that is linked to a corporate GoTo account, by its administrator and by a member."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson

from infra.cli.api import Api, Json, Problem
from infra.cli.moving_in import consent, open_tenant
from infra.cli.partner import Partner, listening
from infra.cli.rehearsal import Rehearsal
from infra.sandbox.goto.client import GoToSide
from tests.e2e.household import tomorrow, until


@dataclass
class Corporation:
    """Ada is the administrator, Bob a member; both have linked their accounts."""

    house: Rehearsal
    tenant: str
    api: Api
    key: str
    """Of the application."""
    partner: Partner
    client: str
    account: str
    group: str
    ada: str
    """Her organizer's key; her address is `ada_at`."""
    ada_at: str
    bob: str
    bob_at: str
    admin: str
    """The connection to Ada's account, with the scope for people and attendance."""
    member: str
    """The connection to Bob's account, with the least scope."""

    @property
    def goto(self) -> GoToSide:
        """GoTo."""
        return self.house.sandbox.goto

    def of(self, what: str, connection: str = "") -> str:
        """The address of something of an account: the administrator's, unless said."""
        return f"/v1/connections/{connection or self.admin}/{what}"

    async def held(self, organizer: str, title: str = "Review", guest: str = "Cyd") -> int:
        """A meeting of somebody's that was held, with a guest."""
        starts = tomorrow()
        number = await self.goto.add_meeting(
            organizer,
            title,
            starts=starts.isoformat(),
            ends=(starts + timedelta(hours=1)).isoformat(),
        )
        await self.goto.start_meeting(number)
        await self.goto.join_meeting(number, guest, email=f"{guest.lower()}@example.org")
        await self.goto.end_meeting(number)
        return number

    async def looks_again(self) -> None:
        """Ada links her account again; a link that is renewed is polled and harvested at once."""
        calls = self.house.sandbox.calls
        polls, harvests = await calls("goto.list"), await calls("goto.history")
        await self.goto.consent(account=self.ada_at)
        again = await consent(self.api, self.client, back=self.partner.url, connection=self.admin)
        assert again == self.admin

        async def looked() -> bool:
            return await calls("goto.list") > polls + 1 and await calls("goto.history") > harvests

        await until(looked, "the poll")

    async def takes_webhooks(self, secret: str) -> Callable[[str, str], Awaitable[int]]:
        """Register the secret that GoToWebinar made for the client. Returns how the vendor then
        posts an event of Ada's account, signed with a secret; it answers the status."""
        await self.api.put(f"/v1/clients/{self.client}/webhook-secret", {"secret": secret})
        address = (await self.api.get(f"/v1/clients/{self.client}"))["notification_url"]

        async def post(event: str, signs: str) -> int:
            said = {"eventName": event, "eventKey": secrets.token_hex(8)}
            body = orjson.dumps({**said, "accountKey": self.account})
            stamp = str(int(datetime.now(UTC).timestamp()))
            digest = hmac.digest(signs.encode(), f"{stamp}:".encode() + body, "sha256")
            headers = {
                "x-webhook-signature": base64.b64encode(digest).decode(),
                "x-webhook-signature-timestamp": stamp,
            }
            async with httpx.AsyncClient(trust_env=False) as vendor:
                return (await vendor.post(address, content=body, headers=headers)).status_code

        return post

    async def refused(self, method: str, path: str, **more: Json) -> tuple[int, str, str]:
        """How a call is refused: status, kind of problem, words."""
        try:
            await self.call(method, path, **more)
        except Problem as problem:
            return problem.status, problem.kind, str(problem)
        raise AssertionError("it was not refused")

    async def call(self, method: str, path: str, **more: Json) -> Json:
        """Any call."""
        if method == "GET":
            return await self.api.get(path, **more)
        if method == "DELETE":
            return await self.api.delete(path)
        return await (self.api.post if method == "POST" else self.api.put)(path, more["body"])


def draft(title: str = "Meeting with Client", **more: object) -> dict[str, Any]:
    """A conference as a partner asks for it."""
    starts = tomorrow(3)
    return {
        "title": title,
        "starts_at": _z(starts),
        "ends_at": _z(starts + timedelta(hours=1)),
    } | more


def _z(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def _looked_at(house: Rehearsal, before: dict[str, int]) -> None:
    """The first poll and the first harvest of both connections are over."""

    async def looked() -> bool:
        calls = await house.sandbox.all_calls()
        made = {name: calls.get(name, 0) - before.get(name, 0) for name in calls}
        return made.get("goto.history", 0) >= 2 and made.get("goto.list", 0) >= 4

    await until(looked, "the first poll")


@asynccontextmanager
async def incorporated(house: Rehearsal) -> AsyncIterator[Corporation]:
    """A fresh tenant and a fresh account for the block."""
    goto, mark = house.sandbox.goto, secrets.token_hex(4)
    await goto.settings(
        as_seen=True, qps=True, calls_a_second=10, join_links_listed=True, history_days=60.0
    )
    account = await goto.add_account()
    group = await goto.add_group(account, "Sales")
    ada_at, bob_at = f"ada-{mark}@example.org", f"bob-{mark}@example.org"
    ada = await goto.add_organizer(ada_at, account=account, group=group, admin=True)
    bob = await goto.add_organizer(bob_at, account=account, group=group)
    async with AsyncExitStack() as stack:
        partner = await stack.enter_async_context(listening())
        operator = Api(house.api, house.admin_key)
        stack.push_async_callback(operator.aclose)
        key = await open_tenant(operator, f"t{mark}")
        api = Api(house.api, key)
        stack.push_async_callback(api.aclose)
        await goto.add_client(f"ours-{mark}", mark)
        ours = {"provider": "goto", "client_id": f"ours-{mark}", "secret": mark}
        client = (await api.post("/v1/clients", ours))["id"]
        endpoint = await api.post("/v1/endpoints", {"url": partner.url, "tenant_wide": True})
        partner.secret = endpoint["secret"]
        links = []
        before = await house.sandbox.all_calls()
        for person, more in ((ada_at, ["identity:"]), (bob_at, [])):
            await goto.consent(account=person)
            links.append(await consent(api, client, back=partner.url, more_scopes=more))
        await _looked_at(house, before)
        yield Corporation(
            house, f"t{mark}", api, key, partner, client, account, group,
            ada, ada_at, bob, bob_at, admin=links[0], member=links[1],
        )  # fmt: skip
        await house.sandbox.lift()
