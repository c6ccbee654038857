"""What does an answer of GoTo mean for us? Every outcome, named by its remedy.

https://developer.goto.com/guides/References/ and providers' issue threads: codes in bodies are
hardly documented, so the status decides, and words only tell refusals apart.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import httpx

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
from infra.http.retry_after import retry_after
from schemas.problems import ProblemType
from schemas.wire.goto import ErrorBody, read_error

PER_SECOND: Final = timedelta(seconds=1)
WORDS_AT_MOST: Final = 200

_SCOPE: Final = re.compile(r'scope="([^"]+)"')
_SESSION: Final = re.compile(r"in.?session|in.?progress|has.?started", re.IGNORECASE)
_SUSPENDED: Final = re.compile(r"suspend", re.IGNORECASE)
_LICENCE: Final = re.compile(r"licen[cs]e|seats?\b", re.IGNORECASE)
_EXISTS: Final = re.compile(r"exist", re.IGNORECASE)


def remedy(answer: httpx.Response, host: str, *, admin: str = "") -> Exception | None:
    """The error that an answer is, or None for a success. Pure.

    `admin` is the sentence for a 403 of an operation that not everybody may use.
    """
    if answer.is_success:
        return None
    said = read_error(answer.content) if answer.content.strip() else ErrorBody()
    call = f"GoTo answered {answer.status_code}"
    status = answer.status_code
    timed_out = status == HTTPStatus.REQUEST_TIMEOUT
    if said is None or answer.is_server_error or answer.is_redirect or timed_out:
        return Unknown(call)  # of something in front of the API, or nothing is known
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _limited(answer, call, host)
    if status == HTTPStatus.UNAUTHORIZED or said.code == "InvalidToken":
        return TokenExpired(call)  # a 403 with InvalidToken is one too (n8n#14077)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return Vanished(call)
    return _refused(answer, said, call, admin)


def _refused(answer: httpx.Response, said: ErrorBody, call: str, admin: str) -> Exception:
    """Who may not, in our words; what is wrong, in GoTo's."""
    status, words = answer.status_code, f"{said.code} {said.message}"
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(answer, said, call, admin)
    if status == HTTPStatus.PRECONDITION_FAILED:
        sentence = "this GoTo account has no paid plan (any more), and its API needs one"
        return Refused(sentence, problem=ProblemType.FREE_PLAN)
    if status in (HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST) and _SESSION.search(words):
        return InSession(call)
    if status == HTTPStatus.CONFLICT and _EXISTS.search(words):
        return Refused(_quoted(call, said), problem=ProblemType.EXISTS)
    if _LICENCE.search(words):
        return _without_licence(said)
    return InSession(call) if status == HTTPStatus.CONFLICT else Refused(_quoted(call, said))


def _forbidden(answer: httpx.Response, said: ErrorBody, call: str, admin: str) -> Exception:
    challenge = answer.headers.get("www-authenticate", "")
    if "insufficient_scope" in f"{challenge} {said.code}":
        named = _SCOPE.search(challenge)
        missing = named[1].split() if named else ["collab:"]
        return NeedsReauth("GoTo misses a permission: link the account again", missing=missing)
    words = f"{said.code} {said.message}"
    if _SUSPENDED.search(words):
        sentence = "this organizer is suspended at GoTo: an administrator has to activate them"
        return Refused(sentence, problem=ProblemType.ORGANIZER_SUSPENDED)
    if _LICENCE.search(words):
        return _without_licence(said)
    if admin:
        return Refused(admin, problem=ProblemType.ADMIN_ONLY)
    return Refused(_quoted(call, said))


def _without_licence(said: ErrorBody) -> Refused:
    sentence = f"no licence is left in this GoTo account ({said.message[:WORDS_AT_MOST]})"
    return Refused(sentence, problem=ProblemType.NO_LICENCE)


def _quoted(call: str, said: ErrorBody) -> str:
    words = said.message or said.code
    return f"{call}: {words[:WORDS_AT_MOST]}" if words else call


def _limited(answer: httpx.Response, call: str, host: str) -> Exception:
    """Ten calls a second, says the documentation; others speak of a daily cap."""
    asked = retry_after(answer)
    if isinstance(asked, datetime):
        words = f"{call}: a limit of GoTo is used up until {asked:%Y-%m-%d %H:%M} UTC"
        return RateLimited(words, until=asked, scope=f"goto/{host}")
    return TryLater(f"{call}: too many calls", after=asked or PER_SECOND)
