"""Are OAuth requests made as each vendor wants them, and is a grant called dead only when it is?"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from infra import tokens
from infra.errors import TryLater
from infra.tokens import ClientKey, Dead, Granted, OAuth

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BASIC = OAuth(
    authorize_url="https://vendor.example/oauth/authorize?fixed=1",
    token_url="https://vendor.example/oauth/token",
    revoke_url="https://vendor.example/oauth/revoke",
    revoke="query",
    extra={"access_type": "offline"},
)
FORM = OAuth(
    authorize_url="https://vendor.example/authorize",
    token_url="https://vendor.example/token",
    revoke_url="https://vendor.example/revoke",
    client_auth="form",
)
CLIENT = ClientKey("client:1", SecretStr("s3cret/+"))


def form(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def said(status: int, body: bytes) -> httpx.Response:
    request = httpx.Request("POST", "https://vendor.example/oauth/token")
    return httpx.Response(status, content=body, request=request)


def test_the_browser_is_sent_with_a_state_and_a_hashed_verifier() -> None:
    verifier = tokens.new_verifier()

    url = tokens.authorise_url(
        BASIC,
        client_id="client:1",
        redirect_uri="https://tieline.example/connect/back",
        scopes=["calendar:read", "calendar:write"],
        state="state_1",
        verifier=verifier,
    )

    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    hashed = hashlib.sha256(verifier.get_secret_value().encode()).digest()
    assert verifier.get_secret_value() not in url
    assert asked == {
        "fixed": "1",
        "access_type": "offline",
        "response_type": "code",
        "client_id": "client:1",
        "redirect_uri": "https://tieline.example/connect/back",
        "scope": "calendar:read calendar:write",
        "state": "state_1",
        "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def test_states_and_verifiers_do_not_come_twice() -> None:
    assert tokens.new_state() != tokens.new_state()
    assert tokens.new_verifier() != tokens.new_verifier()


def test_a_code_is_exchanged_with_the_verifier() -> None:
    request = tokens.exchange(
        BASIC,
        CLIENT,
        code=SecretStr("code_1"),
        redirect_uri="https://tieline.example/back",
        verifier=SecretStr("verifier_1"),
    )

    proof = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
    assert proof == b"client%3A1:s3cret%2F%2B"
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "code_1",
        "redirect_uri": "https://tieline.example/back",
        "code_verifier": "verifier_1",
    }


def test_a_client_may_prove_itself_in_the_form() -> None:
    request = tokens.refresh(FORM, CLIENT, token=SecretStr("refresh_1"))

    assert "Authorization" not in request.headers
    assert form(request) == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh_1",
        "client_id": "client:1",
        "client_secret": "s3cret/+",
    }


def test_other_grants_are_asked_for_by_name() -> None:
    request = tokens.ask(BASIC, CLIENT, grant_type="account_credentials", account_id="acc_1")

    assert form(request) == {"grant_type": "account_credentials", "account_id": "acc_1"}


def test_a_token_is_given_back_where_the_vendor_looks_for_it() -> None:
    by_query = tokens.revoke(BASIC, CLIENT, token=SecretStr("token_1"))
    by_form = tokens.revoke(FORM, CLIENT, token=SecretStr("token_1"))
    nowhere = tokens.revoke(OAuth("https://a", "https://b"), CLIENT, token=SecretStr("token_1"))

    assert by_query is not None
    assert str(by_query.url) == "https://vendor.example/oauth/revoke?token=token_1"
    assert by_form is not None
    assert form(by_form)["token"] == "token_1"
    assert nowhere is None


def test_a_grant_is_read_with_its_end_and_scopes() -> None:
    body = b'{"access_token":"a","refresh_token":"r","expires_in":3599,"scope":"one two"}'

    assert tokens.read(said(200, body), now=NOW) == Granted(
        SecretStr("a"), SecretStr("r"), NOW + timedelta(seconds=3599), frozenset({"one", "two"})
    )


@pytest.mark.parametrize(
    ("rest", "life"),
    [
        (b"", 3600),
        (b',"expires_in":"60"', 60),
        (b',"expires_in":1e300', 3600),
        (b',"expires_in":-1', 3600),
        (b',"expires_in":{}', 3600),
    ],
)
def test_an_odd_life_does_not_lose_the_tokens(rest: bytes, life: int) -> None:
    granted = tokens.read(said(200, b'{"access_token":"a"' + rest + b"}"), now=NOW)

    assert granted == Granted(SecretStr("a"), None, NOW + timedelta(seconds=life), None)


@pytest.mark.parametrize("scope", [b'"b,a"', b'"a b"', b'["a","b"]'])
def test_scopes_come_in_several_dresses(scope: bytes) -> None:
    granted = tokens.read(said(200, b'{"access_token":"a","scope":' + scope + b"}"), now=NOW)

    assert isinstance(granted, Granted)
    assert granted.scopes == frozenset({"a", "b"})


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
def test_a_dead_grant_is_dead(status: int, error: str) -> None:
    body = b'{"reason":"Invalid Token!","error":"' + error.encode() + b'"}'

    assert tokens.read(said(status, body), now=NOW) == Dead(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"error":"invalid_grant"}'),
        (503, b"busy"),
        (429, b'{"error":"rate_limited"}'),
        (400, b"<xml>invalid_grant</xml>"),
        (400, b'{"error":"temporarily_unavailable"}'),
        (400, b'{"error":{"code":"invalid_grant"}}'),
        (200, b"<html>sorry, canary-secret</html>"),
        (200, b"{}"),
        (200, b"[]"),
        (302, b""),
    ],
)
def test_whatever_does_not_prove_a_grant_dead_is_tried_later(status: int, body: bytes) -> None:
    with pytest.raises(TryLater, match=f"vendor.example said {status}") as caught:
        tokens.read(said(status, body), now=NOW)

    assert "canary" not in str(caught.value)


@given(st.integers(200, 599), st.binary())
def test_no_answer_makes_it_stumble(status: int, body: bytes) -> None:
    with pytest.raises(TryLater):
        tokens.read(said(status, body), now=NOW)


def test_missing_scopes_are_named_as_they_were_asked() -> None:
    required = ["Calendars.ReadWrite", "https://www.example/auth/calendar", "meeting:write"]
    granted = ["https://graph.example/calendars.readwrite", "https://www.example/auth/calendar"]

    assert tokens.missing(granted, required) == {"meeting:write"}
    assert tokens.missing(required, required) == frozenset()
    assert tokens.missing(["calendar"], ["https://www.example/auth/calendar"])


def test_nothing_prints_a_token() -> None:
    granted = tokens.read(said(200, b'{"access_token":"canary"}'), now=NOW)

    assert "canary" not in repr(granted)
    assert "s3cret" not in repr(CLIENT)
