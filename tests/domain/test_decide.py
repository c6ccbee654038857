"""What is still missing, one situation at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.commands import (
    ConfirmConference,
    FindConference,
    ProvisionConference,
    RemoveJoinDetails,
    TearDownConference,
    UpdateConference,
    Wait,
    WriteJoinDetails,
)
from schemas.meetings import Intent, Meeting, Trouble, Try, Written
from schemas.policy import Wish
from tests.domain.samples import (
    JITSI,
    NOW,
    PAST,
    QUARANTINE,
    conference,
    copy,
    link,
    meeting,
    policy,
    slot,
)
from workers.domain.decide import BEFORE_ANY_TRY, decide

ZOOM = "https://zoom.us/j/1"
HERE = Written(calendar="cal", event="ev", join_url=ZOOM)
ELSEWHERE = Written(calendar="cal_b", event="ev", join_url=ZOOM)
SENT = Intent(
    connection="con_zoom", reference="tl-old", slot=slot(), number=1, started_at=NOW, sent=True
)
UNSENT = SENT.model_copy(update={"sent": False, "number": 4})


def commands(now: Meeting, *links: object, at: timedelta = timedelta(0)) -> list[object]:
    rules = policy(*links) if links else policy()  # type: ignore[arg-type]  # rows of Link
    return list(decide(now, rules, "tl-ref", NOW + at))


def test_a_wanted_conference_is_provisioned_with_the_meetings_reference() -> None:
    assert commands(meeting()) == [
        ProvisionConference(connection="con_zoom", slot=slot(), reference="tl-ref", number=1)
    ]


def test_the_next_try_has_the_number_after_the_highest() -> None:
    tries = (Try(number=2, started_at=NOW),)

    (command,) = commands(meeting(tries=tries))

    assert isinstance(command, ProvisionConference)
    assert command.number == 3


def test_a_create_that_was_surely_not_sent_goes_out_again_under_its_number() -> None:
    (command,) = commands(meeting(intent=UNSENT))

    assert isinstance(command, ProvisionConference)
    assert command.number == 4


def test_what_is_over_gets_nothing_any_more() -> None:
    assert commands(meeting(wish=Wish(slot=PAST, connection="con_zoom"))) == []


def test_a_create_that_may_be_under_way_is_waited_for() -> None:
    just_before = QUARANTINE - timedelta(microseconds=1)

    (command,) = commands(meeting(intent=SENT), at=just_before)

    assert isinstance(command, Wait)
    assert command.until == NOW + QUARANTINE


def test_when_the_quarantine_ends_what_was_made_is_looked_for() -> None:
    earlier = (Try(number=1, started_at=NOW - timedelta(hours=1)),)

    found = commands(meeting(intent=SENT, tries=earlier), at=QUARANTINE)

    since = NOW - timedelta(hours=1)
    assert found == [
        FindConference(connection="con_zoom", slot=slot(), reference="tl-old", since=since)
    ]


def test_without_a_recorded_try_the_search_begins_with_the_intent() -> None:
    (command,) = commands(meeting(intent=SENT), at=QUARANTINE)

    assert isinstance(command, FindConference)
    assert command.since == NOW


def test_a_create_at_a_link_that_is_down_is_looked_for_once_the_link_is_back() -> None:
    waits = commands(meeting(intent=SENT), link(usable=False), at=QUARANTINE)

    assert waits == [Wait(until=None, reason="connection con_zoom is not linked")]


def test_in_a_new_epoch_we_look_before_we_make() -> None:
    since = NOW - BEFORE_ANY_TRY

    found = commands(meeting(), link(find_first=True))

    assert found == [
        FindConference(connection="con_zoom", slot=slot(), reference="tl-ref", since=since)
    ]


def test_in_a_new_epoch_the_search_reaches_back_to_the_first_try() -> None:
    tries = (Try(number=1, started_at=NOW - timedelta(days=9)),)

    (command,) = commands(meeting(tries=tries), link(find_first=True))

    assert isinstance(command, FindConference)
    assert command.since == NOW - timedelta(days=9)


def test_having_looked_at_one_connection_says_nothing_of_another() -> None:
    looked = UNSENT.model_copy(update={"connection": "con_other"})
    epoch = link(find_first=True)

    assert isinstance(commands(meeting(intent=UNSENT), epoch)[0], ProvisionConference)
    assert isinstance(commands(meeting(intent=looked), epoch)[0], FindConference)


def test_a_derived_conference_need_not_be_looked_for() -> None:
    wish = Wish(slot=slot(), connection="con_jitsi")
    epoch = JITSI.model_copy(update={"find_first": True})

    assert isinstance(commands(meeting(wish=wish), epoch)[0], ProvisionConference)


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        ([link("con_else")], "connection con_zoom is not known"),
        ([link(usable=False)], "connection con_zoom is not linked"),
        ([link(usable=False, reason="taken away at Zoom")], "taken away at Zoom"),
    ],
)
def test_without_its_link_a_meeting_waits_and_says_why(links: list[object], reason: str) -> None:
    assert commands(meeting(), *links) == [Wait(until=None, reason=reason)]


def test_a_conference_that_shows_the_old_slot_is_updated_then_written() -> None:
    there = conference()
    moved = slot(after=timedelta(hours=2))
    wants = meeting(
        wish=Wish(slot=moved, connection="con_zoom"), conference=there, authoritative=copy()
    )

    assert commands(wants) == [
        UpdateConference(conference=there, slot=moved),
        WriteJoinDetails(target=HERE),
    ]


def test_a_link_that_is_down_keeps_no_join_link_out_of_the_event() -> None:
    moved = Wish(slot=slot("Renamed"), connection="con_zoom")
    wants = meeting(wish=moved, conference=conference(), authoritative=copy())

    first, second = commands(wants, link(usable=False))

    assert first == WriteJoinDetails(target=HERE)
    assert isinstance(second, Wait)


def test_a_doubted_conference_is_confirmed_before_anything_else() -> None:
    there = conference()
    doubted = meeting(conference=there, authoritative=copy(), doubted=True)

    assert commands(doubted) == [ConfirmConference(conference=there)]


def test_a_conference_of_another_connection_goes_before_the_new_one_comes() -> None:
    there = conference(connection="con_old")

    assert commands(meeting(conference=there), link(), link("con_old")) == [
        TearDownConference(conference=there)
    ]


def test_the_link_moves_with_the_authoritative_copy() -> None:
    stands_elsewhere = meeting(conference=conference(), authoritative=copy(), written=(ELSEWHERE,))
    stands_twice = meeting(conference=conference(), authoritative=copy(), written=(HERE, ELSEWHERE))

    assert commands(stands_elsewhere) == [
        WriteJoinDetails(target=HERE),
        RemoveJoinDetails(target=ELSEWHERE),
    ]
    assert commands(stands_twice) == [RemoveJoinDetails(target=ELSEWHERE)]


def test_an_older_link_is_written_over() -> None:
    older = HERE.model_copy(update={"join_url": "https://zoom.us/j/0"})
    now = meeting(conference=conference(), authoritative=copy(), written=(older,))

    assert commands(now) == [WriteJoinDetails(target=HERE)]


def test_what_nobody_wants_is_taken_out_of_the_event_and_then_torn_down() -> None:
    there = conference()
    unwanted = meeting(wish=None, conference=there, written=(HERE,))

    assert commands(unwanted) == [
        RemoveJoinDetails(target=HERE),
        TearDownConference(conference=there),
    ]


def test_a_conference_that_is_over_is_not_torn_down() -> None:
    over = meeting(wish=None, conference=conference(slot=PAST), written=(HERE,))

    assert commands(over) == [RemoveJoinDetails(target=HERE)]


def test_a_tear_down_waits_for_its_link() -> None:
    unwanted = meeting(wish=None, conference=conference())

    (command,) = commands(unwanted, link(usable=False))

    assert isinstance(command, Wait)


def test_a_partners_own_link_takes_the_place_of_our_conference() -> None:
    there = conference()
    given = meeting(wish=None, given_link="https://own.example", conference=there)

    assert commands(given) == [TearDownConference(conference=there)]


def test_a_meeting_that_needs_a_person_is_left_alone() -> None:
    assert commands(meeting(trouble=Trouble(reason="plan", since=NOW, parked=True))) == []


def test_a_troubled_meeting_waits_until_its_moment() -> None:
    until = NOW + timedelta(hours=1)
    troubled = meeting(trouble=Trouble(reason="quota", since=NOW, until=until))

    assert commands(troubled) == [Wait(until=until, reason="quota")]
    assert isinstance(commands(troubled, at=timedelta(hours=1))[0], ProvisionConference)
