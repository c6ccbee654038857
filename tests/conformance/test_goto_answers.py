"""Every way in which GoTo says no, and what we do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

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
from schemas.problems import ProblemType
from workers.providers.goto.answers import remedy

DATE = "Mon, 16 Nov 2026 09:00:00 GMT"


def said(status: int, body: object = None, *, admin: str = "", **headers: str) -> Exception | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = {} if body is None else {"json": body}
    answer = httpx.Response(status, headers={"Date": DATE, **named}, **content)  # type: ignore[arg-type]
    return remedy(answer, "ada", admin=admin)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, None, TokenExpired),
        (401, {"message": "Unauthorized"}, TokenExpired),
        (403, {"int_err_code": "InvalidToken", "msg": "Invalid token passed"}, TokenExpired),
        (403, None, Refused),
        (404, None, Vanished),
        (404, {"errorCode": "NOT_FOUND", "message": "words"}, Vanished),
        (404, {"errorCode": "x", "description": "words", "incident": "1"}, Vanished),
        (410, None, Vanished),
        (400, {"message": "subject is too long"}, Refused),
        (400, {"int_err_code": "MeetingInSession"}, InSession),
        (409, {"int_err_code": "MeetingInSession"}, InSession),
        (409, None, InSession),
        (409, {"msg": "The organizer exists already."}, Refused),
        (412, None, Refused),
        (408, None, Unknown),
        (429, None, TryLater),
        (302, None, Unknown),
        (500, None, Unknown),
        (503, {"int_err_code": "InvalidToken"}, Unknown),
    ],
)
def test_each_answer_has_its_remedy(
    status: int, body: dict[str, str] | None, error: type[Exception]
) -> None:
    assert type(said(status, body)) is error


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_error(status: int) -> None:
    assert said(status) is None


@pytest.mark.parametrize("body", [b"<html>404</html>", b"[]", b"\xff", b'"words"'])
def test_what_is_not_of_goto_proves_nothing(body: bytes) -> None:
    for status in (404, 403, 400):
        assert type(remedy(httpx.Response(status, content=body), "ada")) is Unknown


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (412, None, ProblemType.FREE_PLAN),
        (403, {"msg": "No license available"}, ProblemType.NO_LICENCE),
        (400, {"msg": "All seats are taken"}, ProblemType.NO_LICENCE),
        (403, {"msg": "The organizer is suspended."}, ProblemType.ORGANIZER_SUSPENDED),
        (409, {"msg": "The organizer exists already."}, ProblemType.EXISTS),
        (403, {"msg": "Access denied"}, ProblemType.PROVIDER_REFUSED),
    ],
)
def test_refusals_that_people_answer_differently_are_told_apart(
    status: int, body: dict[str, str] | None, problem: ProblemType
) -> None:
    refused = said(status, body)

    assert isinstance(refused, Refused)
    assert refused.problem is problem


def test_a_403_of_what_administrators_do_is_their_sentence() -> None:
    refused = said(403, {"msg": "no"}, admin="this needs the administrator role")

    assert isinstance(refused, Refused)
    assert refused.problem is ProblemType.ADMIN_ONLY
    assert refused.reason == "this needs the administrator role"


def test_a_missing_scope_is_named() -> None:
    challenge = 'Bearer error="insufficient_scope", scope="identity:"'

    error = said(403, {"msg": "no"}, www_authenticate=challenge)

    assert isinstance(error, NeedsReauth)
    assert error.missing == {"identity:"}


def test_a_scope_that_is_not_named_is_the_one_that_all_calls_need() -> None:
    error = said(403, {"int_err_code": "insufficient_scope"})

    assert isinstance(error, NeedsReauth)
    assert error.missing == {"collab:"}


def test_a_seconds_limit_is_over_in_a_second() -> None:
    limited = said(429)

    assert type(limited) is TryLater
    assert limited.after == timedelta(seconds=1)


def test_a_limit_that_names_seconds_is_kept() -> None:
    limited = said(429, retry_after="30")

    assert type(limited) is TryLater
    assert limited.after == timedelta(seconds=30)


def test_a_limit_that_names_its_moment_is_kept() -> None:
    limited = said(429, retry_after="Mon, 16 Nov 2026 09:00:30 GMT")

    assert isinstance(limited, RateLimited)
    assert limited.until == datetime(2026, 11, 16, 9, 0, 30, tzinfo=UTC)
    assert limited.scope == "goto/ada"


def test_a_refusal_holds_gotos_words_but_not_without_end() -> None:
    error = said(400, {"message": "bad " + "x" * 500})

    assert isinstance(error, Refused)
    assert error.reason.startswith("GoTo answered 400: bad")
    assert len(error.reason) < 250
