"""What we have after an outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.commands import (
    Act,
    ConferenceMissing,
    ConfirmConference,
    FindConference,
    JoinDetailsRemoved,
    JoinDetailsWritten,
    Later,
    LinkDown,
    NothingFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    ProvisionConference,
    Provisioned,
    Refused,
    RemoveJoinDetails,
    StillThere,
    TearDownConference,
    TornDown,
    UpdateConference,
    Updated,
    WriteJoinDetails,
)
from schemas.meetings import Intent, Meeting, Try, Written
from tests.domain.samples import NOW, conference, copy, meeting, slot
from workers.domain.evolve import LONG, evolve, intend, retried, settle, undone, waiting

LATER = NOW + timedelta(minutes=5)
CREATE = ProvisionConference(connection="con_zoom", slot=slot(), reference="tl-ref", number=2)
FIND = FindConference(connection="con_zoom", slot=slot(), reference="tl-ref", since=NOW)
THERE = conference()
TARGET = Written(calendar="cal", event="ev", join_url=THERE.join_url, etags=("1", "2"))
FIRST_TRY = Try(number=1, started_at=NOW)


def begun() -> Meeting:
    """Its first try was looked for in vain, its second may be under way."""
    return intend(meeting(tries=(FIRST_TRY,)), CREATE, NOW)


def after(outcome: Outcome, of: Act, before: Meeting | None = None) -> Meeting:
    return evolve(before or begun(), outcome, LATER, of=of)


def test_the_intent_and_its_try_are_there_before_the_create() -> None:
    now = begun()

    assert now.intent == Intent(
        connection="con_zoom", reference="tl-ref", slot=slot(), number=2, started_at=NOW
    )
    assert now.tries == (FIRST_TRY, Try(number=2, started_at=NOW))


def test_a_renewed_intent_renews_its_try() -> None:
    now = intend(begun(), CREATE, LATER)

    assert now.tries == (FIRST_TRY, Try(number=2, started_at=LATER))


def test_what_was_made_closes_the_intent_and_keeps_the_tries_for_the_sweep() -> None:
    now = after(Provisioned(conference=THERE), CREATE)

    assert (now.conference, now.intent, now.trouble) == (THERE, None, None)
    assert len(now.tries) == 2
    assert now.told == THERE.join_url  # no event has to carry it


def test_a_conference_read_back_is_believed() -> None:
    doubted = meeting(conference=THERE, doubted=True)
    newer = conference(join_url="https://zoom.us/j/2")

    updated = after(
        Updated(conference=newer), UpdateConference(conference=THERE, slot=slot()), doubted
    )
    there = after(StillThere(conference=newer), ConfirmConference(conference=THERE), doubted)

    assert (updated.conference, updated.doubted) == (newer, False)
    assert (there.conference, there.doubted) == (newer, False)


@pytest.mark.parametrize("outcome", [ConferenceMissing(), TornDown()])
def test_what_is_gone_is_made_anew_under_another_reference(outcome: Outcome) -> None:
    before = meeting(conference=THERE, doubted=True, tries=(FIRST_TRY,), generation=3)

    now = after(outcome, TearDownConference(conference=THERE), before)

    assert (now.conference, now.tries, now.doubted, now.generation) == (None, (), False, 4)


def test_after_a_search_in_vain_the_next_try_may_go_out() -> None:
    troubled = after(OutcomeUnknown(reason="timeout"), CREATE)

    now = after(NothingFound(), FIND, troubled)

    assert now.intent is not None
    assert (now.intent.sent, now.intent.number, now.intent.reference) == (False, 3, "tl-ref")
    assert now.trouble is not None  # no progress yet: unknown outcomes go on counting
    assert after(OutcomeUnknown(reason="timeout"), CREATE, now).trouble == (
        now.trouble.model_copy(update={"times": 2, "grave": True})
    )


def test_in_a_new_epoch_a_search_in_vain_opens_the_first_try() -> None:
    now = after(NothingFound(), FIND, meeting())

    assert now.intent is not None
    assert (now.intent.sent, now.intent.number, now.intent.reference) == (False, 1, "")


def test_nothing_is_tried_again_for_a_meeting_that_nobody_wants() -> None:
    unwanted = begun().model_copy(update={"wish": None})

    now = after(NothingFound(), FIND, unwanted)

    assert now.intent is None


def test_join_details_are_remembered_once_an_event_and_forgotten_when_removed() -> None:
    other = Written(calendar="cal_b", event="ev", join_url="x")
    older = TARGET.model_copy(update={"join_url": "old"})
    before = meeting(conference=THERE, authoritative=copy(), written=(older, other))

    written = after(JoinDetailsWritten(target=TARGET), WriteJoinDetails(target=TARGET), before)
    removed = after(JoinDetailsRemoved(target=other), RemoveJoinDetails(target=other), written)

    assert (written.written, written.told) == ((other, TARGET), THERE.join_url)
    assert removed.written == (TARGET,)


def test_a_create_that_was_not_sent_keeps_its_intent_unsent() -> None:
    now = after(NotSent(reason="no route"), CREATE)

    assert now.intent is not None
    assert not now.intent.sent
    assert len(now.tries) == 2


def test_a_create_with_an_unknown_outcome_stays_open() -> None:
    now = after(OutcomeUnknown(reason="timeout"), CREATE)

    assert now.intent == begun().intent


REFUSALS: list[Outcome] = [
    Later(reason="busy"),
    Refused(reason="plan"),
    LinkDown(reason="revoked"),
]


@pytest.mark.parametrize("outcome", REFUSALS)
def test_a_create_that_was_refused_never_was(outcome: Outcome) -> None:
    now = after(outcome, CREATE)

    assert (now.intent, now.tries) == (None, (FIRST_TRY,))


@pytest.mark.parametrize("outcome", [*REFUSALS, NotSent(reason="no"), OutcomeUnknown(reason="?")])
def test_a_search_that_fails_says_nothing_of_the_create(outcome: Outcome) -> None:
    now = after(outcome, FIND)

    assert (now.intent, now.tries) == (begun().intent, begun().tries)
    assert now.trouble is not None


def test_outcomes_of_a_create_without_an_intent_change_no_intent() -> None:
    bare = meeting(tries=(FIRST_TRY,))

    assert after(NotSent(reason="no"), CREATE, bare).intent is None
    assert undone(bare) == bare


def test_trouble_is_grave_the_second_time() -> None:
    once = after(Later(reason="busy"), CREATE)
    twice = after(Later(reason="still busy"), CREATE, once)

    assert once.trouble is not None
    assert twice.trouble is not None
    assert (once.trouble.grave, once.trouble.times) == (False, 1)
    assert (twice.trouble.grave, twice.trouble.times) == (True, 2)
    assert twice.trouble.since == once.trouble.since


def test_trouble_is_grave_at_once_when_the_wait_is_long_or_a_person_must_act() -> None:
    long = after(Later(reason="quota", until=LATER + LONG + timedelta(seconds=1)), CREATE).trouble
    short = after(Later(reason="busy", until=LATER + LONG), CREATE).trouble
    refused = after(Refused(reason="plan"), CREATE).trouble
    down = after(LinkDown(reason="revoked"), CREATE).trouble

    assert long
    assert short
    assert refused
    assert down
    assert (long.grave, short.grave) == (True, False)
    assert (refused.grave, refused.parked) == (True, True)
    assert (down.grave, down.parked) == (True, False)


def test_waiting_for_a_link_is_said_once_for_each_reason() -> None:
    first = waiting(meeting(), "revoked", NOW)

    assert first.trouble is not None
    assert first.trouble.grave
    assert waiting(first, "revoked", LATER) == first
    assert waiting(first, "unlinked", LATER).trouble != first.trouble


def test_a_retry_forgets_the_trouble() -> None:
    assert retried(waiting(meeting(), "revoked", NOW)).trouble is None


def test_a_trouble_ends_with_what_caused_it() -> None:
    """An update was refused, and then the event went back to what the conference shows."""
    stands = meeting(conference=THERE, authoritative=copy(), written=(TARGET,))
    refused = after(
        Refused(reason="too long"), UpdateConference(conference=THERE, slot=slot()), stands
    )

    assert settle(refused).trouble is None


def test_partners_stay_told_while_a_conference_is_made_anew() -> None:
    told = settle(meeting(conference=THERE))

    again = after(ConferenceMissing(), ConfirmConference(conference=THERE), told)

    assert (again.told, again.told_slot) == (THERE.join_url, THERE.slot)


def test_partners_are_untold_when_nothing_is_wanted_and_nothing_is_there() -> None:
    told = settle(meeting(conference=THERE))
    unwanted = told.model_copy(update={"wish": None})

    assert settle(unwanted).told == THERE.join_url
    assert after(TornDown(), TearDownConference(conference=THERE), unwanted).told is None
