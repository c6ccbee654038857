"""What does an answer of Zoom mean for us? Every outcome, named by its remedy.

https://developers.zoom.us/docs/api/errors/ and https://developers.zoom.us/docs/api/rate-limits/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import httpx
from pydantic import ValidationError

from infra.errors import (
    InSession,
    NeedsReauth,
    RateLimited,
    Refused,
    TokenExpired,
    TryLater,
    Unknown,
    Vanished,
)
from infra.http.retry_after import answered_at, retry_after
from schemas.wire.zoom import ErrorBody

PER_SECOND: Final = timedelta(seconds=1)
WITHOUT_A_CLOCK: Final = timedelta(hours=1)
"""When a day is used up and the answer does not say which hour it is."""

_DAILY: Final = re.compile(r"daily|in one day|GMT 00:00", re.IGNORECASE)
_SCOPES: Final = re.compile(r"scopes:\s*\[([^\]]*)\]")


def remedy(answer: httpx.Response, host: str) -> Exception | None:
    """The error that an answer is, or None for a success. Pure."""
    if answer.is_success:
        return None
    status = answer.status_code
    said = _said(answer)
    call = f"Zoom answered {status}/{said.code}" if said.code else f"Zoom answered {status}"
    if _says_nothing(answer, said):
        return Unknown(call)
    if HTTPStatus.TOO_MANY_REQUESTS in (status, said.code):
        return _limited(answer, said, call, host)
    named = _BY_CODE.get(said.code)
    if named is not None:
        return named(said, call, answer, host)
    if status == HTTPStatus.UNAUTHORIZED:
        return TokenExpired(call)
    return Refused(f"{call}: {said.message[:200]}" if said.message else call)


def _says_nothing(answer: httpx.Response, said: ErrorBody) -> bool:
    """Whether nothing follows for what we asked. A bare 404 may be of something in front of the
    API, and is no proof that a meeting is gone."""
    bare_404 = answer.status_code == HTTPStatus.NOT_FOUND and not said.code
    timed_out = answer.status_code == HTTPStatus.REQUEST_TIMEOUT
    return answer.is_server_error or answer.is_redirect or timed_out or bare_404


_Named = Callable[[ErrorBody, str, httpx.Response, str], Exception]


def _scopes_missing(said: ErrorBody, call: str, answer: httpx.Response, host: str) -> Exception:
    """Zoom lists scopes of which one would do; those for whole accounts are not ours to ask for."""
    listed = _SCOPES.search(said.message)
    names = [name.strip() for name in listed[1].split(",")] if listed else []
    mine = {name for name in names if name and not name.endswith(":admin")}
    return NeedsReauth("Zoom misses a permission: link the account again", missing=mine)


def _validation(said: ErrorBody, call: str, answer: httpx.Response, host: str) -> Exception:
    """300 is bad input, and in places the limit of 100 a day in other words."""
    if _DAILY.search(said.message):
        return _limited(answer, said, call, host)
    return Refused(f"{call}: {said.message[:200]}")


def _as(error: type[Exception]) -> _Named:
    return lambda said, call, answer, host: error(call)


_BY_CODE: Final[Mapping[int, _Named]] = MappingProxyType(
    {
        124: _as(TokenExpired),
        104: _scopes_missing,
        4700: _scopes_missing,
        4711: _scopes_missing,
        300: _validation,
        3001: _as(Vanished),
        3002: _as(InSession),
        3007: _as(Vanished),  # it has ended, which for a tear-down is as good as deleted
    }
)


def _limited(answer: httpx.Response, said: ErrorBody, call: str, host: str) -> Exception:
    """A second's limit passes; a day's is parked until Zoom says, or until 00:00 UTC: the one of
    100 writes a host and day names no moment but in its text (T22)."""
    asked, now = retry_after(answer), answered_at(answer)
    daily = _DAILY.search(said.message) or answer.headers.get("x-ratelimit-type") == "Daily-limit"
    if asked is None and daily:
        asked = _midnight_after(now) if now else WITHOUT_A_CLOCK
    if isinstance(asked, datetime):
        words = f"{call}: a limit of Zoom is used up until {asked:%Y-%m-%d %H:%M} UTC"
        return RateLimited(words, until=asked, scope=f"zoom/{host}")
    return TryLater(f"{call}: too many calls", after=asked or PER_SECOND)


def _midnight_after(now: datetime) -> datetime:
    tomorrow = now + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


def _said(answer: httpx.Response) -> ErrorBody:
    try:
        return ErrorBody.model_validate_json(answer.content)
    except ValidationError:  # XML or HTML of something in front of the API
        return ErrorBody()
