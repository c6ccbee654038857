"""Where a meeting stands, and what its records mean."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas import problems
from schemas.callbacks import DATA, CallbackType
from schemas.commands import Command, Outcome
from schemas.connections import Account, Connection, LinkState
from schemas.events import Sighting
from schemas.items import Happened, Load, Sighted, read_load, write_load
from schemas.meetings import (
    Intent,
    Meeting,
    Status,
    Trouble,
    Try,
    Written,
    is_complete,
    is_settled,
    meeting_id,
    next_number,
    shown_slot,
    status_of,
)
from schemas.policy import Wish
from schemas.problems import STATUS, ProblemType, problem
from schemas.providers import FOREIGN_LINKS, GOOGLE, PROVIDERS, Role
from schemas.records import Moment
from tests.domain.samples import NOW, PARTNER, PAST, conference, copy, event, meeting, slot

ZOOM = "https://zoom.us/j/1"
HERE = Written(calendar="cal", event="ev", join_url=ZOOM)
INTENT = Intent(connection="con_zoom", reference="r", slot=slot(), number=1, started_at=NOW)
BUSY = Trouble(reason="busy", since=NOW)
OVER = {"wish": Wish(slot=PAST, connection="con_zoom"), "conference": conference(slot=PAST)}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.PENDING),
        ({"intent": INTENT}, Status.PROVISIONING),
        ({"conference": conference(), "authoritative": copy()}, Status.PROVISIONING),
        ({"conference": conference()}, Status.PROVISIONED),
        (
            {"conference": conference(), "authoritative": copy(), "written": (HERE,)},
            Status.PROVISIONED,
        ),
        ({"trouble": BUSY}, Status.FAILING),
        ({"conference": conference(), "trouble": BUSY}, Status.FAILING),
        ({**OVER, "trouble": BUSY}, Status.PROVISIONED),
        ({"trouble": BUSY.model_copy(update={"parked": True})}, Status.PARKED),
        ({"wish": None}, Status.CANCELLED),
        ({"wish": None, "conference": conference()}, Status.CANCELLING),
        ({"wish": None, "conference": conference(), "trouble": BUSY}, Status.CANCELLING),
        ({"wish": None, "intent": INTENT}, Status.CANCELLING),
        ({"wish": None, "written": (HERE,)}, Status.CANCELLING),
        ({"wish": None, "conference": conference(slot=PAST)}, Status.CANCELLED),
        ({"wish": None, "given_link": ZOOM, "given_slot": slot()}, Status.PROVISIONED),
    ],
)
def test_a_meetings_status_follows_from_what_is_wanted_and_what_exists(
    fields: dict[str, object], status: Status
) -> None:
    assert status_of(meeting(**fields), NOW) is status


@pytest.mark.parametrize(
    ("fields", "complete"),
    [
        ({"conference": conference()}, True),
        ({}, False),
        ({"conference": conference(), "doubted": True}, False),
        ({"conference": conference(connection="con_b")}, False),
        ({"conference": conference(slot=slot("Old"))}, False),
        ({"conference": conference(), "authoritative": copy()}, False),
        ({"conference": conference(), "authoritative": copy(), "written": (HERE,)}, True),
        (
            {
                "conference": conference(),
                "authoritative": copy(),
                "written": (HERE, HERE.model_copy(update={"calendar": "b"})),
            },
            False,
        ),
        ({"conference": conference(), "intent": INTENT}, False),
        ({"wish": None}, True),
        ({"wish": None, "written": (HERE,)}, False),
        ({"wish": None, "conference": conference()}, False),
        ({"wish": None, "given_link": ZOOM}, True),
        ({"wish": None, "given_link": ZOOM, "conference": conference()}, False),
    ],
)
def test_a_meeting_is_complete_when_nothing_is_left_to_do(
    fields: dict[str, object], complete: bool
) -> None:
    assert is_complete(meeting(**fields)) is complete


def test_people_see_the_given_link_then_the_conference_then_the_wish() -> None:
    later, given = slot("Later"), slot("Given")
    all_three = meeting(conference=conference(slot=later), given_link=ZOOM, given_slot=given)

    assert shown_slot(all_three) == given
    assert shown_slot(all_three.model_copy(update={"given_link": None})) == later
    assert shown_slot(meeting()) == slot()
    assert shown_slot(meeting(wish=None)) is None
    assert not is_settled(meeting())


def test_tries_are_numbered_from_one() -> None:
    assert next_number(meeting()) == 1
    assert next_number(meeting(tries=(Try(number=3, started_at=NOW),))) == 4


def test_the_id_of_a_meeting_is_derived_from_whose_it_is_and_what_it_is() -> None:
    ids = {
        meeting_id(tenant, origin, identity)
        for tenant in ("acme", "acm")
        for origin in ("calendar", "application")
        for identity in ("uid", "euid")
    }

    assert len(ids) == 8
    assert meeting_id("acme", "calendar", "uid") in ids


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_hour_that_utc_has_no_date_for_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValidationError, match="no calendar has this moment"):
        TypeAdapter(Moment).validate_python(datetime.fromisoformat(text))


def test_moments_are_kept_in_utc_and_never_without_a_zone() -> None:
    madrid = datetime(2026, 11, 19, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    shown = slot().model_copy(update={"ends_at": NOW})

    read = type(shown)(title="", starts_at=madrid, ends_at=madrid)

    assert read.starts_at.isoformat() == "2026-11-19T09:00:00+00:00"
    with pytest.raises(ValidationError):
        type(shown)(title="", starts_at=madrid.replace(tzinfo=None), ends_at=madrid)


@pytest.mark.parametrize(
    "other",
    [
        slot("Renamed"),
        slot(after=timedelta(minutes=1)),
        slot(timezone="Europe/Madrid"),
        slot(recurrence=("RRULE:FREQ=DAILY",)),
        slot().model_copy(update={"ends_at": slot().ends_at + timedelta(minutes=1)}),
    ],
)
def test_everything_that_a_conference_shows_is_in_the_fingerprint(other: object) -> None:
    assert getattr(other, "fingerprint", "") != slot().fingerprint
    assert slot().fingerprint == slot().fingerprint


def test_what_the_next_release_wrote_survives_our_write() -> None:
    newer = meeting().model_dump_json().replace('"v":1', '"v":2,"colour":"red"')

    read = Meeting.model_validate_json(newer)

    assert '"colour":"red"' in read.model_dump_json()
    assert "rev" not in read.model_dump()


def test_an_event_is_sighted_on_a_calendar_never_by_its_id_alone() -> None:
    assert Sighting.key("cal", "ev") == "cal/ev"
    assert event().slot == slot()


@pytest.mark.parametrize(
    "load",
    [
        Sighted(calendar="cal", event="ev", hints=3),
        Happened(conference="1", what="started", at=NOW),
    ],
)
def test_an_item_is_read_as_it_was_written(load: Load) -> None:
    assert read_load(write_load(load)) == load


def test_an_item_that_nobody_ever_wrote_is_an_error() -> None:
    with pytest.raises(ValidationError):
        read_load(b'{"is":"unheard of"}')


def test_only_a_linked_connection_is_usable() -> None:
    linked = Connection(
        id="con_1",
        provider="zoom",
        role=Role.CONFERENCING,
        account=Account(id="u"),
        linked_at=NOW,
        linked_by=PARTNER,
    )

    assert linked.usable
    assert not linked.model_copy(update={"state": LinkState.REVOKED}).usable


def test_every_callback_and_every_problem_has_its_row() -> None:
    assert set(DATA) == set(CallbackType)
    assert set(STATUS) == set(ProblemType)
    assert Command is not Outcome


def test_a_problem_says_what_happened_and_has_a_stable_type() -> None:
    said = problem(ProblemType.NOT_LINKED, "Link it again.", trace_id="tr_1")

    assert said.type.endswith("/not-linked")
    assert (said.title, said.status, said.trace_id) == ("Not linked", 409, "tr_1")
    assert problems.problem(ProblemType.BUSY, "").status == 503


def test_a_provider_can_be_played_elsewhere() -> None:
    there = GOOGLE.at("http://127.0.0.1:9000/google/")

    assert there.urls.api == "http://127.0.0.1:9000/google/calendar/v3"
    assert there.urls.token == "http://127.0.0.1:9000/google/oauth/token"
    assert GOOGLE.at(None) is GOOGLE
    assert all(name == row.name for name, row in PROVIDERS.items())
    assert all(word == word.casefold() for word in FOREIGN_LINKS)
