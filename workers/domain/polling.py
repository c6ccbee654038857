"""When is a provider that pushes nothing asked again, and does what it shows need a look? Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from schemas.accounts import AccountConference
from schemas.meetings import Meeting

PERIODS: Final = (
    (timedelta(minutes=10), timedelta(seconds=30)),
    (timedelta(hours=2), timedelta(minutes=2)),
    (timedelta(days=1), timedelta(minutes=10)),
)
"""So near is the next meeting, so soon it is looked again."""
OFTEN: Final = timedelta(seconds=5)
SELDOM: Final = timedelta(minutes=30)
LATE: Final = timedelta(minutes=1)


def next_poll(rows: Iterable[AccountConference], now: datetime) -> timedelta:
    """How long from now: by the next conference that begins or ends, or runs."""
    nearest = min((_distance(row, now) for row in rows), default=timedelta.max)
    return next((period for within, period in PERIODS if nearest <= within), SELDOM)


def next_look(waited: timedelta) -> timedelta:
    """How long from now somebody who has to act is looked for again: the longer it has taken, the
    longer it may take."""
    return min(max(waited / 4, OFTEN), SELDOM)


def differs(row: AccountConference, meeting: Meeting) -> bool:
    """Whether it has another title or other times than the conference that we know."""
    conference = meeting.conference
    if conference is None or conference.id != row.id:
        return False
    if row.title and not conference.is_titled(row.title):
        return True
    if conference.slot.is_series:
        return False
    if row.starts_at is None or row.ends_at is None:
        return True
    slot = conference.slot
    return max(abs(row.starts_at - slot.starts_at), abs(row.ends_at - slot.ends_at)) >= LATE


def shown_by(row: AccountConference) -> str:
    """Times and title as one word, by which a difference is told once."""
    said = f"{row.starts_at}/{row.ends_at}/{row.title}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _distance(row: AccountConference, now: datetime) -> timedelta:
    if row.running:
        return timedelta(0)
    if row.starts_at is None:
        return timedelta.max
    begun = row.starts_at <= now
    ended = row.ends_at is not None and row.ends_at <= now
    return timedelta(0) if begun and not ended else abs(row.starts_at - now)
