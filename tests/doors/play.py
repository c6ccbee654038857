"""Who plays in front of the doors: an operator, a partner with its endpoint, people who consent."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from infra.cli.api import Api
from infra.cli.partner import Partner, listening
from infra.sandbox.client import Sandbox
from infra.sandbox.google.client import GoogleSide
from infra.sandbox.zoom.client import ZoomSide
from tests.doors.house import House

T = TypeVar("T")

SCOPES = ("meetings", "manage", "start", "tenant")
PATIENCE_S = 60.0


async def until(holds: Callable[[], Awaitable[T]], *, within: float = PATIENCE_S) -> T:
    """Wait until it holds, and return what it then is."""
    end = time.monotonic() + within
    while not (found := await holds()):
        if time.monotonic() > end:
            raise AssertionError("it did not come to hold in time")
        await asyncio.sleep(0.05)
    return found


def secret_of(client: str) -> str:
    """The secret of an app of this name."""
    return f"secret-of-{client}"


def webhook_secret_of(client: str) -> str:
    """What Zoom signs with for an app of this name."""
    return f"webhooks-of-{client}"


@dataclass
class Play:
    """One tenant of a running installation, its application, and the vendors beside it."""

    house: House
    sandbox: Sandbox
    api: Api
    partner: Partner
    tenant: str
    key: str
    """The application's API key."""

    async def client(self, provider: str = "zoom") -> dict[str, Any]:
        """An app at ours, by the API, and at the vendor, with the addresses that ours tells."""
        name = f"app-{secrets.token_hex(4)}"
        body = {"provider": provider, "client_id": name, "secret": secret_of(name)}
        if provider == "zoom":
            body["webhook_secret"] = webhook_secret_of(name)
        made: dict[str, Any] = await self.api.post("/v1/clients", body)
        redirect = [made["redirect_url"]]
        await self.side(provider).add_client(name, secret_of(name), redirect_uris=redirect)
        if provider == "zoom":
            address, secret = made["notification_url"], webhook_secret_of(name)
            await self.sandbox.zoom.subscribe(address, secret, client=name)
        return made

    async def link(
        self,
        client: Mapping[str, Any],
        account: str,
        *,
        scopes: str | None = None,
        approve: bool = True,
        **asked: str,
    ) -> dict[str, str]:
        """The person logs in at the vendor and consents, in a browser; what the partner gets."""
        side = self.side(client["provider"])
        await side.consent(account=account, approve=approve, scopes=scopes)
        body = {"client": client["id"], "return_url": f"{self.partner.url}?linked=yes", **asked}
        link = await self.api.post("/v1/connections/link", body)
        return dict((await follow(httpx.URL(link["url"]), self.partner.url)).params)

    def side(self, provider: str) -> ZoomSide | GoogleSide:
        """The vendor in the sandbox."""
        return self.sandbox.zoom if provider == "zoom" else self.sandbox.google

    async def account(self, provider: str = "zoom", *, plan: str = "pro") -> str:
        """Somebody new at the vendor; the vendor's id of them."""
        email = f"ada-{secrets.token_hex(4)}@example.org"
        if provider == "zoom":
            return await self.sandbox.zoom.add_account(email, plan=plan)
        return await self.sandbox.google.add_account(email)

    async def zoom(self) -> tuple[str, str]:
        """A Zoom account of somebody new, linked: who it is, and the connection."""
        who = await self.account()
        return who, (await self.link(await self.client(), who))["connection"]

    async def heard(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The first callbacks of a type, once there are so many."""
        told: list[dict[str, Any]] = []

        async def enough() -> bool:
            told[:] = [one for one in self.partner.heard if one["type"] == kind]
            return len(told) >= count

        await until(enough)
        return told[:count]

    async def hear(self) -> dict[str, Any]:
        """Make the partner's endpoint; every callback is verified by the reference library."""
        made: dict[str, Any] = await self.api.post("/v1/endpoints", {"url": self.partner.url})
        self.partner.secret = made["secret"]
        return made

    async def ask(self, name: str, conferencing: object = "none", **more: object) -> dict[str, Any]:
        """Ask for a meeting as a partner does."""
        starts = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
        body = {
            "title": "Interview",
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(),
            "conferencing": conferencing,
            **more,
        }
        made: dict[str, Any] = await self.api.put(f"/v1/meetings/{name}", body)
        return made

    async def meeting(
        self, name: str, status: str, *, within: float = PATIENCE_S
    ) -> dict[str, Any]:
        """The meeting, once it stands so."""

        async def stands() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.api.get(f"/v1/meetings/{name}")
            return found if found["status"] == status else None

        found = await until(stands, within=within)
        assert found is not None
        return found

    async def given_up(self, count: int) -> None:
        """Wait until so many callbacks are not tried any more."""

        async def listed() -> bool:
            return len((await self.api.get("/v1/undelivered"))["items"]) == count

        await until(listed)

    async def connection(self, name: str, state: str) -> dict[str, Any]:
        """The connection, once it stands so."""

        async def stands() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.api.get(f"/v1/connections/{name}")
            return found if found["state"] == state else None

        found = await until(stands)
        assert found is not None
        return found


async def follow(url: httpx.URL, home: str) -> httpx.URL:
    """Go where a browser is sent, until it is back at the partner's."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as browser:
        while not str(url).startswith(home):
            answer = await browser.get(url)
            assert answer.has_redirect_location, answer.text
            url = url.join(answer.headers["location"])
    return url


@asynccontextmanager
async def playing(house: House, *, api: str = "") -> AsyncIterator[Play]:
    """A new tenant with an application and its key, made by the operator's door."""
    tenant = f"t-{secrets.token_hex(4)}"
    address = api or house.api
    operator = Api(address, house.admin_key)
    await operator.post("/v1/tenants", {"id": tenant, "name": "Acme"})
    applications = f"/v1/tenants/{tenant}/applications"
    application = await operator.post(applications, {"name": "Recruiting"})
    made = await operator.post(f"{applications}/{application['id']}/keys", {"scopes": [*SCOPES]})
    await operator.aclose()
    partner_api = Api(address, made["secret"])
    async with listening() as partner, Sandbox.at(house.sandbox) as sandbox:
        yield Play(house, sandbox, partner_api, partner, tenant, made["secret"])
    await partner_api.aclose()
