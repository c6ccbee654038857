"""GoTo as a conferencing provider, through the same path as every other, though it pushes nothing:
started, ended and moved there is found out by asking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, incorporated
from tests.e2e.household import tomorrow, until


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


def wish(corp: Corporation, hours: int = 0, **more: object) -> dict[str, Any]:
    starts = tomorrow(hours)
    times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    return {"title": "Interview", **times, "conferencing": {"connection": corp.admin}, **more}


async def provisioned(corp: Corporation) -> dict[str, Any]:
    """A partner's meeting with a conference at GoTo."""
    await corp.api.put("/v1/meetings/m1", wish(corp))
    told = await corp.partner.waits_for("meeting.provisioned", seconds=60)
    meeting: dict[str, Any] = told["data"]["meeting"]
    return meeting


async def test_a_meeting_has_one_conference_from_making_to_cancelling(corp: Corporation) -> None:
    meeting = await provisioned(corp)
    (there,) = await corp.goto.meetings(corp.ada)
    await corp.api.put("/v1/meetings/m1", wish(corp, hours=2))
    moved = await corp.partner.waits_for("meeting.rescheduled", seconds=60)
    (then,) = await corp.goto.meetings(corp.ada)
    await corp.api.delete("/v1/meetings/m1")
    await corp.partner.waits_for("meeting.torn_down", seconds=60)

    assert str(there["subject"]).startswith("Interview [tl-")
    assert meeting["join_url"] == f"https://meet.goto.com/{there['id']}"
    assert moved["data"]["meeting"]["conference"] == str(there["id"])
    assert (then["id"], then["starts"]) == (there["id"], tomorrow(2).isoformat())
    assert await corp.goto.meetings(corp.ada) == []


async def test_a_lost_answer_makes_no_second_conference(corp: Corporation) -> None:
    await corp.house.sandbox.fault("goto.create", "reset_after")

    meeting = await provisioned(corp)

    (there,) = await corp.goto.meetings(corp.ada)
    assert meeting["conference"] == str(there["id"])


async def test_what_is_gone_at_goto_already_is_torn_down(corp: Corporation) -> None:
    await provisioned(corp)
    (there,) = await corp.goto.meetings(corp.ada)
    await corp.goto.delete_meeting(int(str(there["id"])))

    await corp.api.delete("/v1/meetings/m1")

    await corp.partner.waits_for("meeting.torn_down", seconds=60)


async def test_starts_ends_and_who_was_there_are_found_out_by_asking(corp: Corporation) -> None:
    meeting = await provisioned(corp)
    number = int(meeting["conference"])

    await corp.goto.start_meeting(number)
    await corp.goto.join_meeting(number, "Cyd", email="cyd@example.org")
    await corp.looks_again()
    started = await corp.partner.waits_for("meeting.started", seconds=60)
    await corp.goto.end_meeting(number)
    await corp.looks_again()
    ended = await corp.partner.waits_for("meeting.ended", seconds=60)
    ready = await corp.partner.waits_for("attendance.ready", seconds=60)

    told = [one["data"]["meeting"]["id"] for one in (started, ended, ready)]
    assert told == [meeting["id"]] * 3
    rows = (await corp.api.get(corp.of(f"conferences/{number}/attendees")))["items"]
    assert [row["name"] for row in rows] == ["Cyd"]


async def test_who_was_in_a_meeting_is_known_longer_than_goto_knows_it(corp: Corporation) -> None:
    """Told to whoever may read the meeting, by the meeting's own id."""
    number = int((await provisioned(corp))["conference"])
    path = "/v1/meetings/m1/attendees"
    before = await corp.refused("GET", path)
    await corp.held(corp.ada, guest="Dan")
    await corp.goto.start_meeting(number)
    await corp.goto.join_meeting(number, "Cyd", email="cyd@example.org")
    await corp.goto.end_meeting(number)
    await corp.looks_again()
    await corp.partner.waits_for("attendance.ready", seconds=60)

    told = (await corp.api.get(path))["items"]
    await corp.goto.settings(history_days=0.0)
    forgotten = await corp.refused("GET", corp.of(f"conferences/{number}/attendees"))
    kept = (await corp.api.get(path))["items"]

    assert before[:2] == forgotten[:2] == (404, "not-found")
    assert [(row["name"], row["email"]) for row in told] == [("Cyd", "cyd@example.org")]
    assert kept == told


async def test_what_somebody_moved_or_deleted_there_is_put_back(corp: Corporation) -> None:
    """The meeting's source of truth is the application."""
    meeting = await provisioned(corp)
    number = int(meeting["conference"])
    await corp.goto.move_meeting(number, tomorrow(8), tomorrow(9))
    await corp.looks_again()

    async def is_back() -> bool:
        there = await corp.goto.meeting(number)
        return datetime.fromisoformat(str(there["starts"])) == tomorrow()

    await until(is_back, "the time")
    await corp.looks_again()
    await corp.goto.delete_meeting(number)
    await corp.looks_again()

    async def is_made_anew() -> bool:
        there = await corp.goto.meetings(corp.ada)
        return len(there) == 1 and there[0]["id"] != number

    await until(is_made_anew, "another conference")


async def test_a_webinar_that_is_planned_has_the_meetings_looked_at_at_once(
    corp: Corporation,
) -> None:
    meeting = await provisioned(corp)
    number = int(meeting["conference"])
    hook = await corp.takes_webhooks("a secret of GoToWebinar")
    await corp.goto.move_meeting(number, tomorrow(8), tomorrow(9))

    heard = await hook("webinar.changed", "a secret of GoToWebinar")
    forged = await hook("webinar.changed", "another secret")

    async def is_back() -> bool:
        there = await corp.goto.meeting(number)
        return datetime.fromisoformat(str(there["starts"])) == tomorrow()

    await until(is_back, "the time")
    assert (heard, forged) == (200, 404)


async def test_a_suspended_organizer_stops_provisioning_with_the_reason(corp: Corporation) -> None:
    await corp.goto.suspend(corp.ada)

    await corp.api.put("/v1/meetings/m1", wish(corp))

    told = await corp.partner.waits_for("meeting.failed", seconds=60)
    assert "suspended at GoTo" in told["data"]["reason"]


async def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(corp: Corporation) -> None:
    """And a 403 with InvalidToken is a token that ran out."""
    for _ in range(2):
        refreshes = await corp.house.sandbox.calls("goto.refresh")
        await corp.goto.expire_access(corp.ada)
        assert (await corp.api.get(corp.of("conferences")))["items"] == []
        assert await corp.house.sandbox.calls("goto.refresh") == refreshes + 1


async def test_a_password_changed_at_goto_asks_for_a_new_link(corp: Corporation) -> None:
    await corp.goto.revoke_grants(corp.ada)

    _, kind, _ = await corp.refused("GET", corp.of("conferences"))

    assert kind in {"not-linked", "unavailable"}
    await corp.partner.waits_for("connection.needs_reauth", seconds=60)
    state = await corp.api.get(f"/v1/connections/{corp.admin}")
    assert state["state"] == "needs_reauth"


async def test_a_link_serves_the_rules_that_name_it(corp: Corporation) -> None:
    await corp.api.put("/v1/policy", {"rules": [], "default": corp.member})

    await corp.api.put("/v1/meetings/m1", wish(corp, conferencing="default"))

    told = await corp.partner.waits_for("meeting.provisioned", seconds=60)
    (there,) = await corp.goto.meetings(corp.bob)
    assert told["data"]["meeting"]["conference"] == str(there["id"])
