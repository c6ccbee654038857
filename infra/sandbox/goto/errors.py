"""How does GoTo say no? The codes of an expired token are known; the others are made up in kind."""

from __future__ import annotations

from infra.sandbox.calls import Headers, Refusal, Reply, answer

_USUAL = {
    400: ("InvalidRequest", "The request is invalid."),
    401: ("InvalidToken", "Invalid token passed"),
    403: ("AccessDenied", "Access denied."),
    404: ("NotFound", "Not found."),
    409: ("Conflict", "The meeting is in session."),
    412: ("PreconditionFailed", "The account has no active GoTo Meeting plan."),
    429: ("TooManyRequests", "Rate limit exceeded."),
}


def reply(status: int, message: str = "") -> Reply:
    """Build the answer a status usually has; what a fault rule uses. `reason` is the message."""
    code, usual = _USUAL.get(status, ("InternalError", "Internal error."))
    return answer({"int_err_code": code, "msg": message or usual}, status)


def refuse(status: int, code: str, message: str, headers: Headers | None = None) -> Refusal:
    """Build the exception that answers with an error."""
    return Refusal(answer({"int_err_code": code, "msg": message}, status, headers))


def invalid_token() -> Refusal:
    """An expired token is a 403 here, not a 401 (n8n#14077)."""
    return refuse(403, "InvalidToken", "Invalid token passed")


def missing_scope(scope: str) -> Refusal:
    """The token lacks a scope (RFC 6750 §3.1)."""
    challenge = f'Bearer error="insufficient_scope", scope="{scope}"'.encode()
    headers: Headers = [(b"www-authenticate", challenge)]
    return refuse(403, "insufficient_scope", f"The scope {scope} is required.", headers)


def free_account() -> Refusal:
    """A free account cannot use the API."""
    return refuse(412, *_USUAL[412])


def not_admin() -> Refusal:
    """Only for administrators of a corporate account."""
    return refuse(403, "AccessDenied", "Only available to corporate users with the admin role.")


def not_found(what: str) -> Refusal:
    """There is none."""
    return refuse(404, f"{what}NotFound", f"{what} not found.")


def invalid(message: str) -> Refusal:
    """A field is wrong."""
    return refuse(400, "InvalidRequest", message)
