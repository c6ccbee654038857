"""Every way in which Zoom says no, and what we do about it (providers' error codes, 2026)."""

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
from workers.providers.zoom.answers import remedy

DATE = "Mon, 16 Nov 2026 09:00:00 GMT"
MIDNIGHT = datetime(2026, 11, 17, tzinfo=UTC)
DAILY_TEXT = (
    "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted "
    "for this particular user. You may resume these requests at GMT 00:00:00."
)
IN_OTHER_WORDS = "A maximum of 100 meetings can be created/updated for a single user in one day."


def said(status: int, code: int = 0, message: str = "", **headers: str) -> Exception | None:
    body = {"code": code, "message": message} if code else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.Response(status, json=body, headers={"Date": DATE, **named})
    return remedy(answer, "jane")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, 124, TokenExpired),
        (400, 124, TokenExpired),
        (401, 0, TokenExpired),
        (401, 1, TokenExpired),
        (400, 4711, NeedsReauth),
        (401, 4700, NeedsReauth),
        (401, 104, NeedsReauth),
        (400, 200, Refused),
        (400, 300, Refused),
        (404, 1001, Refused),
        (400, 1010, Refused),
        (400, 1120, Refused),
        (404, 3001, Vanished),
        (400, 3001, Vanished),
        (400, 3000, Refused),
        (400, 3002, InSession),
        (400, 3003, Refused),
        (400, 3007, Vanished),
        (400, 3018, Refused),
        (400, 3161, Refused),
        (403, 0, Refused),
        (404, 2300, Refused),
        (404, 0, Unknown),
        (409, 1005, Refused),
        (408, 0, Unknown),
        (429, 429, TryLater),
        (302, 0, Unknown),
        (500, 0, Unknown),
        (503, 3001, Unknown),
    ],
)
def test_each_code_has_its_remedy(status: int, code: int, error: type[Exception]) -> None:
    assert type(said(status, code, "words")) is error


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_error(status: int) -> None:
    assert said(status) is None


@pytest.mark.parametrize("body", [b"<error><code>3001</code></error>", b"", b"[]", b"\xff"])
def test_what_is_not_json_proves_nothing(body: bytes) -> None:
    for status in (404, 500):
        answer = httpx.Response(status, content=body)
        assert type(remedy(answer, "jane")) is Unknown


@pytest.mark.parametrize(("status", "code"), [(429, 429), (400, 300)])
@pytest.mark.parametrize("text", [DAILY_TEXT, IN_OTHER_WORDS])
def test_the_hundred_of_a_day_are_back_at_midnight(status: int, code: int, text: str) -> None:
    limited = said(status, code, text)

    assert isinstance(limited, RateLimited)
    assert limited.until == MIDNIGHT
    assert limited.scope == "zoom/jane"


def test_an_accounts_daily_limit_ends_when_zoom_says() -> None:
    limited = said(
        429, 429, "limit", x_ratelimit_type="Daily-limit", retry_after="2026-11-16T23:00:00Z"
    )

    assert isinstance(limited, RateLimited)
    assert limited.until == datetime(2026, 11, 16, 23, tzinfo=UTC)


def test_a_daily_limit_without_a_moment_ends_at_midnight() -> None:
    limited = said(429, 429, "limit", x_ratelimit_type="Daily-limit")

    assert isinstance(limited, RateLimited)
    assert limited.until == MIDNIGHT


def test_a_daily_limit_without_any_clock_is_asked_about_again_in_an_hour() -> None:
    answer = httpx.Response(429, json={"code": 429, "message": DAILY_TEXT})

    limited = remedy(answer, "jane")

    assert type(limited) is TryLater
    assert limited.after == timedelta(hours=1)


def test_a_seconds_limit_is_over_in_a_second() -> None:
    limited = said(429, 429, "You have reached the maximum per-second rate limit for this API.")

    assert type(limited) is TryLater
    assert limited.after == timedelta(seconds=1)


def test_a_date_is_understood_too() -> None:
    limited = said(429, 429, "limit", retry_after="Mon, 16 Nov 2026 09:00:30 GMT")

    assert isinstance(limited, RateLimited)
    assert limited.until == datetime(2026, 11, 16, 9, 0, 30, tzinfo=UTC)


def test_seconds_are_waited_out_whole_whatever_the_answers_clock_says() -> None:
    limited = said(429, 429, "limit", retry_after="30")

    assert type(limited) is TryLater
    assert limited.after == timedelta(seconds=30)


def test_missing_scopes_are_named_without_those_for_whole_accounts() -> None:
    words = (
        "Invalid access token, does not contain scopes:"
        "[meeting:delete:meeting:admin, meeting:delete:meeting]."
    )

    error = said(400, 4711, words)

    assert isinstance(error, NeedsReauth)
    assert error.missing == {"meeting:delete:meeting"}


def test_scopes_that_are_not_named_are_missing_all_the_same() -> None:
    error = said(400, 4700, "Token cannot be empty.")

    assert isinstance(error, NeedsReauth)
    assert error.missing == frozenset()


def test_a_refusal_holds_zooms_words_but_not_without_end() -> None:
    error = said(400, 300, "Validation Failed. " + "x" * 500)

    assert isinstance(error, Refused)
    assert error.reason.startswith("Zoom answered 400/300: Validation Failed.")
    assert len(error.reason) < 250
