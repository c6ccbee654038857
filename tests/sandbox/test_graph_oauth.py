"""Who may do what at Graph: a person's consent, an application's permissions, limits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from infra.sandbox.client import Sandbox

BACK = "https://tieline.example/connect/callback/graph"
VERIFIER = "v" * 43
CLIENT = {"client_id": "sandbox-graph", "client_secret": "graph-secret"}
SCOPES = "offline_access User.Read Calendars.ReadWrite"


async def consented(sandbox: Sandbox, **more: str) -> dict[str, list[str]]:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    asked = {
        "response_type": "code",
        "client_id": "sandbox-graph",
        "redirect_uri": BACK,
        "scope": SCOPES,
        "state": "s1",
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
        **more,
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        said = await http.get(f"{sandbox.url}/graph/oauth/authorize", params=asked)
    return parse_qs(urlsplit(said.headers["location"]).query)


async def token(sandbox: Sandbox, path: str = "/oauth/token", **form: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        said = await http.post(f"{sandbox.url}/graph{path}", data={**CLIENT, **form})
    return said.status_code, said.json()


async def called(sandbox: Sandbox, bearer: str, path: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        said = await http.get(
            f"{sandbox.url}/graph/v1.0{path}", headers={"Authorization": f"Bearer {bearer}"}
        )
    return said.status_code, said.json()


async def test_a_code_needs_its_verifier_and_brings_both_tokens(
    sandbox: Sandbox, mailbox: str
) -> None:
    code = (await consented(sandbox))["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}

    wrong = await token(sandbox, **form, code_verifier="x" * 43)
    status, said = await token(sandbox, **form, code_verifier=VERIFIER)

    assert wrong[0] == 400
    assert wrong[1]["error"] == "invalid_grant"
    assert wrong[1]["error_description"].startswith("AADSTS")
    assert status == 200
    assert said["refresh_token"]
    assert "offline_access" not in said["scope"]  # it is asked for and never named
    assert (await called(sandbox, said["access_token"], "/me"))[1]["id"] == mailbox


async def test_without_offline_access_nothing_can_be_renewed(
    sandbox: Sandbox, mailbox: str
) -> None:
    code = (await consented(sandbox, scope="User.Read"))["code"][0]

    _, said = await token(
        sandbox,
        grant_type="authorization_code",
        code=code,
        redirect_uri=BACK,
        code_verifier=VERIFIER,
    )

    assert "refresh_token" not in said


async def test_an_application_sees_every_mailbox_but_those_out_of_its_policy(
    sandbox: Sandbox, mailbox: str
) -> None:
    room = await sandbox.graph.add_account("room@example.org", room=True)
    await sandbox.graph.add_client("app", "graph-secret", account="example.org")
    form = {"client_id": "app", "grant_type": "client_credentials"}
    await sandbox.graph.permit(mailbox, permitted=False)

    _, said = await token(
        sandbox,
        "/example.org/oauth2/v2.0/token",
        **form,
        scope="https://graph.microsoft.com/.default",
    )
    bearer = said["access_token"]

    assert (await called(sandbox, bearer, f"/users/{room}/calendar"))[0] == 200
    assert (await called(sandbox, bearer, "/users/ROOM@example.org/calendar"))[0] == 200
    status, refusal = await called(sandbox, bearer, f"/users/{mailbox}/calendar")
    assert (status, refusal["error"]["code"]) == (403, "ErrorAccessDenied")
    assert "OData is disabled" in refusal["error"]["message"]
    assert (await called(sandbox, bearer, "/me/calendar"))[0] == 400
    assert (await called(sandbox, bearer, "/users/nobody/calendar"))[0] == 404


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "scope": "Calendars.Read"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "x/.default"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "client_secret": "wrong"}, "invalid_client"),
    ],
)
async def test_the_token_endpoint_refuses_in_its_own_words(
    sandbox: Sandbox, mailbox: str, form: dict[str, str], error: str
) -> None:
    status, said = await token(sandbox, **form)

    assert status == (401 if error == "invalid_client" else 400)
    assert said["error"] == error


async def test_a_fifth_call_at_once_is_one_too_many(sandbox: Sandbox, mailbox: str) -> None:
    await sandbox.graph.settings(slow_s=0.5)
    bearer = (await sandbox.graph.sign_in(mailbox)).access

    answers = await asyncio.gather(*(called(sandbox, bearer, "/me/calendar") for _ in range(6)))

    statuses = sorted(status for status, _ in answers)
    assert statuses == [200] * 4 + [429] * 2
    assert await sandbox.graph.most_at_once() == 4


async def test_ten_minutes_hold_so_many_calls(sandbox: Sandbox, mailbox: str) -> None:
    await sandbox.graph.settings(calls_in_10_minutes=2)
    bearer = (await sandbox.graph.sign_in(mailbox)).access

    answers = [await called(sandbox, bearer, "/me/calendar") for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 429]
    assert answers[2][1]["error"]["code"] == "ApplicationThrottled"
