"""Which events deserve a conference, and from whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from schemas.policy import KeywordRule, Policy, Wish, is_past
from tests.domain.samples import NOW, PAST, SERIES, event, policy, slot


@pytest.mark.parametrize(
    ("location", "connection"),
    [
        ("zoom", "con_zoom"),
        ("Room 5, ZOOM", "con_zoom"),
        ("Jitsi; Room 5", "con_jitsi"),
        ("jitsi zoom", "con_zoom"),  # the first rule, not the first word
        ("a Video  Call please", "con_zoom"),
        ("zoomed", None),
        ("video", None),
        ("", None),
    ],
)
def test_a_keyword_counts_as_words_of_their_own(location: str, connection: str | None) -> None:
    verdict = policy().verdict(event(location=location), NOW)

    assert (verdict.wish.connection if verdict.wish else None) == connection


def test_a_wish_shows_the_events_slot_and_a_verdict_says_why() -> None:
    verdict = policy().verdict(event(), NOW)

    assert verdict.wish == Wish(slot=slot(), connection="con_zoom")
    assert verdict.because == "keyword “zoom” stands in its location"
    assert policy().verdict(event(location=""), NOW).because == (
        "no rule's keyword stands in its location"
    )


def test_the_default_must_be_set_to_be_asked_for() -> None:
    verdict = policy(default=None).verdict(event(location="video call"), NOW)

    assert verdict.wish is None
    assert verdict.because == "keyword “video call” asks for the default, and none is set"
    assert Policy(default="con_d").connection("default") == "con_d"
    assert Policy(default="con_d").connection("con_e") == "con_e"


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"cancelled": True}, "the event is cancelled"),
        ({"declined": True}, "the calendar's owner declined it"),
        ({"all_day": True}, "it lasts all day"),
        ({"foreign_link": True}, "it already carries a join link that is not ours"),
        ({"slot": PAST}, "it is over"),
    ],
)
def test_some_events_never_get_a_conference(fields: dict[str, object], because: str) -> None:
    verdict = policy().verdict(event(**fields), NOW)

    assert (verdict.wish, verdict.because) == (None, because)


@pytest.mark.parametrize("keyword", ["", " ", ", ;"])
def test_a_keyword_without_a_word_is_refused(keyword: str) -> None:
    with pytest.raises(ValidationError):
        KeywordRule(keyword=keyword, conferencing="default")


def test_a_single_event_is_past_when_it_has_ended() -> None:
    running = slot(after=-timedelta(days=3, minutes=30))
    ends_now = slot(after=-timedelta(days=3, hours=1))

    assert not is_past(running, NOW)
    assert is_past(ends_now, NOW)
    assert is_past(PAST, NOW)


@pytest.mark.parametrize(
    ("lines", "past"),
    [
        (["RRULE:FREQ=WEEKLY"], False),
        (["RRULE:FREQ=WEEKLY;COUNT=2"], False),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261115T080000Z"], True),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261115"], True),
        (["RRULE:UNTIL=20261115;FREQ=WEEKLY", "EXDATE:20261101T080000Z"], True),
        (["RRULE:FREQ=DAILY;UNTIL=20261116T090000Z"], False),  # the last one runs
        (["RRULE:FREQ=WEEKLY;UNTIL=20261116T080000Z"], True),
        (["RRULE:FREQ=WEEKLY;COUNT=1"], True),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261116T090000Z"], True),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261101", "RRULE:FREQ=DAILY"], False),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261101", "RDATE:20270101T080000Z"], False),
        (["EXDATE:20261101T080000Z"], True),
        (["a rule that nobody can read"], False),
    ],
)
def test_a_series_is_past_when_nothing_of_it_is_to_come(lines: list[str], past: bool) -> None:
    series = PAST.model_copy(update={"recurrence": tuple(lines)})

    assert is_past(series, NOW) is past
    assert SERIES.is_series


def test_a_room_serves_each_of_its_events_and_a_rule_comes_first() -> None:
    plain, named = event(location="Room 5"), event(location="Zoom")
    rules = policy(default="con_zoom")

    assert rules.verdict(plain, NOW).wish is None
    served = rules.verdict(plain, NOW, room="con_room").wish
    ruled = rules.verdict(named, NOW, room="con_room").wish
    assert served is not None
    assert served.connection == "con_room"
    assert ruled is not None
    assert ruled.connection == "con_zoom"


def test_a_room_leaves_foreign_links_alone() -> None:
    theirs = event(location="Room 5", foreign_link=True)

    assert policy().verdict(theirs, NOW, room="con_room").wish is None


@pytest.mark.parametrize("keyword", ["zoom", ""])
def test_what_was_chosen_for_one_meeting_comes_before_its_rule(keyword: str) -> None:
    led = [KeywordRule(keyword="zoom", conferencing="con_z", source_of_truth="conference")]
    usual = Policy(rules=tuple(led), rooms={"cal_room": "con_z"})

    wishes = [
        usual.model_copy(update={"truth": truth})
        .verdict(event(location=keyword), NOW, room="con_z")
        .wish
        for truth in (None, "calendar", "conference")
    ]

    by_rule = "conference" if keyword else None  # a room's conferences do not lead
    assert [wish and wish.truth for wish in wishes] == [by_rule, None, "conference"]
