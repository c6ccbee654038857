"""Every way in which Google Calendar says no, and what we do about it (T24, T27)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

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
from workers.ports import CursorExpired
from workers.providers.google.answers import FOR_HOURS, remedy

DATE = {"Date": "Mon, 16 Nov 2026 09:00:00 GMT"}
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


def answer(status: int, reason: str = "", message: str = "No.", **headers: str) -> httpx.Response:
    errors = [{"domain": "global", "reason": reason, "message": message}] if reason else []
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"error": {"code": status, "message": message, "errors": errors}}
    return httpx.Response(status, json=body, headers={**DATE, **named})


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "badRequest", Refused),
        (400, "webhookUrlNotHttps", Refused),
        (400, "pushNotSupportedForRequestedResource", Refused),
        (401, "authError", TokenExpired),
        (401, "", TokenExpired),
        (401, "push.webhookUrlUnauthorized", Refused),
        (403, "rateLimitExceeded", TryLater),
        (403, "userRateLimitExceeded", TryLater),
        (403, "quotaExceeded", RateLimited),
        (403, "dailyLimitExceeded", RateLimited),
        (403, "insufficientPermissions", NeedsReauth),
        (403, "forbiddenForNonOrganizer", Refused),
        (403, "forbidden", Refused),
        (403, "accessNotConfigured", Refused),
        (404, "notFound", Vanished),
        (404, "", Unknown),
        (408, "", Unknown),
        (409, "duplicate", Conflict),
        (410, "deleted", Vanished),
        (410, "fullSyncRequired", CursorExpired),
        (410, "updatedMinTooLongAgo", CursorExpired),
        (410, "", Unknown),
        (412, "conditionNotMet", Conflict),
        (429, "rateLimitExceeded", TryLater),
        (429, "", TryLater),
        (302, "", Unknown),
        (500, "backendError", Unknown),
        (503, "backendError", Unknown),
    ],
)
def test_each_reason_has_its_remedy(status: int, reason: str, error: type[Exception]) -> None:
    assert type(remedy(answer(status, reason), "con_1")) is error


@pytest.mark.parametrize("status", [200, 204])
def test_a_success_is_no_error(status: int) -> None:
    assert remedy(httpx.Response(status), "con_1") is None


@pytest.mark.parametrize("body", [b"<html>404</html>", b"", b"[]"])
def test_what_is_not_json_proves_nothing(body: bytes) -> None:
    for status in (404, 410, 500):
        assert type(remedy(httpx.Response(status, content=body), "con_1")) is Unknown


def test_limits_against_abuse_are_left_alone_for_hours() -> None:
    limited = remedy(answer(403, "quotaExceeded"), "con_1")
    timeless = httpx.Response(403, json=answer(403, "quotaExceeded").json())

    assert isinstance(limited, RateLimited)
    assert (limited.until, limited.scope) == (NOW + FOR_HOURS, "google/con_1")
    undated = remedy(timeless, "con_1")
    assert isinstance(undated, TryLater)
    assert undated.after == FOR_HOURS


def test_a_rate_limit_backs_off_unless_it_names_its_moment() -> None:
    plain = remedy(answer(429, "rateLimitExceeded"), "con_1")
    named = remedy(answer(429, "rateLimitExceeded", retry_after="40"), "con_1")

    assert isinstance(plain, TryLater)
    assert plain.after is None
    assert isinstance(named, TryLater)
    assert named.after == timedelta(seconds=40)


@pytest.mark.parametrize(
    ("asked", "after"),
    [
        ("40", timedelta(seconds=40)),
        ("Mon, 16 Nov 2026 09:00:40 GMT", timedelta(seconds=40)),
        ("Mon, 16 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("soon", None),
    ],
)
def test_a_server_that_is_down_may_say_for_how_long(asked: str, after: timedelta | None) -> None:
    error = remedy(answer(503, "backendError", retry_after=asked), "con_1")

    assert isinstance(error, Unknown)
    assert error.after == after


def test_a_server_without_a_clock_may_still_say_how_many_seconds() -> None:
    seconds = httpx.Response(503, headers={"Retry-After": "9"})
    moment = httpx.Response(503, headers={"Retry-After": DATE["Date"]})

    one, two = remedy(seconds, "con_1"), remedy(moment, "con_1")

    assert isinstance(one, Unknown)
    assert isinstance(two, Unknown)
    assert (one.after, two.after) == (timedelta(seconds=9), None)


def test_a_refusal_holds_googles_words_but_not_without_end() -> None:
    error = remedy(answer(400, "badRequest", "Bad " + "x" * 500), "con_1")

    assert isinstance(error, Refused)
    assert error.reason.startswith("Google Calendar answered 400 badRequest: Bad")
    assert len(error.reason) < 260
