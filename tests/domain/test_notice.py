"""What is wanted, by what calendars show or a partner asks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.events import Mark
from schemas.meetings import (
    AskSeen,
    ByConnection,
    ByJoinUrl,
    Conferencing,
    EventsSeen,
    Intent,
    Meeting,
    Seen,
    Try,
    Written,
)
from schemas.policy import Wish
from tests.domain.samples import NOW, PAST, ask, conference, copy, meeting, policy, slot
from workers.domain.notice import authoritative, notice

LINK = "https://zoom.us/j/1"
WISH = Wish(slot=slot(), connection="con_zoom")


def noticed(seen: Seen, before: Meeting | None = None, default: str | None = "con_zoom") -> Meeting:
    return notice(seen, before or meeting(wish=None), policy(default=default), NOW)


def events(*copies: object) -> EventsSeen:
    return EventsSeen.model_validate({"copies": copies})


def test_the_organisers_copy_is_the_one_that_counts() -> None:
    ours, organisers = copy("a"), copy("b", seen=timedelta(hours=1), organizer=True)

    assert authoritative((ours, organisers), ()) == organisers


def test_a_declined_copy_counts_only_when_there_is_no_other() -> None:
    declined, other = copy("a", declined=True, organizer=True), copy("b")

    assert authoritative((declined, other), ()) == other
    assert authoritative((declined,), ()) == declined


def test_among_equals_the_oldest_counts_and_then_the_first_by_name() -> None:
    young, old = copy("a", seen=timedelta(hours=1)), copy("b")

    assert authoritative((young, old), ()) == old
    assert authoritative((copy("z"), copy("y")), ()) == copy("y")


def test_a_cancelled_copy_never_counts() -> None:
    assert authoritative((copy(cancelled=True),), ()) is None


ROOMS = {"room-1": "con_jitsi", "room-2": "con_jitsi"}


def everywhere(organizer: str = "", declined: str = "") -> EventsSeen:
    """One event on two people's calendars and in two rooms, seen there last."""
    names = ("jane", "bob", "room-1", "room-2")
    return events(
        *(
            copy(
                name,
                seen=timedelta(hours=number),
                organizer=name == organizer,
                declined=name == declined,
            )
            for number, name in enumerate(names)
        )
    )


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        (everywhere(organizer="bob"), "bob"),
        (everywhere(), "room-1"),
        (everywhere(declined="room-1"), "room-2"),
    ],
)
def test_the_organisers_copy_is_written_else_a_rooms_else_the_oldest(
    shown: EventsSeen, written: str
) -> None:
    """ENGINE 24: two people's calendars and two rooms show one meeting, and one copy counts."""
    rules = policy().model_copy(update={"rooms": ROOMS})

    now = notice(shown, meeting(wish=None), rules, NOW)

    assert now.authoritative is not None
    assert now.authoritative.calendar == written
    assert now.wish is not None


def test_an_event_that_a_rule_picks_is_wished_for() -> None:
    now = noticed(events(copy()))

    assert (now.wish, now.authoritative) == (WISH, copy())
    assert now.because == "keyword “zoom” stands in its location"


def test_an_event_that_is_nowhere_is_not() -> None:
    now = noticed(events(), meeting())

    assert (now.wish, now.authoritative) == (None, None)
    assert now.because == "the event is in none of the watched calendars"


def test_what_exists_of_an_event_that_is_over_is_left_as_it_is() -> None:
    over = events(copy(slot=PAST))
    exists = meeting(conference=conference(connection="con_old"))

    assert noticed(over).wish is None
    assert noticed(over, exists).wish == Wish(slot=PAST, connection="con_old")


HERE = Written(calendar="cal", event="ev", join_url=LINK, etags=("7", "8"))


@pytest.mark.parametrize(
    ("shown", "stands"),
    [
        (copy(etag="7"), True),  # seen before our write
        (copy(etag="8"), True),  # our write itself
        (copy(etag="9"), False),  # somebody took it out
        (copy(etag="9", mark=Mark(meeting="mtg_1", join_url=LINK)), True),
        (copy(etag="9", mark=Mark(meeting="mtg_1", join_url="https://old")), False),
        (copy(etag="9", mark=Mark(meeting="mtg_other", join_url=LINK)), False),
        (copy(etag="7", cancelled=True), False),
        (copy("another", etag="7"), False),
        (copy(id="another", etag="7"), False),
    ],
)
def test_we_know_whether_our_link_still_stands_in_an_event(shown: object, stands: bool) -> None:
    now = noticed(events(shown), meeting(written=(HERE,)))

    assert now.written == ((HERE,) if stands else ())


def test_a_write_of_unknown_version_is_believed() -> None:
    unversioned = HERE.model_copy(update={"etags": ()})

    now = noticed(events(copy(etag="9")), meeting(written=(unversioned,)))

    assert now.written == (unversioned,)


def test_a_second_look_at_the_same_thing_changes_nothing() -> None:
    once = noticed(events(copy()), meeting(written=(HERE,)))

    assert noticed(events(copy()), once) == once


@pytest.mark.parametrize(
    ("conferencing", "wish"),
    [
        ("default", WISH),
        ("none", None),
        (ByConnection(connection="con_b"), Wish(slot=slot(), connection="con_b")),
        (ByConnection(connection="default"), WISH),
        (ByJoinUrl(join_url=LINK), None),
    ],
)
def test_a_partner_gets_what_it_names(conferencing: Conferencing, wish: Wish | None) -> None:
    assert noticed(AskSeen(ask=ask(conferencing=conferencing))).wish == wish


def test_a_partners_own_link_is_shown_with_its_slot() -> None:
    given = AskSeen(ask=ask(conferencing=ByJoinUrl(join_url=LINK)))

    now = noticed(given)

    assert (now.given_link, now.given_slot, now.told, now.told_slot) == (LINK, slot(), LINK, slot())
    assert now.because == "the application brought its own join link"


def test_a_cancelled_meeting_is_not_wanted() -> None:
    cancelled = AskSeen(ask=ask(conferencing=ByJoinUrl(join_url=LINK), cancelled=True))
    told = noticed(AskSeen(ask=ask(conferencing=ByJoinUrl(join_url=LINK))))

    now = noticed(cancelled, told)

    assert (now.given_link, now.given_slot, now.told) == (None, None, None)


def test_a_partner_that_wants_the_default_must_have_one() -> None:
    now = noticed(AskSeen(ask=ask()), default=None)

    assert now.wish is None
    assert now.because == "the application asks for the default, and none is set"


def test_what_a_partner_asks_for_too_late_is_not_made() -> None:
    late = AskSeen(ask=ask(slot=PAST))
    exists = meeting(conference=conference())

    assert noticed(late).wish is None
    assert noticed(late, exists).wish == Wish(slot=PAST, connection="con_zoom")


def test_a_create_that_was_not_sent_is_forgotten_with_the_wish() -> None:
    intent = Intent(
        connection="con_zoom", reference="r", slot=slot(), number=1, started_at=NOW, sent=False
    )
    tries = (Try(number=1, started_at=NOW),)
    unsent = meeting(intent=intent, tries=tries)
    sent = meeting(intent=intent.model_copy(update={"sent": True}), tries=tries)

    assert noticed(events(), unsent).intent is None
    assert noticed(events(), unsent).tries == ()
    assert noticed(events(), sent).intent is not None
    assert noticed(events(copy()), unsent).intent is not None
