"""How does Google's authorization server answer?

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

import base64
import binascii

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.google.simulator import Google
from infra.sandbox.oauth import Denied, Grant

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def token(google: Google, call: Call) -> Reply:
    """Trade a code, a refresh token or a service account's assertion for an access token."""
    try:
        return _granted(google, call.form)
    except Denied as denied:
        return refusal(denied)


def _granted(google: Google, form: dict[str, str]) -> Reply:
    authority = google.authority
    if form.get("grant_type") == _JWT_BEARER:
        return _tokens(google, _delegated(google, form.get("assertion", "")))
    client = authority.client(form.get("client_id", ""), form.get("client_secret", ""))
    match form.get("grant_type"):
        case "authorization_code":
            grant = authority.exchange(client, form)
            return _tokens(google, grant, authority.new_refresh(grant))
        case "refresh_token":
            return _tokens(google, authority.refresh(client, form.get("refresh_token", "")))
        case _:
            raise Denied("unsupported_grant_type", "Invalid grant_type")


def refusal(denied: Denied) -> Reply:
    """Answer in RFC 6749's words."""
    status = 401 if denied.error in ("invalid_client", "unauthorized_client") else 400
    return answer({"error": denied.error, "error_description": denied.description}, status)


def revoke(google: Google, call: Call) -> Reply:
    """End the grant a token belongs to; its channels go on until they expire."""
    grant = google.authority.holder(call.form.get("token", ""))
    if grant is None or not grant.alive:
        return refusal(Denied("invalid_token", "Token expired or revoked"))
    google.authority.end(grant)
    return answer({})


def _tokens(google: Google, grant: Grant, refresh: str = "") -> Reply:
    told: dict[str, object] = {
        "access_token": google.authority.new_access(grant),
        "expires_in": int(google.authority.access_life.total_seconds()) - 1,
        "scope": " ".join(grant.scopes),
        "token_type": "Bearer",
    }
    return answer(told | ({"refresh_token": refresh} if refresh else {}))


def _delegated(google: Google, assertion: str) -> Grant:
    """Grant a service account what its client may do in a user's name (delegation).

    The client's `secret` is the service account's public key, in PEM.
    """
    head, _, signature = assertion.rpartition(".")
    try:
        claims = orjson.loads(_unpadded(head.partition(".")[2]))
        client = google.authority.clients.get(str(claims.get("iss")))
        if client is None:
            raise Denied("unauthorized_client", "Client is unauthorized to retrieve access tokens.")
        key = load_pem_public_key(client.secret.encode())
        if not isinstance(key, RSAPublicKey):
            raise Denied("invalid_grant", "Invalid JWT Signature.")
        key.verify(_unpadded(signature), head.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Denied("invalid_grant", "Invalid JWT Signature.") from error
    email = str(claims.get("sub", ""))
    if email not in google.accounts:
        raise Denied("invalid_grant", "Invalid email or User ID")
    return google.authority.grant(client.id, email, tuple(str(claims.get("scope", "")).split()))


def _unpadded(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
