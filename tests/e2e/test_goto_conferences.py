"""The conferences of a GoTo account by GoTo's own ids, over HTTP, against GoTo as the sandbox plays
it: every operation of the connector of 2023 and of the API page before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, draft, incorporated
from tests.e2e.household import tomorrow


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


async def test_a_conference_is_made_as_the_partner_says(corp: Corporation) -> None:
    wish = draft(kind="scheduled", call_info="Free", password_required=True)

    made = await corp.api.post(corp.of("conferences"), wish)

    there = await corp.goto.meeting(int(made["id"]))
    assert made["join_url"] == f"https://meet.goto.com/{made['id']}"
    assert made["unique_id"] == made["id"]
    assert made["max_participants"] == 26
    assert "Access Code" in made["call_info"]
    assert (there["subject"], there["call_info"]) == ("Meeting with Client", "Free")
    assert (there["password"], there["organizer"]) == (True, corp.ada)
    assert there["starts"] == tomorrow(3).isoformat()


async def test_a_password_is_the_providers_default_and_that_is_said(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft(password_required=True))
    plain = await corp.api.post(corp.of("conferences"), draft())

    assert "meetingPassword" in made["notes"][0]
    assert plain["notes"] == []


@pytest.mark.parametrize("call_info", ["PSTN", "Hybrid", "Private", "VoIP", "x" * 255])
async def test_call_info_is_a_word_of_gotos_or_own_text(corp: Corporation, call_info: str) -> None:
    made = await corp.api.post(corp.of("conferences"), draft(call_info=call_info))

    assert (await corp.goto.meeting(int(made["id"])))["call_info"] == call_info


async def test_call_info_that_is_too_long_is_not_sent(corp: Corporation) -> None:
    await corp.house.sandbox.forget_calls()

    wish = draft(call_info="x" * 256)
    status, kind, words = await corp.refused("POST", corp.of("conferences"), body=wish)

    assert (status, kind) == (422, "invalid-request")
    assert "call_info" in words
    assert await corp.house.sandbox.calls("goto.create") == 0


async def test_a_conference_is_read_with_its_co_organizers(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft(co_organizers=[corp.bob]))

    read = await corp.api.get(corp.of(f"conferences/{made['id']}"))

    assert read["title"] == "Meeting with Client"
    assert read["co_organizers"] == [corp.bob]
    assert (read["minutes"], read["created_at"], read["running"]) == (60, None, False)
    assert read["password_required"] is False
    assert read["join_url"].endswith(made["id"])
    assert datetime.fromisoformat(read["starts_at"]) == tomorrow(3)


async def test_an_unknown_conference_is_not_found(corp: Corporation) -> None:
    status, kind, _ = await corp.refused("GET", corp.of("conferences/123456789"))

    assert (status, kind) == (404, "not-found")


@pytest.mark.parametrize("kind", ["immediate", "scheduled", "recurring"])
async def test_every_kind_is_replaced_and_read_back(corp: Corporation, kind: str) -> None:
    made = await corp.api.post(corp.of("conferences"), draft(kind=kind))
    later = draft("Moved", kind=kind, starts_at=f"{tomorrow(5):%Y-%m-%dT%H:%M:%SZ}",
                  ends_at=f"{tomorrow(6):%Y-%m-%dT%H:%M:%SZ}")  # fmt: skip
    await corp.house.sandbox.forget_calls()

    read = await corp.api.put(corp.of(f"conferences/{made['id']}"), later)

    assert (read["title"], read["kind"]) == ("Moved", kind)
    assert (read["starts_at"] is None) == (kind == "recurring")
    calls = await corp.house.sandbox.all_calls()
    assert (calls["goto.update"], calls["goto.get"]) == (1, 1)


async def test_a_refusal_of_gotos_is_passed_on_in_its_words(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft())
    await corp.house.sandbox.fault(
        "goto.update", status=400, reason="Only recurring meetings can be updated."
    )

    path = corp.of(f"conferences/{made['id']}")
    _, kind, words = await corp.refused("PUT", path, body=draft("Moved"))

    assert kind == "provider-refused"
    assert "Only recurring meetings can be updated." in words


async def test_a_deletion_tells_what_goto_said(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft())

    removed = await corp.api.delete(corp.of(f"conferences/{made['id']}"))

    assert removed == {"message": "The conference was deleted.", "code": 204}
    assert (await corp.goto.meeting(int(made["id"])))["deleted"] is True
    status, _, _ = await corp.refused("DELETE", corp.of(f"conferences/{made['id']}"))
    assert status == 404


async def test_a_conference_in_session_is_not_deleted(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft())
    await corp.goto.start_meeting(int(made["id"]))

    status, kind, _ = await corp.refused("DELETE", corp.of(f"conferences/{made['id']}"))

    assert (status, kind) == (409, "in-session")


async def test_a_host_link_is_fresh_each_time_and_kept_nowhere(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft())

    path = corp.of(f"conferences/{made['id']}/start")
    one, two = (await corp.api.get(path))["url"], (await corp.api.get(path))["url"]

    code = one.partition("authorizationCode=")[2]
    assert code
    assert one != two
    assert code not in corp.house.log.read_text()


async def test_upcoming_is_everything_that_is_to_come_also_without_times(
    corp: Corporation,
) -> None:
    far = datetime.now(UTC) + timedelta(days=700)
    await corp.goto.add_meeting(
        corp.ada, "In two years", starts=far.isoformat(), ends=(far + timedelta(1)).isoformat()
    )
    await corp.goto.add_meeting(corp.ada, "A room")
    await corp.goto.add_meeting(corp.bob, "Of another")

    rows = (await corp.api.get(corp.of("conferences")))["items"]

    by_title = {row["title"]: row for row in rows}
    assert set(by_title) == {"In two years", "A room"}
    room = by_title["A room"]
    assert (room["starts_at"], room["kind"]) == (None, "recurring")
    assert (room["organizer"], room["account"]) == (corp.ada, corp.account)
    assert (room["email"], room["locale"], room["running"]) == (corp.ada_at, "en_US", False)
    assert room["first_name"]
    assert room["join_url"].startswith("https://meet.goto.com/")


async def test_upcoming_without_a_link_gets_the_one_that_follows_from_its_number(
    corp: Corporation,
) -> None:
    await corp.goto.settings(join_links_listed=False)
    number = await corp.goto.add_meeting(corp.ada, "A room")

    (row,) = (await corp.api.get(corp.of("conferences")))["items"]

    assert row["join_url"] == f"https://meet.goto.com/{number}"


@pytest.mark.parametrize("whose", ["organizer", "group"])
async def test_administrators_see_what_others_plan(corp: Corporation, whose: str) -> None:
    await corp.goto.add_meeting(corp.bob, "Bob's")
    key = corp.bob if whose == "organizer" else corp.group

    rows = (await corp.api.get(corp.of("conferences"), **{whose: key}))["items"]

    assert [row["title"] for row in rows] == ["Bob's"]
    assert [row["organizer"] for row in rows] == [corp.bob]


async def test_members_see_their_own_and_are_told_why_not_more(corp: Corporation) -> None:
    await corp.goto.add_meeting(corp.bob, "Bob's")
    own = (await corp.api.get(corp.of("conferences", corp.member), organizer=corp.bob))["items"]
    await corp.house.sandbox.forget_calls()

    path = corp.of("conferences", corp.member)
    status, kind, words = await corp.refused("GET", path, organizer=corp.ada)

    assert [row["title"] for row in own] == ["Bob's"]
    assert (status, kind) == (403, "admin-only")
    assert "corporate GoTo account and its administrator role" in words
    assert await corp.house.sandbox.calls("goto.list") == 1  # not tried again


async def test_a_co_organizer_may_be_named_by_address(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft(co_organizers=[corp.bob_at]))

    assert (await corp.goto.meeting(int(made["id"])))["coorganizers"] == [corp.bob]


async def test_who_has_not_accepted_yet_is_no_co_organizer(corp: Corporation) -> None:
    await corp.goto.add_organizer("eve@example.org", account=corp.account, accepted=False)

    wish = draft(co_organizers=["eve@example.org"])
    status, kind, words = await corp.refused("POST", corp.of("conferences"), body=wish)
    unknown = draft(co_organizers=["nobody@example.org"])
    _, other, _ = await corp.refused("POST", corp.of("conferences"), body=unknown)

    assert (status, kind, other) == (409, "organizer-pending", "not-found")
    assert "has not accepted" in words
    assert await corp.goto.meetings(corp.ada) == []


async def test_a_create_without_an_answer_is_not_sent_again(corp: Corporation) -> None:
    await corp.house.sandbox.forget_calls()
    await corp.house.sandbox.fault("goto.create", "reset_after")

    status, kind, words = await corp.refused("POST", corp.of("conferences"), body=draft())

    assert (status, kind) == (409, "outcome-unknown")
    assert "may have been done" in words
    assert await corp.house.sandbox.calls("goto.create") == 1
    assert len(await corp.goto.meetings(corp.ada)) == 1


async def test_nothing_is_asked_of_what_has_no_such_conferences(corp: Corporation) -> None:
    room = {"provider": "static", "room_url": "https://rooms.example/ada"}
    static = (await corp.api.post("/v1/connections", room))["id"]

    status, kind, words = await corp.refused("GET", corp.of("conferences", static))

    assert (status, kind) == (501, "not-offered")
    assert "Static room" in words


async def test_a_co_organizer_starts_it_on_the_organizers_behalf(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft(co_organizers=[corp.bob]))

    path = corp.of(f"conferences/{made['id']}/start", corp.member)

    assert "authorizationCode=" in (await corp.api.get(path))["url"]
