"""What does an answer of Google Calendar mean for us? Every outcome, named by its remedy.

https://developers.google.com/workspace/calendar/api/guides/errors
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import httpx
from pydantic import ValidationError

from infra.errors import (
    Conflict,
    NeedsReauth,
    RateLimited,
    Refused,
    TokenExpired,
    TryLater,
    Unknown,
    Vanished,
)
from infra.http.retry_after import answered_at, retry_after
from schemas.wire.google import ErrorBody
from workers.ports import CursorExpired

FOR_HOURS: Final = timedelta(hours=4)
"""Anti-abuse limits say no moment; asking again soon keeps them closed (T24)."""

_SLOW_DOWN: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_USED_UP: Final = frozenset({"quotaExceeded", "dailyLimitExceeded", "calendarUsageLimitsExceeded"})
_SCOPES: Final = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_READ_ANEW: Final = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "forbiddenForNonOrganizer": "only the event's organiser may change it",
        "accessNotConfigured": "the Calendar API is not enabled for our client: enable it there",
        "push.webhookUrlUnauthorized": "Google does not accept the receiver's address for pushes",
        "webhookUrlNotHttps": "Google pushes to https addresses only",
        "pushNotSupportedForRequestedResource": "this calendar cannot be watched by push",
    }
)


def remedy(answer: httpx.Response, connection: str) -> Exception | None:
    """The error that an answer is, or None for a success. Pure."""
    if answer.is_success:
        return None
    status = answer.status_code
    reason, message = _said(answer)
    call = f"Google Calendar answered {status} {reason}".rstrip()
    if reason in _SLOW_DOWN or reason in _USED_UP or status == HTTPStatus.TOO_MANY_REQUESTS:
        return _limited(answer, reason, connection)
    silent = not reason and status != HTTPStatus.UNAUTHORIZED
    if answer.is_server_error or answer.is_redirect or silent:
        # Not an answer of the API itself; a bare 404 least of all proves that something is gone.
        return Unknown(call, after=_wait(answer))
    if reason in _WORDS:
        return Refused(_WORDS[reason])
    named = _BY_STATUS.get(status)
    if named is not None:
        return named(call, reason)
    return Refused(f"{call}: {message[:200]}" if message else call)


def _unauthorised(call: str, _: str) -> Exception:
    return TokenExpired(call)


def _forbidden(call: str, reason: str) -> Exception:
    if reason in _SCOPES:
        return NeedsReauth("the permissions given to us do not suffice: link the account again")
    return Refused(f"{call}: the account may not do this with this calendar")


def _gone(call: str, reason: str) -> Exception:
    """410 means two things: a cursor that is too old, or an event that is deleted already."""
    return CursorExpired(call) if reason in _READ_ANEW else Vanished(call)


_BY_STATUS: Final[Mapping[int, Callable[[str, str], Exception]]] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: _unauthorised,
        HTTPStatus.FORBIDDEN: _forbidden,
        HTTPStatus.NOT_FOUND: lambda call, _: Vanished(call),
        HTTPStatus.CONFLICT: lambda call, _: Conflict(call),
        HTTPStatus.GONE: _gone,
        HTTPStatus.PRECONDITION_FAILED: lambda call, _: Conflict(call),
    }
)


def _limited(answer: httpx.Response, reason: str, connection: str) -> Exception:
    said = f"Google Calendar answered {answer.status_code} {reason}".rstrip()
    asked, now = retry_after(answer), answered_at(answer)
    if reason in _USED_UP:
        asked = FOR_HOURS if now is None else now + FOR_HOURS
    if isinstance(asked, datetime):
        return RateLimited(said, until=asked, scope=f"google/{connection}")
    return TryLater(said, after=asked)  # without a moment: back off, as the vendor asks


def _wait(answer: httpx.Response) -> timedelta | None:
    asked, now = retry_after(answer), answered_at(answer)
    if isinstance(asked, datetime):
        return max(asked - now, timedelta(0)) if now else None
    return asked


def _said(answer: httpx.Response) -> tuple[str, str]:
    try:
        error = ErrorBody.model_validate_json(answer.content).error
    except ValidationError:  # a page of HTML in front of the API
        return "", ""
    return (error.errors[0].reason if error.errors else ""), error.message
