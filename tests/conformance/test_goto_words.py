"""How GoTo spells one thing in many ways, read without loss (conferencing facts §2.3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from schemas.wire.goto import (
    Attendee,
    Created,
    Group,
    Me,
    Meeting,
    Organizer,
    Start,
    read_all,
    read_error,
    read_one,
)

KEY = "8514119291996280644"


@pytest.mark.parametrize(
    "body", ['[{"meetingId":1,"subject":"a"}]', '{"meetingId":1,"subject":"a"}']
)
def test_one_thing_comes_in_an_array_or_not(body: str) -> None:
    assert read_one(Meeting, body.encode()).subject == "a"
    assert [one.subject for one in read_all(Meeting, body.encode())] == ["a"]


@pytest.mark.parametrize("body", [b"[]", b"[{},{}]", b"not json", b'"text"'])
def test_what_is_not_one_thing_is_not_read_as_one(body: bytes) -> None:
    with pytest.raises((ValidationError, ValueError)):
        read_one(Meeting, body)


def test_an_empty_answer_is_an_empty_list() -> None:
    assert read_all(Organizer, b"") == []


@pytest.mark.parametrize(
    "spelt", ["meetingid", "meetingId", "meetingKey", "newMeetingId", "uniqueMeetingId"]
)
@pytest.mark.parametrize("value", ["399489813", '"399489813"'])
def test_an_id_is_text_however_it_is_spelt(spelt: str, value: str) -> None:
    assert read_one(Meeting, f'{{"{spelt}":{value}}}'.encode()).id == "399489813"


@pytest.mark.parametrize("spelt", ["organizerKey", "organizerkey", "newOrganizerKey"])
@pytest.mark.parametrize("value", [KEY, f'"{KEY}"', "8.514119291996280644e+18"])
def test_a_key_of_nineteen_digits_stays_whole(spelt: str, value: str) -> None:
    assert read_one(Meeting, f'{{"meetingId":1,"{spelt}":{value}}}'.encode()).organizer == KEY


def test_a_key_that_lost_digits_on_its_way_is_no_key() -> None:
    """Better none than another person's."""
    assert read_one(Attendee, b'{"organizerkey":8.514119e+18}').organizer == ""


def test_a_key_beats_its_broken_twin() -> None:
    body = json.dumps({"organizerKey": KEY, "organizerkey": 8.514119e18}).encode()

    assert read_one(Attendee, body).organizer == KEY


@pytest.mark.parametrize(
    ("said", "meant"),
    [('"false"', False), ('"true"', True), ('""', False), ("true", True), ("false", False)],
)
def test_a_flag_may_be_text(said: str, meant: bool) -> None:
    read = read_one(Meeting, f'{{"meetingId":1,"passwordRequired":{said}}}'.encode())

    assert read.password_required is meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2022-08-02T22:00:00+0000", datetime(2022, 8, 2, 22, tzinfo=UTC)),
        ("2022-08-02T22:00:00Z", datetime(2022, 8, 2, 22, tzinfo=UTC)),
        ("2022-08-02T22:00:00.000+02:00", datetime(2022, 8, 2, 20, tzinfo=UTC)),
        ("2022-08-07T19:32:19", datetime(2022, 8, 7, 19, 32, 19, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_time_has_an_offset_or_z_or_no_zone_or_is_empty(
    said: str, meant: datetime | None
) -> None:
    body = json.dumps({"meetingId": 1, "startTime": said, "joinTime": said}).encode()

    assert read_one(Meeting, body).starts_at == meant
    assert read_one(Attendee, body).joined_at == meant


@pytest.mark.parametrize(
    ("said", "meant"), [('"60"', 60), ("60", 60), ('""', None), ("null", None)]
)
def test_a_count_may_be_text(said: str, meant: int | None) -> None:
    body = f'{{"meetingId":1,"duration":{said},"numAttendees":{said}}}'.encode()

    read = read_one(Meeting, body)

    assert (read.minutes, read.attendees) == (meant, meant)


def test_a_create_is_read_as_the_connector_of_2023_saw_it() -> None:
    said = {
        "conferenceCallInfo": "US: +1 (224) 501-3412 Access Code: 399-489-813",
        "meetingid": 399489813,
        "joinURL": "https://meet.goto.com/399489813",
        "uniqueMeetingId": 399489813,
        "maxParticipants": 26,
    }

    made = read_one(Created, json.dumps([said]).encode())

    assert (made.id, made.unique_id, made.max_participants) == ("399489813", "399489813", 26)
    assert made.join_url == "https://meet.goto.com/399489813"


def test_a_start_link_is_not_printed() -> None:
    start = read_one(Start, b'{"hostURL":"https://meet.goto.com/1?authorizationCode=eyJ"}')

    assert "authorizationCode" not in repr(start)


def test_somebody_invited_has_no_key_yet() -> None:
    assert read_one(Organizer, b'[{"email":"a@example.org","status":"active"}]').key == ""


def test_an_account_is_named_beside_or_in_a_list() -> None:
    assert read_one(Me, f'{{"key":{KEY},"accountKey":"6"}}'.encode()).account_key == "6"
    assert read_one(Me, b'{"key":1,"accounts":[{"key":7},{"key":8}]}').account_key == "7"
    assert read_one(Me, b'{"key":1}').account_key == ""


def test_a_group_has_a_key_in_small_letters() -> None:
    assert read_one(Group, f'{{"groupkey":{KEY},"numOrganizers":2}}'.encode()).key == KEY


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"int_err_code": "InvalidToken", "msg": "m"}, "InvalidToken", "m"),
        ({"errorCode": "NOT_FOUND", "message": "m"}, "NOT_FOUND", "m"),
        ({"message": "m"}, "", "m"),
        ({"errorCode": "c", "description": "m", "incident": "i"}, "c", "m"),
    ],
)
def test_a_refusal_has_one_of_four_shapes(body: dict[str, str], code: str, message: str) -> None:
    said = read_error(json.dumps(body).encode())

    assert said is not None
    assert (said.code, said.message) == (code, message)


def test_a_page_of_something_else_is_no_refusal_of_gotos() -> None:
    assert read_error(b"<html/>") is None
    assert read_error(b"[1]") is None
