"""What Zoom's notifications mean to us, read from the bodies that were recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.items import Doubted, Happened, Report
from workers.domain.reports import Deauthorized, HostGone
from workers.providers.zoom.reports import read_report

HEARD = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "zoom"


def report(body: str) -> Report:
    return Report(provider="zoom", body=body, heard_at=HEARD, trace="tr_1")


def sample(name: str) -> Report:
    path = SAMPLES / f"{name}.json"
    if not path.exists():
        pytest.skip("the vendor's samples are not here")
    return report(path.read_text())


def test_a_changed_meeting_is_to_be_looked_at_whether_its_id_is_a_number_or_a_string() -> None:
    number = '{"event":"meeting.updated","payload":{"object":{"id":9223372036854775807}}}'
    string = '{"event":"meeting.deleted","payload":{"object":{"id":"94890226305"}}}'

    assert read_report(report(number)) == Doubted(conference="9223372036854775807", trace="tr_1")
    assert read_report(report(string)) == Doubted(conference="94890226305", trace="tr_1")


def test_somebody_joins() -> None:
    told = read_report(sample("meeting.participant_joined"))

    assert told == Happened(
        conference="1234567890",
        what="participant_joined",
        at=datetime(2021, 7, 13, 21, 44, 51, tzinfo=UTC),
        participant="55555AAAiAAAAAiAiAiiAii",
        name="Jill Chill",
        trace="tr_1",
    )


def test_a_meeting_ends_when_zoom_says() -> None:
    told = read_report(sample("meeting.ended"))

    assert isinstance(told, Happened)
    assert told.at == datetime(2021, 7, 13, 23, 0, 51, tzinfo=UTC)


def test_a_meeting_that_zoom_gives_no_time_for_started_when_we_heard() -> None:
    body = '{"event":"meeting.started","payload":{"object":{"id":"1","start_time":null}}}'

    told = read_report(report(body))

    assert isinstance(told, Happened)
    assert told.at == HEARD


def test_an_app_is_removed() -> None:
    told = read_report(sample("app_deauthorized"))

    assert told == Deauthorized(
        user="abcD3ojfdbjfg",
        client="ABCDEFGHIJKLMNOPQRST!V",
        at=datetime(2020, 6, 17, 13, 52, 28, 632000, tzinfo=UTC),
    )


def test_a_user_is_deactivated() -> None:
    told = read_report(sample("user.deactivated"))

    assert told == HostGone(user="abcD3ojfdbjfg", reason="the user was deactivated at Zoom")


@pytest.mark.parametrize(
    "body",
    [
        '{"event":"meeting.created","payload":{"object":{"id":1}}}',
        '{"event":"meeting.updated","payload":{"object":{}}}',
        '{"event":"recording.completed","payload":{}}',
        '{"event":17}',
        "[]",
        "not JSON",
    ],
)
def test_what_asks_for_nothing_is_nothing(body: str) -> None:
    assert read_report(report(body)) is None
