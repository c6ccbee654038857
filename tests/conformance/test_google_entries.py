"""What an entry of a Google calendar means to us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.events import Event, Gone, Mark, Occurrence
from schemas.wire.google import Entry
from workers.domain.joining import stands, with_link, without_link
from workers.providers.google.entries import change, event

LINK = "https://us05web.zoom.us/j/86123456789?pwd=a"
OURS = {"extendedProperties": {"private": {"tl_meeting": "mtg_1", "tl_link": LINK}}}


def entry(**fields: Any) -> Entry:  # noqa: ANN401 - Google's JSON
    given = {
        "id": "e1",
        "etag": '"1"',
        "iCalUID": "e1@google.com",
        "summary": "Interview",
        "start": {"dateTime": "2026-11-19T10:00:00+01:00", "timeZone": "Europe/Madrid"},
        "end": {"dateTime": "2026-11-19T11:00:00+01:00", "timeZone": "Europe/Madrid"},
        **fields,
    }
    return Entry.model_validate(given)


def test_an_event_is_read_with_its_zone_and_its_series() -> None:
    read = change(entry(recurrence=["RRULE:FREQ=DAILY"]), "Europe/Berlin")

    assert isinstance(read, Event)
    assert (read.id, read.etag, read.ical_uid) == ("e1", '"1"', "e1@google.com")
    assert read.slot.title == "Interview"
    assert read.slot.starts_at == datetime(2026, 11, 19, 9, tzinfo=UTC)
    assert read.slot.ends_at == datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert read.slot.timezone == "Europe/Madrid"
    assert read.slot.recurrence == ("RRULE:FREQ=DAILY",)
    claims = (read.all_day, read.cancelled, read.declined, read.organizer)
    assert not any(claims)


def test_an_event_without_a_zone_has_its_calendars() -> None:
    times = {"start": {"dateTime": "2026-11-19T10:00:00Z"}}

    assert event(entry(**times), "Europe/Berlin").slot.timezone == "Europe/Berlin"


def test_a_whole_day_is_a_day() -> None:
    read = event(entry(start={"date": "2026-11-19"}, end={"date": "2026-11-20"}), "UTC")

    assert read.all_day
    assert read.slot.starts_at == datetime(2026, 11, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        ({"organizer": {"self": True}}, "organizer"),
        ({"attendees": [{"self": True, "responseStatus": "declined"}]}, "declined"),
        ({"status": "cancelled"}, "cancelled"),
        ({"hangoutLink": "https://meet.google.com/abc"}, "foreign_link"),
        ({"conferenceData": {"entryPoints": [{"uri": "tel:+1"}]}}, "foreign_link"),
        ({"location": "https://teams.microsoft.com/l/meetup-join/1"}, "foreign_link"),
        ({"description": "join https://acme.zoom.us/j/1"}, "foreign_link"),
    ],
)
def test_what_an_event_claims(fields: dict[str, object], claim: str) -> None:
    claims = ("organizer", "declined", "cancelled", "foreign_link")

    assert [one for one in claims if getattr(event(entry(**fields), "UTC"), one)] == [claim]


@pytest.mark.parametrize(
    "fields",
    [
        {"attendees": [{"responseStatus": "declined"}, {"self": True}]},
        {"conferenceData": {"createRequest": {"status": {"statusCode": "failure"}}}},
        {"organizer": {"email": "ada@example.org"}},
    ],
)
def test_what_an_event_does_not_claim(fields: dict[str, object]) -> None:
    assert event(entry(**fields), "UTC") == event(entry(), "UTC")


texts = st.text(max_size=40)


@given(texts, texts)
def test_our_own_echo_reads_as_the_event_did(location: str, description: str) -> None:
    assume(without_link(location, description, LINK) == (location, description))
    assume(not stands(location, description, LINK))
    place, text = with_link(location, description, LINK)

    before = event(entry(location=location, description=description), "UTC")
    echo = event(entry(location=place, description=text, **OURS), "UTC")

    assert before.mark is None
    assert echo.mark == Mark(meeting="mtg_1", join_url=LINK)
    assert echo.model_copy(update={"mark": None}) == before


def test_a_mark_whose_link_was_taken_out_of_the_text_is_none() -> None:
    assert event(entry(location="zoom", **OURS), "UTC").mark is None
    assert event(entry(description=f"see {LINK}", **OURS), "UTC").mark is not None


def test_our_link_is_not_foreign_wherever_people_move_it() -> None:
    moved = event(entry(location=f"Room 5, {LINK}", description=f"<a>{LINK}</a>", **OURS), "UTC")

    assert (moved.location, moved.foreign_link) == ("Room 5, ", False)


def test_what_is_gone_is_known_by_its_id_alone() -> None:
    bare = Entry.model_validate({"id": "e1", "status": "cancelled"})

    assert change(bare, "UTC") == Gone(event="e1")


def test_exceptions_of_a_series_are_its_occurrences() -> None:
    at = {"dateTime": "2026-11-26T10:00:00+01:00"}
    series = {"recurringEventId": "e1", "originalStartTime": at}
    bare = Entry.model_validate({"id": "e1_x", "status": "cancelled", **series})

    called_off = change(bare, "UTC")
    moved = change(entry(id="e1_x", **series), "UTC")
    renamed = change(entry(id="e1_x", summary="Other", start=at, **series), "UTC")

    original = "2026-11-26T09:00:00+00:00"
    assert called_off == Occurrence(event="e1", original_start=original, what="cancelled")
    assert isinstance(moved, Occurrence)
    assert (moved.original_start, moved.what) == (original, "moved")
    assert moved.starts_at is not None
    assert moved.starts_at.isoformat() != original
    assert renamed == Occurrence(event="e1", original_start=original, what="usual")


def test_an_occurrence_of_whole_days_is_named_by_its_day() -> None:
    series = {"recurringEventId": "e1", "originalStartTime": {"date": "2026-11-26"}}
    cancelled = Entry.model_validate({"id": "x", "status": "cancelled", **series})
    bare = Entry.model_validate({"id": "x", "status": "cancelled", "recurringEventId": "e1"})

    assert change(cancelled, "UTC") == Occurrence(
        event="e1", original_start="2026-11-26", what="cancelled"
    )
    assert change(bare, "UTC") == Occurrence(event="e1", original_start="", what="cancelled")


def test_what_is_no_event_of_people_is_nothing() -> None:
    assert change(entry(eventType="workingLocation"), "UTC") is None
