"""Google's authorization server: consent, codes, tokens, delegation."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from infra.sandbox.client import Sandbox
from tests.sandbox.google import Google

BACK = "http://127.0.0.1:1/back"
SCOPE = "https://www.googleapis.com/auth/calendar.events"
CLIENT = {"client_id": "sandbox-google", "client_secret": "google-secret"}


async def authorized(sandbox: Sandbox, **query: str) -> dict[str, str]:
    """Go to the consent page; returns the query the browser is sent back with."""
    asked = {
        "response_type": "code",
        "client_id": "sandbox-google",
        "redirect_uri": BACK,
        "scope": SCOPE,
        "state": "s1",
        **query,
    }
    async with httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(f"{sandbox.url}/google/oauth/authorize", params=asked)
    assert page.status_code == 302
    assert page.headers["location"].startswith(BACK)
    return {
        key: value[0] for key, value in parse_qs(urlsplit(page.headers["location"]).query).items()
    }


async def token(sandbox: Sandbox, **form: str) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{sandbox.url}/google/oauth/token", data=CLIENT | form)
    return answer.status_code, answer.json()


async def exchanged(sandbox: Sandbox, code: str, **form: str) -> tuple[int, dict[str, Any]]:
    return await token(
        sandbox, grant_type="authorization_code", code=code, redirect_uri=BACK, **form
    )


async def test_a_code_gives_tokens_once(sandbox: Sandbox, calendar: str) -> None:
    back = await authorized(sandbox)

    status, first = await exchanged(sandbox, back["code"])
    again, second = await exchanged(sandbox, back["code"])

    assert back["state"] == "s1"
    assert status == 200
    assert first["scope"] == SCOPE
    assert (again, second["error"]) == (400, "invalid_grant")


async def test_a_code_runs_out(sandbox: Sandbox, calendar: str) -> None:
    back = await authorized(sandbox)
    await sandbox.do("stage/clock", seconds=301)

    status, told = await exchanged(sandbox, back["code"])

    assert (status, told["error"]) == (400, "invalid_grant")


async def test_a_challenge_demands_its_verifier(sandbox: Sandbox, calendar: str) -> None:
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    back = await authorized(sandbox, code_challenge=challenge, code_challenge_method="S256")

    wrong, _ = await exchanged(sandbox, back["code"], code_verifier="w" * 43)
    right, _ = await exchanged(sandbox, back["code"], code_verifier=verifier)

    assert (wrong, right) == (400, 200)


async def test_fewer_scopes_than_asked_may_be_granted(sandbox: Sandbox, calendar: str) -> None:
    await sandbox.google.consent(scopes="openid")
    back = await authorized(sandbox)

    _, told = await exchanged(sandbox, back["code"])

    url = f"{sandbox.url}/google/calendar/v3/calendars/{calendar}/events"
    async with httpx.AsyncClient(trust_env=False) as client:
        refused = await client.get(url, headers={"Authorization": f"Bearer {told['access_token']}"})
    assert told["scope"] == "openid"
    assert refused.status_code == 403
    assert refused.json()["error"]["errors"][0]["reason"] == "insufficientPermissions"


async def test_a_person_may_say_no(sandbox: Sandbox, calendar: str) -> None:
    await sandbox.google.consent(approve=False)

    assert await authorized(sandbox) == {"error": "access_denied", "state": "s1"}


async def test_who_signs_in_is_chosen(sandbox: Sandbox, calendar: str) -> None:
    await sandbox.google.add_account("bob@example.org")
    await sandbox.google.consent(account="bob@example.org")

    await exchanged(sandbox, (await authorized(sandbox))["code"])
    await exchanged(sandbox, (await authorized(sandbox, login_hint=calendar))["code"])

    assert [grant["account"] for grant in await sandbox.google.grants()] == [
        "bob@example.org",
        calendar,
    ]


async def test_a_page_can_be_shown_to_a_person(sandbox: Sandbox, calendar: str) -> None:
    await sandbox.google.consent(page=True)
    asked = {"response_type": "code", "client_id": "sandbox-google", "redirect_uri": BACK}

    async with httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(f"{sandbox.url}/google/oauth/authorize", params=asked)

    assert page.status_code == 200
    assert calendar in page.text


async def test_googles_own_library_refreshes_when_the_token_runs_out(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await sandbox.google.expire_access(calendar)

    await google.do(google.events.list(calendarId=calendar))

    assert await sandbox.calls("google.refresh") == 1


async def test_a_withdrawn_grant_is_invalid_for_good(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await sandbox.google.revoke_grants(calendar)

    with pytest.raises(RefreshError) as refused:
        await google.do(google.events.list(calendarId=calendar))

    assert refused.value.args[1]["error"] == "invalid_grant"


async def test_a_wrong_secret_is_an_invalid_client(sandbox: Sandbox, calendar: str) -> None:
    tokens = await sandbox.google.sign_in(calendar)

    status, told = await token(
        sandbox, grant_type="refresh_token", refresh_token=tokens.refresh, client_secret="no"
    )

    assert (status, told["error"]) == (401, "invalid_client")


async def test_revoking_ends_the_grant(sandbox: Sandbox, calendar: str) -> None:
    tokens = await sandbox.google.sign_in(calendar)

    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{sandbox.url}/google/oauth/revoke"
        done = await client.post(url, data={"token": tokens.refresh})
    status, told = await token(sandbox, grant_type="refresh_token", refresh_token=tokens.refresh)

    assert done.status_code == 200
    assert (status, told["error"]) == (400, "invalid_grant")


async def test_a_service_account_acts_for_a_user(sandbox: Sandbox, calendar: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = "robot@project.iam.gserviceaccount.com"
    await sandbox.google.add_client(name, _public_pem(key))
    credentials = service_account.Credentials.from_service_account_info(
        _key_file(name, key, f"{sandbox.url}/google/oauth/token"), scopes=[SCOPE], subject=calendar
    )

    credentials.refresh(Request())

    url = f"{sandbox.url}/google/calendar/v3/calendars/{calendar}/events"
    async with httpx.AsyncClient(trust_env=False) as client:
        listed = await client.get(url, headers={"Authorization": f"Bearer {credentials.token}"})
    assert listed.status_code == 200


async def test_an_assertion_signed_with_another_key_is_refused(
    sandbox: Sandbox, calendar: str
) -> None:
    key, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    name = "robot@project.iam.gserviceaccount.com"
    await sandbox.google.add_client(name, _public_pem(key))
    credentials = service_account.Credentials.from_service_account_info(
        _key_file(name, other, f"{sandbox.url}/google/oauth/token"),
        scopes=[SCOPE],
        subject=calendar,
    )

    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        credentials.refresh(Request())


async def test_an_assertion_of_an_unknown_account_is_refused(
    sandbox: Sandbox, calendar: str
) -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode().rstrip("=")
    claims = {"iss": "nobody", "sub": calendar, "exp": int(time.time()) + 60}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    status, told = await token(sandbox, grant_type=kind, assertion=f"{head}.{body}.AAAA")

    assert (status, told["error"]) == (401, "unauthorized_client")


def _public_pem(key: rsa.RSAPrivateKey) -> str:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


def _key_file(name: str, key: rsa.RSAPrivateKey, token_uri: str) -> dict[str, str]:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "client_email": name,
        "private_key": pem.decode(),
        "token_uri": token_uri,
    }
