"""How does GoTo's authorization server answer?

https://developer.goto.com/guides/Authentication/
"""

from __future__ import annotations

import base64
import binascii

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.goto.simulator import GoTo
from infra.sandbox.oauth import Client, Denied, Grant


def token(goto: GoTo, call: Call) -> Reply:
    """Trade a code or a refresh token for an access token; a refresh brings no new refresh token
    unless `rotates` is set."""
    try:
        return _granted(goto, call)
    except Denied as denied:
        status = 401 if denied.error == "invalid_client" else 400
        return answer({"error": denied.error, "error_description": denied.description}, status)


def _granted(goto: GoTo, call: Call) -> Reply:
    form, client = call.form, _client(goto, call)
    match form.get("grant_type"):
        case "authorization_code":
            grant = goto.authority.exchange(client, form)
            return _tokens(goto, grant, goto.authority.new_refresh(grant))
        case "refresh_token":
            grant = goto.authority.refresh(client, form.get("refresh_token", ""))
            again = goto.authority.new_refresh(grant) if goto.settings.rotates else ""
            return _tokens(goto, grant, again)
        case "password":
            raise Denied("unsupported_grant_type", "Direct Login is no longer supported.")
        case _:
            raise Denied("unsupported_grant_type", "Unsupported grant type")


def _client(goto: GoTo, call: Call) -> Client:
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Denied("invalid_client", "Bad client credentials") from error
    if scheme.lower() != "basic":
        raise Denied("invalid_client", "Bad client credentials")
    return goto.authority.client(name, secret)


def _tokens(goto: GoTo, grant: Grant, refresh: str = "") -> Reply:
    told: dict[str, object] = {
        "access_token": goto.authority.new_access(grant),
        "token_type": "Bearer",
        "expires_in": int(goto.authority.access_life.total_seconds()),
        "scope": " ".join(grant.scopes),
        "principal": goto.people[grant.account].email,
    }
    return answer(told | ({"refresh_token": refresh} if refresh else {}))
