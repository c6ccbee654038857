"""Which occurrences of a series differ from it? Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.events import CalledOff, Occurrence, Sighting

KEPT_AFTER = timedelta(days=1)
"""As long as a full reading shows what is over, so that it is not told again each time."""


def stood(sighting: Sighting, occurrence: Occurrence) -> Occurrence:
    """How this occurrence stood until now."""
    usual = Occurrence(
        event=occurrence.event, original_start=occurrence.original_start, what="usual"
    )
    return next((one for one in sighting.exceptions or () if _same(one, occurrence)), usual)


def differing(
    before: tuple[Occurrence, ...] | None, occurrence: Occurrence, now: datetime
) -> tuple[Occurrence, ...] | None:
    """What differs from now on, without what is over; None when nothing does."""
    others = (one for one in before or () if not (_same(one, occurrence) or is_over(one, now)))
    return (*others, occurrence) if occurrence.what != "usual" else tuple(others) or None


def called_off(told: CalledOff, known: Sighting | None) -> list[Occurrence]:
    """Each occurrence that is cancelled, and each that was and is on again."""
    held = (known.exceptions or ()) if known is not None else ()
    before = [one.original_start for one in held if one.what == "cancelled"]
    again = (start for start in before if start not in told.original_starts)
    return [
        *(Occurrence(event=told.event, original_start=at, what="usual") for at in again),
        *(
            Occurrence(event=told.event, original_start=at, what="cancelled")
            for at in told.original_starts
        ),
    ]


def is_over(occurrence: Occurrence, now: datetime) -> bool:
    """Whether it was to be, and is, long enough ago to be forgotten; so is one that does not say
    when it was to be."""
    if not occurrence.original_start:
        return True
    original = datetime.fromisoformat(occurrence.original_start)
    original = original if original.tzinfo else original.replace(tzinfo=UTC)
    return max(original, occurrence.ends_at or original) < now - KEPT_AFTER


def _same(one: Occurrence, other: Occurrence) -> bool:
    return one.original_start == other.original_start
