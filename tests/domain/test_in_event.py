"""A conference that lives in the event that asks for it: the event's own link may be ours."""

from __future__ import annotations

from datetime import timedelta

from schemas.commands import FindConference, ProvisionConference
from schemas.meetings import EventsSeen, Intent, Meeting
from schemas.policy import Wish
from tests.domain.samples import NOW, QUARANTINE, conference, copy, link, meeting, policy, slot
from workers.domain.decide import decide
from workers.domain.notice import notice

THERE = link(in_event=True)
ELSEWHERE = link()
ONLINE = "https://teams.microsoft.com/l/meetup-join/1"
SENT = Intent(
    connection="con_zoom", reference="tl-old", slot=slot(), number=1, started_at=NOW, sent=True
)
SHOWN = copy(foreign_link=True, link=ONLINE)


def noticed(before: Meeting, *, in_event: bool = True) -> Meeting:
    """The meeting after its event was seen with a link of its own."""
    rules = policy(THERE if in_event else ELSEWHERE)
    return notice(EventsSeen(copies=(SHOWN,)), before, rules, NOW)


def test_where_it_is_to_live_goes_with_the_create_and_with_the_search() -> None:
    known = meeting(authoritative=copy())
    later = NOW + QUARANTINE

    (create,) = decide(known, policy(THERE), "tl-ref", NOW)
    (elsewhere,) = decide(known, policy(ELSEWHERE), "tl-ref", NOW)
    (search,) = decide(known.model_copy(update={"intent": SENT}), policy(THERE), "tl-ref", later)
    (afresh,) = decide(known, policy(link(in_event=True, find_first=True)), "tl-ref", NOW)

    assert isinstance(create, ProvisionConference)
    assert isinstance(elsewhere, ProvisionConference)
    assert isinstance(search, FindConference)
    assert isinstance(afresh, FindConference)
    assert [one.event for one in (create, elsewhere, search, afresh)] == ["ev", "", "ev", "ev"]


def test_a_partners_meeting_has_no_event_to_live_in() -> None:
    (create,) = decide(meeting(), policy(THERE), "tl-ref", NOW)

    assert isinstance(create, ProvisionConference)
    assert create.event == ""


def test_the_link_of_our_conference_is_not_foreign_where_it_lives() -> None:
    made = conference(join_url=ONLINE)

    assert noticed(meeting(conference=made)).wish == Wish(slot=slot(), connection="con_zoom")


def test_while_a_create_is_under_way_the_events_link_may_be_ours() -> None:
    assert noticed(meeting(intent=SENT)).wish is not None
    assert noticed(meeting(intent=SENT), in_event=False).wish is None


def test_any_other_link_is_somebody_elses() -> None:
    other = conference(join_url="https://zoom.us/j/1")

    assert noticed(meeting(conference=other)).wish is None
    assert noticed(meeting()).wish is None
    assert noticed(meeting(intent=SENT.model_copy(update={"connection": "gone"}))).wish is None


def test_when_it_began_long_ago_the_search_begins_a_day_before() -> None:
    (afresh,) = decide(
        meeting(authoritative=copy()), policy(link(in_event=True, find_first=True)), "tl-ref", NOW
    )

    assert isinstance(afresh, FindConference)
    assert afresh.since == NOW - timedelta(days=1)
