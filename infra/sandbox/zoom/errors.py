"""How does Zoom say no? The HTTP status and `code` are different things."""

from __future__ import annotations

from infra.sandbox.calls import Headers, Refusal, Reply, answer
from infra.sandbox.documents import Doc

PER_DAY = (
    "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted "
    "for this particular user. You may resume these requests at GMT 00:00:00."
)
PER_SECOND = "You have reached the maximum per-second rate limit for this API. Try again later."
_USUAL = {
    400: (300, "Validation Failed."),
    401: (124, "Invalid access token."),
    404: (3001, "Meeting does not exist."),
    429: (429, PER_SECOND),
}


def reply(status: int, message: str = "") -> Reply:
    """Build the answer a status usually has; what a fault rule uses.

    `reason` of a rule is the message, or `daily` for the text of the limit of 100 a day.
    """
    code, usual = _USUAL.get(status, (status, "Internal server error."))
    if message == "daily":
        return answer({"code": 429, "message": PER_DAY}, 429)
    return answer({"code": code, "message": message or usual}, status)


def refuse(status: int, code: int, message: str, headers: Headers | None = None) -> Refusal:
    """Build the exception that answers with an error."""
    return Refusal(answer({"code": code, "message": message}, status, headers))


def invalid(field: str, message: str) -> Refusal:
    """Refuse one field of a body."""
    errors: list[Doc] = [{"field": field, "message": message}]
    return Refusal(answer({"code": 300, "message": "Validation Failed.", "errors": errors}, 400))


def no_meeting(meeting: str) -> Refusal:
    """Say that a meeting is not (or no longer) there."""
    return refuse(404, 3001, f"Meeting does not exist: {meeting}.")


def missing_scopes(scopes: tuple[str, ...]) -> Refusal:
    """Say which scopes one of which the token needed."""
    granular = [scope for scope in scopes if scope.removesuffix(":admin").count(":") > 1]
    told = ", ".join(sorted(granular, key=lambda scope: not scope.endswith(":admin")))
    return refuse(400, 4711, f"Invalid access token, does not contain scopes:[{told}].")
