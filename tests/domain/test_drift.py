"""What differs between an account, its calendars and our books, one situation at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.drift import Drifted, Listed
from schemas.events import Event, Mark
from schemas.meetings import Meeting, Written
from schemas.policy import Wish
from tests.domain.samples import NOW, PAST, STARTS, conference, copy, event, meeting, slot
from workers.domain.drift import Books, at_provider, in_calendar, missing, unlisted

LINK = "https://zoom.us/j/1"
HERE = Written(calendar="cal", event="ev", join_url=LINK)
MARK = Mark(meeting="mtg_1", join_url=LINK)
WELL = meeting(conference=conference(), written=(HERE,), authoritative=copy())
LEDGER = {"c1": "mtg_1", "tl-ref": "mtg_1"}


def listed(name: str = "c1", **fields: object) -> Listed:
    given = {"title": "Interview", "starts_at": STARTS, "ends_at": STARTS + timedelta(hours=1)}
    return Listed.model_validate({"id": name, **given, **fields})


def books(*meetings: Meeting, ledger: dict[str, str] | None = None) -> Books:
    known = {one.id: one for one in meetings}
    return Books(LEDGER if ledger is None else ledger, known, NOW)


def seen(found: list[Drifted]) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.id, one.held) for one in found]


def test_what_is_as_the_books_say_is_not_named() -> None:
    assert at_provider([listed()], books(WELL)) == []
    assert unlisted([listed()], books(WELL), "con_zoom") == []


@pytest.mark.parametrize(
    "row", [listed(title="Talk"), listed(starts_at=STARTS - timedelta(hours=1))]
)
def test_what_shows_something_else_is_stale(row: Listed) -> None:
    assert seen(at_provider([row], books(WELL))) == [("stale", "c1", True)]


def test_what_our_own_books_know_to_be_old_is_stale() -> None:
    wish = Wish(slot=slot("Talk"), connection="con_zoom")

    found = at_provider([listed()], books(WELL.model_copy(update={"wish": wish})))

    assert seen(found) == [("stale", "c1", True)]


def test_what_nobody_wants_any_more_is_orphaned_until_it_is_over() -> None:
    unwanted = WELL.model_copy(update={"wish": None})
    over = unwanted.model_copy(update={"conference": conference(slot=PAST)})

    assert seen(at_provider([listed()], books(unwanted))) == [("orphaned", "c1", True)]
    assert at_provider([listed()], books(over)) == []


@pytest.mark.parametrize("holders", [(), (meeting(),), (meeting(conference=conference(id="c2")),)])
def test_what_the_ledger_names_and_no_meeting_has_is_orphaned(
    holders: tuple[Meeting, ...],
) -> None:
    assert seen(at_provider([listed()], books(*holders))) == [("orphaned", "c1", True)]


def test_what_carries_a_known_reference_is_orphaned_and_a_matter_of_the_sweep() -> None:
    (found,) = at_provider([listed("c2", reference="tl-r")], books(WELL))

    assert (found.kind, found.held, found.meeting) == ("orphaned", True, "mtg_1")
    assert found.reference == "tl-ref"


def test_what_carries_an_unknown_reference_is_named_and_not_held() -> None:
    found = at_provider([listed("c2", reference="tl-other")], books(WELL))

    assert seen(found) == [("orphaned", "c2", False)]


def test_what_carries_nothing_of_ours_is_foreign() -> None:
    assert seen(at_provider([listed("c2")], books(WELL))) == [("foreign", "c2", False)]


def test_a_conference_in_no_list_is_asked_for_unless_it_is_over_or_elsewhere() -> None:
    over = meeting(id="mtg_2", conference=conference(id="c2", slot=PAST))
    elsewhere = meeting(id="mtg_3", conference=conference(id="c3", connection="con_b"))
    none = meeting(id="mtg_4")

    assert unlisted([], books(WELL, over, elsewhere, none), "con_zoom") == [WELL]
    assert seen([missing(WELL, "c1")]) == [("missing", "c1", True)]


def compared(one: Event, *meetings: Meeting, known: str = "mtg_1") -> list[tuple[str, str, bool]]:
    return seen(in_calendar("cal", [one], {"ev": known}, {m.id: m for m in meetings}))


def test_an_event_that_stands_as_it_should_is_not_named() -> None:
    assert compared(event(mark=MARK), WELL) == []
    assert compared(event(location="lunch"), known="") == []
    assert compared(event(cancelled=True), WELL) == []


def test_an_event_without_the_link_of_its_meeting_misses_it() -> None:
    assert compared(event(), WELL) == [("missing", "ev", True)]
    assert compared(event(), meeting(authoritative=copy())) == []
    assert compared(event(id="other"), WELL, known="") == []


def test_an_event_with_another_link_or_other_times_is_stale() -> None:
    other = Mark(meeting="mtg_1", join_url="https://zoom.us/j/2")
    ended = WELL.model_copy(update={"wish": None})

    assert compared(event(mark=other), WELL) == [("stale", "ev", True)]
    assert compared(event(mark=MARK, slot=slot("Talk")), WELL) == [("stale", "ev", True)]
    assert compared(event(mark=MARK, slot=slot("Talk")), ended) == []


def test_a_link_that_should_be_gone_is_orphaned() -> None:
    gone = WELL.model_copy(update={"conference": None, "wish": None})

    assert compared(event(mark=MARK), gone) == [("orphaned", "ev", True)]


def test_the_mark_of_another_event_is_named_and_left() -> None:
    elsewhere = WELL.model_copy(update={"written": (), "authoritative": copy(id="other")})

    assert compared(event(mark=MARK), elsewhere) == [("orphaned", "ev", False)]
    assert compared(event(mark=MARK)) == [("orphaned", "ev", False)]


def test_a_link_of_somebody_elses_is_foreign() -> None:
    assert compared(event(foreign_link=True), known="") == [("foreign", "ev", False)]
