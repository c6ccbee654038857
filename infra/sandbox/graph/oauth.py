"""How does Microsoft's authorization server answer?

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

from __future__ import annotations

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.graph.simulator import APPLICATION, Graph
from infra.sandbox.oauth import Client, Denied, Grant

APPLICATION_SCOPES = ("Calendars.ReadWrite", "OnlineMeetings.ReadWrite.All")
_UNNAMED = frozenset({"offline_access", "openid", "profile", "email"})
_CODES = {
    "invalid_grant": 70000,
    "invalid_client": 7000215,
    "unauthorized_client": 700016,
    "unsupported_grant_type": 70003,
    "invalid_scope": 70011,
}


def token(graph: Graph, call: Call) -> Reply:
    """Trade a code, a refresh token or the client's own secret for an access token."""
    try:
        return _granted(graph, call.form)
    except Denied as denied:
        return _refusal(denied)


def _granted(graph: Graph, form: dict[str, str]) -> Reply:
    authority = graph.authority
    client = authority.client(form.get("client_id", ""), form.get("client_secret", ""))
    match form.get("grant_type"):
        case "authorization_code":
            grant = authority.exchange(client, form)
            return _tokens(graph, grant, _refresh(graph, grant))
        case "refresh_token":
            grant = authority.refresh(client, form.get("refresh_token", ""))
            return _tokens(graph, grant, grant.refresh)
        case "client_credentials":
            return _tokens(graph, _of_application(graph, client, form.get("scope", "")))
        case _:
            raise Denied("unsupported_grant_type", "The grant type is not supported.")


def _refresh(graph: Graph, grant: Grant) -> str:
    """A refresh token comes only to whoever asked for `offline_access`."""
    return graph.authority.new_refresh(grant) if "offline_access" in grant.scopes else ""


def _of_application(graph: Graph, client: Client, scope: str) -> Grant:
    if not scope.endswith("/.default"):
        raise Denied(
            "invalid_scope",
            "Client credential flows must have a scope value with /.default.",
        )
    if not client.account:
        raise Denied(
            "unauthorized_client", f"Application {client.id} has no application permissions."
        )
    return graph.authority.grant(client.id, f"{APPLICATION}{client.account}", APPLICATION_SCOPES)


def _tokens(graph: Graph, grant: Grant, refresh: str = "") -> Reply:
    own = grant.account.startswith(APPLICATION)
    scopes = [scope for scope in grant.scopes if scope not in _UNNAMED]
    life = int(graph.authority.access_life.total_seconds()) - 1
    told: dict[str, object] = {
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": graph.authority.new_access(grant),
    }
    if not own:
        told["scope"] = " ".join(f"https://graph.microsoft.com/{scope}" for scope in scopes)
    return answer(told | ({"refresh_token": refresh} if refresh else {}))


def _refusal(denied: Denied) -> Reply:
    code = _CODES.get(denied.error, 90014)
    told = {
        "error": denied.error,
        "error_description": f"AADSTS{code}: {denied.description}",
        "error_codes": [code],
        "timestamp": "2026-11-20 10:00:00Z",
        "trace_id": "00000000-0000-0000-0000-000000000000",
        "correlation_id": "00000000-0000-0000-0000-000000000000",
    }
    return answer(told, 401 if denied.error == "invalid_client" else 400)
