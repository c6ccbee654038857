"""What an endpoint hears of, how it stands, and that it still reads what was stored before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.callbacks import CallbackType
from schemas.deliveries import Undelivered, Wanted, Why
from schemas.endpoints import (
    RETRY_AFTER,
    About,
    Endpoint,
    EndpointSecret,
    Filters,
    Health,
    State,
    state_of,
)

NOW = datetime(2027, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
UPDATED, FAILED = CallbackType.MEETING_UPDATED, CallbackType.MEETING_FAILED
OURS = About(
    application="app",
    external_id="interview-1",
    calendars=frozenset({"cal_1"}),
    connections=frozenset({"con_1", "con_2"}),
    users=frozenset({"ada"}),
)


def endpoint(**facts: object) -> Endpoint:
    given = {"id": "end_1", "application": "app", "url": "https://p.example", "created_at": NOW}
    return Endpoint.model_validate({**given, "secrets": [{"sealed": "s"}], **facts})


def filtering(**filters: object) -> Endpoint:
    return endpoint(filters=filters)


def test_an_endpoint_hears_of_its_own_application_unless_it_may_hear_all() -> None:
    assert endpoint().hears(UPDATED, OURS)
    assert not endpoint().hears(UPDATED, About(application="another"))
    assert not endpoint().hears(UPDATED, About())
    assert endpoint(tenant_wide=True).hears(UPDATED, About())


def test_a_paused_endpoint_hears_too_for_it_holds_what_it_hears() -> None:
    assert endpoint(enabled=False).hears(UPDATED, OURS)


@pytest.mark.parametrize(
    ("filters", "hears"),
    [
        ({"types": [UPDATED]}, True),
        ({"types": [FAILED]}, False),
        ({"calendars": ["cal_0", "cal_1"]}, True),
        ({"calendars": ["cal_0"]}, False),
        ({"connections": ["con_2"]}, True),
        ({"connections": ["con_3"]}, False),
        ({"users": ["ada"]}, True),
        ({"users": ["bob"]}, False),
        ({"external_id_prefix": "interview-"}, True),
        ({"external_id_prefix": "lesson-"}, False),
        ({"calendars": ["cal_1"], "users": ["bob"]}, False),
        ({"calendars": ["cal_1"], "users": ["ada"], "types": [UPDATED]}, True),
    ],
)
def test_every_filter_that_is_set_must_fit(filters: dict[str, object], hears: bool) -> None:
    assert filtering(**filters).hears(UPDATED, OURS) is hears


def test_of_another_endpoint_it_hears_whatever_its_places_and_never_of_itself() -> None:
    placed = filtering(calendars=["cal_9"])
    another = About(application="app", endpoint="end_2")

    assert placed.hears(CallbackType.ENDPOINT_FAILING, another)
    assert not filtering(types=[UPDATED]).hears(CallbackType.ENDPOINT_FAILING, another)
    assert not placed.hears(
        CallbackType.ENDPOINT_FAILING, another.model_copy(update={"endpoint": "end_1"})
    )


def test_who_heard_of_a_meeting_hears_that_it_has_gone_from_there() -> None:
    gone = About(application="app").with_places(OURS)

    assert filtering(calendars=["cal_1"]).hears(CallbackType.MEETING_TORN_DOWN, gone)


def test_only_filters_by_place_ask_where_a_subject_stands() -> None:
    assert Filters(users=("ada",)).look_at_places
    assert not Filters(types=(UPDATED,), external_id_prefix="x").look_at_places


def test_what_the_first_release_stored_is_still_read() -> None:
    stored = {
        "id": "end_1",
        "application": "app",
        "url": "https://p.example",
        "secrets_sealed": ["new", "old"],
        "types": ["meeting.failed"],
        "created_at": NOW,
    }
    read = Endpoint.model_validate(stored)

    assert [secret.sealed for secret in read.secrets] == ["new", "old"]
    assert all(secret.signs(NOW) for secret in read.secrets)
    assert read.filters.types == (FAILED,)
    assert Endpoint.model_validate_json(read.model_dump_json()) == read


def test_a_secret_signs_until_its_overlap_is_over() -> None:
    secret = EndpointSecret(sealed="s", until=NOW)

    assert secret.signs(NOW - HOUR)
    assert not secret.signs(NOW)


def test_its_own_schedule_stands_for_the_common_one() -> None:
    assert endpoint().schedule == RETRY_AFTER
    assert endpoint(retry_s=[5, 60]).schedule == (timedelta(seconds=5), timedelta(minutes=1))
    assert endpoint().group == "endpoint:end_1"


@pytest.mark.parametrize(
    ("facts", "health", "state"),
    [
        ({}, None, "enabled"),
        ({}, {}, "enabled"),
        ({}, {"failing_since": NOW}, "failing"),
        ({"enabled": False}, {"disabled_at": NOW}, "paused"),
        ({"challenge": True}, None, "unproven"),
        ({"challenge": True}, {"proven_url": "https://old.example"}, "unproven"),
        ({"challenge": True}, {"proven_url": "https://p.example"}, "enabled"),
        ({}, {"disabled_at": NOW + HOUR}, "disabled"),
        ({"enabled_at": NOW + 2 * HOUR}, {"disabled_at": NOW + HOUR}, "enabled"),
    ],
)
def test_how_an_endpoint_stands(
    facts: dict[str, object], health: dict[str, object] | None, state: State
) -> None:
    known = Health.model_validate({"id": "end_1", **health}) if health is not None else None

    assert state_of(endpoint(**facts), known) == state


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), True),
        (Wanted(since=NOW, until=NOW + HOUR), True),
        (Wanted(since=NOW + HOUR), False),
        (Wanted(until=NOW), False),
        (Wanted(endpoint="end_1", type="meeting.failed", reason=Why.REFUSED), True),
        (Wanted(endpoint="end_2"), False),
        (Wanted(type="meeting.updated"), False),
        (Wanted(reason=Why.EXHAUSTED), False),
    ],
)
def test_which_undelivered_callbacks_are_wanted(wanted: Wanted, fits: bool) -> None:
    row = Undelivered(
        callback="cb_1",
        endpoint="end_1",
        type="meeting.failed",
        why=Why.REFUSED,
        reason="no",
        at=NOW,
    )

    assert wanted.fits(row) is fits


def test_an_undelivered_row_of_the_first_release_is_still_read() -> None:
    old = {"callback": "cb_1", "endpoint": "end_1", "meeting": "mtg_1", "reason": "no", "at": NOW}

    assert Undelivered.model_validate(old).why is Why.EXHAUSTED
