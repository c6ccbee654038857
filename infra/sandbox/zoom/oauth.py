"""How does Zoom's authorization server answer?"""

from __future__ import annotations

import base64
import binascii

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.oauth import Client, Denied, Grant
from infra.sandbox.zoom import webhooks
from infra.sandbox.zoom.simulator import Zoom


def token(zoom: Zoom, call: Call) -> Reply:
    """Trade a code, a refresh token (a new one comes with it) or an account for an access token."""
    try:
        return _granted(zoom, call)
    except Denied as denied:
        return _refusal(denied)


def _granted(zoom: Zoom, call: Call) -> Reply:
    form, client = call.form, _client(zoom, call)
    match form.get("grant_type"):
        case "authorization_code":
            grant = zoom.authority.exchange(client, form)
            return _tokens(zoom, grant, zoom.authority.new_refresh(grant))
        case "refresh_token":
            grant = zoom.authority.refresh(client, form.get("refresh_token", ""))
            return _tokens(zoom, grant, grant.refresh)
        case "account_credentials":
            return _tokens(zoom, _of_account(zoom, client, form.get("account_id", "")))
        case _:
            raise Denied("unsupported_grant_type", "Unsupported grant type")


def revoke(zoom: Zoom, call: Call) -> Reply:
    """End a grant; the token is read from the query, as Zoom does."""
    try:
        _client(zoom, call)
    except Denied as denied:
        return _refusal(denied)
    grant = zoom.authority.holder(call.query.get("token", ""))
    if grant is None or not grant.alive:
        return _refusal(Denied("invalid_request", "Invalid Token!"))
    zoom.authority.end(grant)
    return answer({"status": "success"})


def uninstall(zoom: Zoom, user: str, client: str) -> None:
    """What happens when a person removes the app in the marketplace."""
    for grant in zoom.authority.of_account(user):
        if not client or grant.client == client:
            zoom.authority.end(grant)
            webhooks.deauthorized(zoom, grant)


def _client(zoom: Zoom, call: Call) -> Client:
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Denied("invalid_client", "Invalid client_id or client_secret")
    try:
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Denied("invalid_client", "Invalid client_id or client_secret") from error
    return zoom.authority.client(name, secret)


def _of_account(zoom: Zoom, client: Client, account: str) -> Grant:
    """A server-to-server app acts as the first user of its account, the owner."""
    if not account or client.account != account:
        raise Denied("invalid_request", "Invalid account id")
    owner = next(user.id for user in zoom.users.values() if user.account_id == account)
    return zoom.authority.grant(client.id, owner, ADMIN)


def _tokens(zoom: Zoom, grant: Grant, refresh: str = "") -> Reply:
    told: dict[str, object] = {
        "access_token": zoom.authority.new_access(grant),
        "token_type": "bearer",
        "expires_in": int(zoom.authority.access_life.total_seconds()) - 1,
        "scope": " ".join(grant.scopes),
        "api_url": "https://api.zoom.us",
    }
    return answer(told | ({"refresh_token": refresh} if refresh else {}))


def _refusal(denied: Denied) -> Reply:
    """Zoom's words; all dead tokens are `invalid_grant` with the same reason."""
    reason = "Invalid Token!" if denied.error == "invalid_grant" else denied.description
    status = 401 if denied.error == "invalid_client" else 400
    return answer({"reason": reason, "error": denied.error}, status)


_MEETING = tuple(
    f"meeting:{name}:admin"
    for name in (
        "write:meeting",
        "update:meeting",
        "delete:meeting",
        "read:meeting",
        "read:list_meetings",
        "read:list_upcoming_meetings",
        "read:past_meeting",
        "read:list_past_participants",
        "read:list_past_instances",
        "read:invitation",
    )
)
ADMIN = (
    *_MEETING,
    "user:read:user:admin",
    "user:read:zak:admin",
    "report:read:list_meeting_participants:admin",
)
