"""How do we get, renew and give back an OAuth grant? Builds the requests and reads the answers.

Nothing here sends: workers do, once, after the store has noted that they will (ENGINE 31).
RFC 6749, RFC 7636 (PKCE), RFC 7009 (revocation); vendors differ in the ways an `OAuth` row says.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote_plus

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from infra.errors import TryLater

# What the vendor says when asking again cannot help: a person must link again, or an operator must
# mend the client. Anything else, a page of XML under a 400 too, may pass.
_DEAD: Final = frozenset(
    {"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"}
    | {"admin_policy_enforced", "interaction_required", "consent_required"}
)
_UNTOLD: Final = timedelta(hours=1)  # RFC 6749 §5.1: without `expires_in`, documented elsewhere
_LONGEST: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class OAuth:
    """How one vendor does it."""

    authorize_url: str
    token_url: str
    revoke_url: str | None = None
    revoke: Literal["form", "query"] = "form"
    """Where the token to revoke travels: RFC 7009 says form; Zoom and Google read the query."""
    client_auth: Literal["basic", "form"] = "basic"
    extra: Mapping[str, str] = field(default_factory=dict)
    """More parameters of the authorise URL, such as access_type=offline."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """Our registration at the vendor, as far as OAuth asks for it."""

    id: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class Granted:
    """What the vendor gave. Without a new `refresh_token` the old one stays valid: keep it."""

    access_token: SecretStr
    refresh_token: SecretStr | None
    expires_at: datetime
    scopes: frozenset[str] | None
    """None: the vendor did not say, which by RFC 6749 §5.1 means as asked."""


@dataclass(frozen=True, slots=True)
class Dead:
    """The grant is gone, and asking again cannot help; `reason` is the vendor's error code."""

    reason: str


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    # Whatever these hold, the tokens beside them count: a rotated one is given only once.
    expires_in: object = None
    scope: object = None
    error: str | None = None


def new_state() -> str:
    """A state for one authorisation: 256 random bits, kept with the browser's session."""
    return secrets.token_urlsafe(32)


def new_verifier() -> SecretStr:
    """A PKCE verifier: 256 random bits, 43 letters."""
    return SecretStr(secrets.token_urlsafe(32))


def authorise_url(
    oauth: OAuth,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Iterable[str],
    state: str,
    verifier: SecretStr,
) -> str:
    """Where to send the browser. The verifier stays with us; its SHA-256 travels."""
    hashed = hashlib.sha256(verifier.get_secret_value().encode()).digest()
    asked = {
        **oauth.extra,
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if scope := " ".join(scopes):
        asked["scope"] = scope
    return str(httpx.URL(oauth.authorize_url).copy_merge_params(asked))


def exchange(
    oauth: OAuth, client: ClientKey, *, code: SecretStr, redirect_uri: str, verifier: SecretStr
) -> httpx.Request:
    """Trade the code of a redirect for tokens. A code works once: send this once."""
    return ask(
        oauth,
        client,
        grant_type="authorization_code",
        code=code.get_secret_value(),
        redirect_uri=redirect_uri,
        code_verifier=verifier.get_secret_value(),
    )


def refresh(oauth: OAuth, client: ClientKey, *, token: SecretStr) -> httpx.Request:
    """Renew the access token; vendors that rotate make the old refresh token useless by this."""
    return ask(oauth, client, grant_type="refresh_token", refresh_token=token.get_secret_value())


def ask(oauth: OAuth, client: ClientKey, **form: str) -> httpx.Request:
    """Any request to the token endpoint, such as Zoom's grant_type=account_credentials."""
    headers, ours = _proof(oauth, client)
    return httpx.Request("POST", oauth.token_url, data={**form, **ours}, headers=headers)


def revoke(oauth: OAuth, client: ClientKey, *, token: SecretStr) -> httpx.Request | None:
    """Give a token back; None where the vendor takes none back."""
    if oauth.revoke_url is None:
        return None
    headers, ours = _proof(oauth, client)
    given = {"token": token.get_secret_value()}
    if oauth.revoke == "query":
        url = httpx.URL(oauth.revoke_url).copy_merge_params(given)
        return httpx.Request("POST", url, data=ours, headers=headers)
    return httpx.Request("POST", oauth.revoke_url, data={**given, **ours}, headers=headers)


def read(answer: httpx.Response, *, now: datetime) -> Granted | Dead:
    """Understand what a token endpoint said.

    Raises TryLater for everything that does not prove the grant dead: 429, 5xx, a page that is not
    JSON, an error of another name. The words never hold what the vendor sent beyond its code.
    """
    said = _parsed(answer)
    if answer.is_success and said.access_token is not None:
        until = now + _life(said.expires_in)
        return Granted(said.access_token, said.refresh_token, until, _scopes(said.scope))
    if answer.is_client_error and said.error in _DEAD:
        return Dead(said.error)
    raise TryLater(f"the token endpoint of {answer.request.url.host} said {answer.status_code}")


def missing(granted: Iterable[str], required: Iterable[str]) -> frozenset[str]:
    """Which required scopes were not granted.

    Case does not count, and a short name fits its long form ("Mail.Read" and "https://…/Mail.Read").
    """
    have = {form for scope in granted for form in (scope.lower(), scope.lower().rpartition("/")[2])}
    return frozenset(scope for scope in required if scope.lower() not in have)


def _parsed(answer: httpx.Response) -> _Answer:
    try:
        return _Answer.model_validate(orjson.loads(answer.content))
    except (orjson.JSONDecodeError, ValidationError):
        return _Answer()


def _life(said: object) -> timedelta:
    if isinstance(said, str) and said.isascii() and said.isdigit():
        said = int(said)
    if isinstance(said, int | float) and 0 <= said <= _LONGEST.total_seconds():
        return timedelta(seconds=said)
    return _UNTOLD


def _scopes(said: object) -> frozenset[str] | None:
    if isinstance(said, list):
        said = " ".join(str(scope) for scope in said)
    return frozenset(said.replace(",", " ").split()) if isinstance(said, str) else None


def _proof(oauth: OAuth, client: ClientKey) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and form fields that prove who we are."""
    secret = client.secret.get_secret_value()
    headers = {"Accept": "application/json"}
    if oauth.client_auth == "form":
        return headers, {"client_id": client.id, "client_secret": secret}
    # RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    pair = f"{quote_plus(client.id)}:{quote_plus(secret)}".encode()
    headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers, {}
