"""When does an answer ask us to come back? Moments are by the other side's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

_DIGITS: Final = 9


def answered_at(answer: httpx.Response) -> datetime | None:
    """When the other side answered, by its own `Date`."""
    return _http_date(answer.headers.get("date", ""))


def retry_after(answer: httpx.Response) -> datetime | timedelta | None:
    """The moment, or the wait, that `Retry-After` names: seconds or an HTTP date (RFC 9110
    §10.2.3), or the ISO 8601 instant that Zoom sends. None for none, and for what is no such."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        # Not added to `Date`: that is cut to a second, and often a second old besides, so the wait
        # would be undercut.
        return timedelta(seconds=int(said[:_DIGITS]))
    return _http_date(said) or _instant(said)


def _http_date(said: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(said))
    except ValueError:
        return None


def _instant(said: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(said))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
