"""What differs in a series is kept once, and forgotten when it is over."""

from __future__ import annotations

from datetime import timedelta

from schemas.events import CalledOff, Occurrence, Sighting
from tests.domain.samples import NOW, SERIES, event
from workers.domain.exceptions import called_off, differing, is_over, stood

NEXT = (NOW + timedelta(days=7)).isoformat()
LATER = (NOW + timedelta(days=14)).isoformat()
LONG_AGO = NOW - timedelta(days=30)


def off(at: str, what: str = "cancelled", **fields: object) -> Occurrence:
    """An occurrence that differs."""
    told = {"event": "ev", "original_start": at, "what": what, **fields}
    return Occurrence.model_validate(told)


def seen(*exceptions: Occurrence) -> Sighting:
    """A series on a calendar."""
    return Sighting(
        id="cal/ev",
        calendar="cal",
        meeting="mtg_1",
        event=event(slot=SERIES),
        exceptions=exceptions,
        first_seen_at=NOW,
    )


def test_an_occurrence_that_was_never_told_stood_as_usual() -> None:
    assert stood(seen(off(LATER)), off(NEXT)) == off(NEXT, "usual")
    assert stood(seen(off(NEXT)), off(NEXT, "usual")) == off(NEXT)


def test_what_differs_replaces_what_was_told_and_what_is_as_usual_leaves() -> None:
    held = (off(NEXT), off(LATER))

    assert differing(held, off(NEXT, "moved"), NOW) == (off(LATER), off(NEXT, "moved"))
    assert differing(held, off(NEXT, "usual"), NOW) == (off(LATER),)
    assert differing((off(NEXT),), off(NEXT, "usual"), NOW) is None
    assert differing(None, off(NEXT), NOW) == (off(NEXT),)


def test_what_is_over_is_forgotten_unless_it_was_moved_to_what_is_to_come() -> None:
    past = off(LONG_AGO.isoformat())
    moved = off(LONG_AGO.isoformat(), "moved", starts_at=NOW, ends_at=NOW + timedelta(hours=1))

    assert differing((past,), off(NEXT), NOW) == (off(NEXT),)
    assert differing((moved,), off(NEXT), NOW) == (moved, off(NEXT))


def test_one_that_lasts_all_day_is_named_by_its_day_and_one_without_a_name_says_nothing() -> None:
    assert not is_over(off("2026-11-26"), NOW)
    assert is_over(off("2026-11-01"), NOW)
    assert is_over(off(""), NOW)


def test_what_is_called_off_no_more_is_on_again() -> None:
    told = CalledOff(event="ev", original_starts=(LATER,))

    again = called_off(told, seen(off(NEXT), off(LATER), off("2026-11-26", "moved")))

    assert again == [off(NEXT, "usual"), off(LATER)]
    assert called_off(told, None) == [off(LATER)]
