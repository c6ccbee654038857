"""How does a test reach the control API, and what can it do at a provider?"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

import httpx

from infra.sandbox.documents import Doc, rows, section, text

Provider = Literal["google", "graph", "zoom", "goto"]
Json: TypeAlias = object


class Refused(Exception):
    """The control API did not do what it was told; says why."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gave."""

    access: str
    refresh: str
    scope: str


class Hands:
    """Does control actions over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def do(self, action: str, **told: Json) -> Json:
        """Do a control action such as `zoom/start_meeting`; Refused says what was wrong."""
        response = await self._http.post(f"/control/{action}", json=told)
        if response.status_code != HTTPStatus.OK:
            raise Refused(f"{action}: {response.text}")
        result: Json = response.json()
        return result

    async def doc(self, action: str, **told: Json) -> Doc:
        """Do a control action that answers an object."""
        return section({"it": await self.do(action, **told)}, "it")

    async def docs(self, action: str, **told: Json) -> list[Doc]:
        """Do a control action that answers a list."""
        return rows({"them": await self.do(action, **told)}, "them")


class Side:
    """What all providers have: clients, consent and grants."""

    provider: Provider
    everything: str

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def settings(self, **settings: Json) -> Doc:
        """Change settings; answers all of them."""
        return await self._hands.doc(f"{self.provider}/settings", **settings)

    async def add_client(
        self, name: str, secret: str, *, redirect_uris: list[str] | None = None, account: str = ""
    ) -> None:
        """Register a client; `account` makes it Zoom's server-to-server kind."""
        await self._hands.do(
            f"{self.provider}/add_client",
            id=name,
            secret=secret,
            redirect_uris=redirect_uris or [],
            account=account,
        )

    async def consent(self, **consent: Json) -> None:
        """Say who signs in next (`account`), whether they `approve`, the `scopes` they tick."""
        await self._hands.do(f"{self.provider}/consent", **consent)

    async def sign_in(self, account: str, *, scopes: str = "", client: str = "") -> Tokens:
        """Grant a client what an account allows, without a browser."""
        told = await self._hands.doc(
            f"{self.provider}/sign_in",
            account=account,
            scopes=scopes or self.everything,
            client=client,
        )
        return Tokens(text(told, "access_token"), text(told, "refresh_token"), text(told, "scope"))

    async def revoke_grants(self, account: str) -> None:
        """The person withdraws what they allowed."""
        await self._hands.do(f"{self.provider}/revoke_grants", account=account)

    async def expire_access(self, account: str) -> None:
        """Let the account's access tokens run out now."""
        await self._hands.do(f"{self.provider}/expire_access", account=account)

    async def set_scopes(self, account: str, scopes: str) -> None:
        """Change what the account's living grants cover."""
        await self._hands.do(f"{self.provider}/set_scopes", account=account, scopes=scopes)

    async def token_rules(self, **rules: Json) -> None:
        """Set access_life_s, code_life_s, and reuse of a spent refresh token: kill or refuse."""
        await self._hands.do(f"{self.provider}/token_rules", **rules)

    async def grants(self) -> list[Doc]:
        """List the grants: client, account, scopes, alive."""
        return await self._hands.docs(f"{self.provider}/grants")
