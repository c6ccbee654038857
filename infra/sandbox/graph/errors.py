"""How does Microsoft Graph say no?

https://learn.microsoft.com/graph/errors
"""

from __future__ import annotations

from infra.sandbox.calls import Call, Headers, Refusal, Reply, answer
from infra.sandbox.documents import Doc

_USUAL = {
    400: "RequestBroker--ParseUri",
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "ErrorItemNotFound",
    409: "Conflict",
    410: "SyncStateNotFound",
    412: "ErrorIrresolvableConflict",
    429: "ApplicationThrottled",
    500: "ErrorInternalServerError",
    503: "ErrorServerBusy",
}
_MESSAGES = {
    "ApplicationThrottled": "Application is over its MailboxConcurrency limit.",
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorDuplicateTransactionId": (
        "Your request can't be completed. The TransactionId was already been used to create a"
        " different event."
    ),
    "ErrorIrresolvableConflict": (
        "The send or update operation could not be performed because the change key passed in the"
        " request does not match the current change key for the item."
    ),
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "InvalidAuthenticationToken": "Lifetime validation failed, the token is expired.",
    "SyncStateNotFound": "The sync state generation is not found.",
}


def reply(status: int, code: str = "", message: str = "", headers: Headers | None = None) -> Reply:
    """Build an error answer; code and message default to what the status usually means."""
    code = code or _USUAL.get(status, "generalException")
    message = message or _MESSAGES.get(code, "The request is not valid.")
    inner: Doc = {
        "date": "2026-11-20T10:00:00",
        "request-id": "11111111-1111-1111-1111-111111111111",
        "client-request-id": "11111111-1111-1111-1111-111111111111",
    }
    return answer(
        {"error": {"code": code, "message": message, "innerError": inner}}, status, headers
    )


def refuse(status: int, code: str = "", message: str = "") -> Refusal:
    """Build the exception that answers with an error."""
    return Refusal(reply(status, code, message))


def body_of(call: Call) -> Doc:
    """Return the JSON object of a request; refuses anything else."""
    try:
        return call.json()
    except ValueError as error:
        message = "Unable to read JSON request payload."
        raise refuse(400, "BadRequest", message) from error
