"""GoTo's authorization server: the refresh token stays, Direct Login is gone."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx

from infra.sandbox.client import Sandbox

CLIENT = ("sandbox-goto", "goto-secret")


async def token(
    sandbox: Sandbox, form: dict[str, str], client: tuple[str, str] = CLIENT
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(f"{sandbox.url}/goto/oauth/token", data=form, auth=client)


async def test_a_code_is_exchanged_with_basic_credentials(sandbox: Sandbox) -> None:
    await sandbox.goto.add_organizer("ada@example.org")
    asked = {
        "response_type": "code",
        "client_id": "sandbox-goto",
        "redirect_uri": "http://127.0.0.1:1/back",
        "scope": "collab:",
        "state": "s",
    }
    async with httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(f"{sandbox.url}/goto/oauth/authorize", params=asked)
    code = parse_qs(urlsplit(page.headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"]}

    without = await token(sandbox, form, ("sandbox-goto", "wrong"))
    told = (await token(sandbox, form)).json()

    assert without.status_code == 401
    assert (told["scope"], told["principal"]) == ("collab:", "ada@example.org")
    assert told["refresh_token"]


async def test_a_refresh_brings_no_new_refresh_token(sandbox: Sandbox) -> None:
    tokens = await sandbox.goto.sign_in(await sandbox.goto.add_organizer("ada@example.org"))
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}

    first, second = (await token(sandbox, form)).json(), await token(sandbox, form)
    await sandbox.goto.settings(rotates=True)
    third = (await token(sandbox, form)).json()

    assert "refresh_token" not in first
    assert second.status_code == 200
    assert third["refresh_token"] != tokens.refresh


async def test_direct_login_is_refused(sandbox: Sandbox) -> None:
    form = {"grant_type": "password", "user_id": "ada@example.org", "password": "x"}

    refused = await token(sandbox, form)

    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")


async def test_no_credentials_are_no_client(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{sandbox.url}/goto/oauth/token"
        none = await http.post(url, data={"grant_type": "refresh_token"})
        other = await http.post(url, headers={"Authorization": "Digest YTpi"})

    assert (none.status_code, other.status_code) == (401, 401)
