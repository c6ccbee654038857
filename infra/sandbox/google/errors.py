"""How does Google say no?

https://developers.google.com/workspace/calendar/api/guides/errors
"""

from __future__ import annotations

from infra.sandbox.calls import Call, Refusal, Reply, answer
from infra.sandbox.documents import Doc

_USUAL = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "duplicate",
    410: "fullSyncRequired",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
}
_MESSAGES = {
    "authError": "Invalid Credentials",
    "backendError": "Backend Error",
    "channelIdNotUnique": "Channel id not unique",
    "conditionNotMet": "Precondition Failed",
    "deleted": "Resource has been deleted",
    "duplicate": "The requested identifier already exists.",
    "forbidden": "Forbidden",
    "forbiddenForNonOrganizer": "Shared properties can only be changed by the organizer.",
    "fullSyncRequired": "Sync token is no longer valid, a full sync is required.",
    "insufficientPermissions": "Request had insufficient authentication scopes.",
    "notFound": "Not Found",
    "quotaExceeded": "Calendar usage limits exceeded.",
    "rateLimitExceeded": "Rate Limit Exceeded",
    "updatedMinTooLongAgo": "The requested minimum modification time lies too far in the past.",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
}
_USAGE = {"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"}
_CALENDAR = {"fullSyncRequired", "updatedMinTooLongAgo", "forbiddenForNonOrganizer"}


def reply(status: int, reason: str = "", message: str = "", **where: str) -> Reply:
    """Build an error answer; reason and message default to what the status usually means."""
    reason = reason or _USUAL.get(status, "backendError")
    message = message or _MESSAGES.get(reason, "Bad Request")
    domain = "usageLimits" if reason in _USAGE else "calendar" if reason in _CALENDAR else "global"
    item: Doc = {"domain": domain, "reason": reason, "message": message, **where}
    return answer({"error": {"errors": [item], "code": status, "message": message}}, status)


def refuse(status: int, reason: str = "", message: str = "", **where: str) -> Refusal:
    """Build the exception that answers with an error."""
    return Refusal(reply(status, reason, message, **where))


def body_of(call: Call) -> Doc:
    """Return the JSON object of a request; refuses anything else."""
    try:
        return call.json()
    except ValueError as error:
        raise refuse(400, "parseError", "Parse Error") from error


def parameter(name: str, message: str, reason: str = "badRequest") -> Refusal:
    """Refuse a query parameter."""
    return refuse(400, reason, message, locationType="parameter", location=name)
