"""What does an answer of Microsoft Graph mean for us? Every outcome, named by its remedy.

https://learn.microsoft.com/graph/errors
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeVar

import httpx
from pydantic import ValidationError

from infra.errors import (
    Conflict,
    NeedsReauth,
    NotPermitted,
    RateLimited,
    Refused,
    TokenExpired,
    TryLater,
    Unknown,
    Vanished,
)
from infra.http.retry_after import answered_at, retry_after
from schemas.records import Wire as Words
from schemas.wire.graph import ErrorBody
from workers.ports import CursorExpired

Said = TypeVar("Said", bound=Words)

NOT_PERMITTED: Final = (
    "not permitted: the organisation's access policy keeps this application out of the mailbox"
)
_POLICY: Final = "odata is disabled"
"""The only thing that tells a policy's refusal from a missing permission is its text."""
_READ_ANEW: Final = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})
_NOBODY: Final = frozenset({"erroritemnotfound", "errorinvalididmalformed", "resourcenotfound"})
_NO_MAILBOX: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mailboxnotenabledforrestapi": "this account has no mailbox in the cloud",
        "errorinvaliduser": "there is no such mailbox: name it by its object id",
    }
)


def remedy(answer: httpx.Response, scope: str, needs: str) -> Exception | None:
    """The error that an answer is, or None for a success. `scope` is what its limits are counted
    by, `needs` the permission without which it is refused. Pure."""
    if answer.is_success:
        return None
    status = answer.status_code
    code, message = _said(answer)
    call = f"Microsoft Graph answered {status} {code}".rstrip()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _limited(answer, call, scope)
    silent = not code and status != HTTPStatus.UNAUTHORIZED
    if answer.is_server_error or answer.is_redirect or silent:
        # Not an answer of the API itself; a bare 404 least of all proves that something is gone.
        return Unknown(call, after=_wait(answer))
    return _by_code(code.casefold(), call) or _by_status(status, call, message, needs)


def _by_code(code: str, call: str) -> Exception | None:
    if code in _READ_ANEW:
        return CursorExpired(call)
    if code in _NOBODY:
        return Vanished(call)
    if code in _NO_MAILBOX:
        return Refused(_NO_MAILBOX[code])
    return None


def _by_status(status: int, call: str, message: str, needs: str) -> Exception:
    if status == HTTPStatus.FORBIDDEN:
        if _POLICY in message.casefold():
            return NotPermitted(NOT_PERMITTED)
        words = f"{call}: the permissions given to us do not suffice: link the account again"
        return NeedsReauth(words, missing={needs})
    named = _BY_STATUS.get(status)
    if named is not None:
        return named(call)
    return Refused(f"{call}: {message[:200]}" if message else call)


_BY_STATUS: Final[Mapping[int, Callable[[str], Exception]]] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: TokenExpired,
        HTTPStatus.NOT_FOUND: Vanished,
        HTTPStatus.CONFLICT: Conflict,
        HTTPStatus.GONE: CursorExpired,
        HTTPStatus.PRECONDITION_FAILED: Conflict,
    }
)


def _limited(answer: httpx.Response, call: str, scope: str) -> Exception:
    asked = retry_after(answer)
    if isinstance(asked, datetime):
        return RateLimited(call, until=asked, scope=f"graph/{scope}")
    return TryLater(call, after=asked)  # without a moment: back off, as the vendor asks


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
    return error.code, error.message


def read(words: type[Said], answer: httpx.Response) -> Said:
    """The answer in the vendor's words. Raises Unknown for words that we do not know."""
    try:
        return words.model_validate_json(answer.content)
    except ValidationError as error:  # not chained: it would quote what people wrote
        fields = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        status = HTTPStatus(answer.status_code).value
        said = f"Microsoft Graph answered {status} in words we do not know: {fields[:5]}"
        raise Unknown(said) from None
