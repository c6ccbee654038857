"""What was held at GoTo and who was there: any span, what GoTo has forgotten from our harvest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from infra.cli.moving_in import consent
from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, incorporated
from tests.e2e.household import until


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


def span(days: int = 2) -> dict[str, str]:
    """From so many days ago until tomorrow."""
    now = datetime.now(UTC)
    return {"since": _z(now - timedelta(days=days)), "until": _z(now + timedelta(days=1))}


def _z(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def test_what_was_held_is_listed_and_what_runs_is_named_apart(corp: Corporation) -> None:
    over = await corp.held(corp.ada)
    runs = await corp.goto.add_meeting(corp.ada, "Running")
    await corp.goto.start_meeting(runs)

    held = await corp.api.get(corp.of("history"), **span())

    (row,) = held["items"]
    assert (row["id"], row["title"], row["attendees"]) == (str(over), "Review", 1)
    assert row["instance"] == str(over)
    assert row["session"]
    assert row["starts_at"]
    assert held["running"] == [str(runs)]
    await corp.goto.end_meeting(runs)
    later = await corp.api.get(corp.of("history"), **span())
    assert {row["id"] for row in later["items"]} == {str(over), str(runs)}
    assert later["running"] == []


@pytest.mark.parametrize("query", [{}, {"since": "2026-01-01T00:00:00Z"}])
async def test_history_needs_both_ends(corp: Corporation, query: dict[str, str]) -> None:
    status, kind, words = await corp.refused("GET", corp.of("history"), **query)

    assert (status, kind) == (422, "invalid-request")
    assert "until" in words


async def test_an_end_before_its_beginning_is_refused(corp: Corporation) -> None:
    backwards = {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}

    assert (await corp.refused("GET", corp.of("history"), **backwards))[1] == "invalid-request"


async def test_a_long_span_is_asked_for_in_parts_that_goto_takes(corp: Corporation) -> None:
    await corp.held(corp.ada)
    await corp.house.sandbox.forget_calls()

    held = await corp.api.get(corp.of("history"), **span(days=395))

    asked = [
        one["query"]
        for one in await corp.house.sandbox.latest_calls()
        if one["operation"] == "goto.history"
    ]
    assert len(asked) == 7
    assert len(held["items"]) == 1
    complete = datetime.fromisoformat(held["complete_from"])
    assert timedelta(days=59) < datetime.now(UTC) - complete < timedelta(days=61)


async def test_more_than_can_be_asked_for_is_refused(corp: Corporation) -> None:
    status, kind, words = await corp.refused("GET", corp.of("history"), **span(days=2000))

    assert (status, kind) == (422, "invalid-request")
    assert "1500 days" in words


async def test_what_goto_has_forgotten_comes_from_our_harvest(corp: Corporation) -> None:
    number = await corp.held(corp.ada)
    await corp.looks_again()
    asked = corp.house.sandbox.calls

    async def harvested() -> bool:
        return await asked("goto.attendees", str(number)) > 0

    await until(harvested, "the harvest")
    await corp.goto.settings(history_days=0.0)

    held = await corp.api.get(corp.of("history"), **span(days=30))
    present = await corp.api.get(corp.of("attendees"), **span(days=30))

    assert [row["id"] for row in held["items"]] == [str(number)]
    assert [row["name"] for row in present["items"]] == ["Cyd"]


@pytest.mark.parametrize("whose", ["organizer", "group"])
async def test_administrators_see_what_others_held(corp: Corporation, whose: str) -> None:
    number = await corp.held(corp.bob)
    key = corp.bob if whose == "organizer" else corp.group

    held = await corp.api.get(corp.of("history"), **span(), **{whose: key})
    present = await corp.api.get(corp.of("attendees"), **span(), **{whose: key})

    assert [row["id"] for row in held["items"]] == [str(number)]
    assert [row["conference"] for row in present["items"]] == [str(number)]


async def test_an_organizer_and_a_group_are_not_asked_for_at_once(corp: Corporation) -> None:
    both = {"organizer": corp.bob, "group": corp.group}

    assert (await corp.refused("GET", corp.of("history"), **span(), **both))[0] == 422


async def test_who_was_there_is_told_in_full(corp: Corporation) -> None:
    number = await corp.held(corp.ada)

    (row,) = (await corp.api.get(corp.of(f"conferences/{number}/attendees")))["items"]

    assert (row["name"], row["email"]) == ("Cyd", "cyd@example.org")
    assert (row["conference"], row["instance"]) == (str(number), str(number))
    assert (row["title"], row["attendees"], row["group"]) == ("Review", 1, "Sales")
    assert row["organizer_email"] == corp.ada_at
    assert datetime.fromisoformat(row["joined_at"]).tzinfo is not None
    assert row["left_at"]
    assert row["minutes"] == 0


async def test_attendance_of_what_never_started_is_not_found(corp: Corporation) -> None:
    number = await corp.goto.add_meeting(corp.ada, "Never")

    status, kind, _ = await corp.refused("GET", corp.of(f"conferences/{number}/attendees"))

    assert (status, kind) == (404, "not-found")


async def test_without_the_scope_attendance_is_not_even_asked_for(corp: Corporation) -> None:
    number = await corp.held(corp.bob)
    await corp.house.sandbox.forget_calls()

    path = corp.of(f"conferences/{number}/attendees", corp.member)
    status, kind, words = await corp.refused("GET", path)

    assert (status, kind) == (409, "missing-scope")
    assert "identity:" in words
    assert "more_scopes" in words
    assert await corp.house.sandbox.calls("goto.attendees", str(number)) == 0
    member = await corp.api.get(f"/v1/connections/{corp.member}")
    assert member["state"] == "linked"


async def test_others_attendance_is_for_administrators(corp: Corporation) -> None:
    number = await corp.held(corp.ada)
    await corp.goto.consent(account=corp.bob_at)
    wider = ["identity:"]
    linked = await consent(
        corp.api, corp.client, back=corp.partner.url, connection=corp.member, more_scopes=wider
    )

    path = corp.of(f"conferences/{number}/attendees", linked)
    status, kind, words = await corp.refused("GET", path)

    assert linked == corp.member
    assert (status, kind) == (403, "admin-only")
    assert "only to its organizer" in words
