"""May a conference that nobody holds be deleted? Only one that is provably a lost try. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from schemas.meetings import Meeting, Try

CLOCKS: Final = timedelta(seconds=5)
"""How far the provider's clock and ours may be apart; it also rounds to whole seconds."""


@dataclass(frozen=True, slots=True)
class Kept:
    """It is the meeting's conference."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A lost try of ours: delete it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Not provably ours to delete: say so and leave it."""

    reason: str


Fate: TypeAlias = Kept | Lost | Drift


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a provider shows under one of our references."""

    conference: str
    made_at: datetime | None
    started: bool


def fate(
    candidate: Candidate, meeting: Meeting, tries: Sequence[Try], quarantine: timedelta
) -> Fate:
    """What becomes of a conference that carries our reference (ENGINE 28)."""
    if meeting.conference is not None and meeting.conference.id == candidate.conference:
        return Kept()
    if candidate.started:
        return Drift("people have met in it")
    if candidate.made_at is None:
        return Drift("the provider does not say when it was made")
    if not any(_within(candidate.made_at, one, quarantine) for one in tries):
        return Drift("it was made outside every try of ours")
    return Lost()


def is_open(meeting: Meeting, reference: str, current: str) -> bool:
    """Whether the meeting may still adopt a conference of this reference: not before that is
    settled is any of them an extra. `current` is the reference of its present generation."""
    if reference != current:
        return False
    if meeting.intent is not None and meeting.intent.sent:
        return True
    return meeting.conference is None and meeting.wish is not None


def _within(made_at: datetime, one: Try, quarantine: timedelta) -> bool:
    return one.started_at - CLOCKS <= made_at <= one.started_at + quarantine + CLOCKS
