"""Zoom's authorization server: rotation, dead grants, server-to-server."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import httpx

from infra.sandbox.client import Sandbox

CLIENT = ("sandbox-zoom", "zoom-secret")


async def token(
    sandbox: Sandbox, form: dict[str, str], client: tuple[str, str] = CLIENT
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(f"{sandbox.url}/zoom/oauth/token", data=form, auth=client)


async def refreshed(sandbox: Sandbox, refresh: str) -> httpx.Response:
    return await token(sandbox, {"grant_type": "refresh_token", "refresh_token": refresh})


async def me(sandbox: Sandbox, access: object) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{sandbox.url}/zoom/v2/users/me"
        answer = await http.get(url, headers={"Authorization": f"Bearer {access}"})
    return answer.status_code


async def test_a_code_is_exchanged_with_basic_credentials(sandbox: Sandbox, host: str) -> None:
    asked = {
        "response_type": "code",
        "client_id": "sandbox-zoom",
        "redirect_uri": "http://127.0.0.1:1/back",
        "scope": "user:read:user",
        "state": "s",
    }
    async with httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(f"{sandbox.url}/zoom/oauth/authorize", params=asked)
    code = parse_qs(urlsplit(page.headers["location"]).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked["redirect_uri"],
    }

    without = await token(sandbox, form, ("sandbox-zoom", "wrong"))
    told = (await token(sandbox, form)).json()

    assert without.status_code == 401
    assert told["scope"] == "user:read:user"
    assert await me(sandbox, told["access_token"]) == 200


async def test_a_refresh_rotates_the_refresh_token(sandbox: Sandbox, host: str) -> None:
    tokens = await sandbox.zoom.sign_in(host)

    first = (await refreshed(sandbox, tokens.refresh)).json()
    second = (await refreshed(sandbox, first["refresh_token"])).json()

    assert len({tokens.refresh, first["refresh_token"], second["refresh_token"]}) == 3
    assert await me(sandbox, second["access_token"]) == 200
    assert await sandbox.calls("zoom.refresh") == 2


async def test_two_refreshes_with_one_token_kill_the_grant(sandbox: Sandbox, host: str) -> None:
    tokens = await sandbox.zoom.sign_in(host)

    answers = await asyncio.gather(*(refreshed(sandbox, tokens.refresh) for _ in range(2)))

    won = next(answer.json() for answer in answers if answer.status_code == 200)
    lost = next(answer for answer in answers if answer.status_code == 400)
    assert lost.json() == {"reason": "Invalid Token!", "error": "invalid_grant"}
    assert await me(sandbox, won["access_token"]) == 401
    assert (await refreshed(sandbox, won["refresh_token"])).status_code == 400


async def test_an_account_gives_a_token_to_its_own_app(sandbox: Sandbox, host: str) -> None:
    account = str((await sandbox.zoom.accounts())[0]["account_id"])
    await sandbox.zoom.add_client("s2s", "s2s-secret", account=account)
    form = {"grant_type": "account_credentials", "account_id": account}

    told = (await token(sandbox, form, ("s2s", "s2s-secret"))).json()
    foreign = await token(sandbox, form)

    assert "refresh_token" not in told
    assert await me(sandbox, told["access_token"]) == 200
    assert foreign.status_code == 400


async def test_a_token_is_revoked_by_the_query(sandbox: Sandbox, host: str) -> None:
    tokens = await sandbox.zoom.sign_in(host)
    url = f"{sandbox.url}/zoom/oauth/revoke"

    async with httpx.AsyncClient(trust_env=False) as http:
        in_body = await http.post(url, data={"token": tokens.access}, auth=CLIENT)
        in_query = await http.post(url, params={"token": tokens.access}, auth=CLIENT)

    assert in_body.status_code == 400
    assert in_query.json() == {"status": "success"}
    assert await me(sandbox, tokens.access) == 401


async def test_a_spent_refresh_token_may_only_be_refused(sandbox: Sandbox, host: str) -> None:
    await sandbox.zoom.token_rules(reuse="refuse")
    tokens = await sandbox.zoom.sign_in(host)
    won = (await refreshed(sandbox, tokens.refresh)).json()

    lost = await refreshed(sandbox, tokens.refresh)

    assert lost.status_code == 400
    assert await me(sandbox, won["access_token"]) == 200
