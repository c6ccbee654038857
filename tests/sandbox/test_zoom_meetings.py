"""Meetings over Zoom's API: made, listed, changed, ended, deleted."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.sandbox.client import Sandbox

START = "2027-01-04T10:00:00Z"


async def made(zoom: httpx.AsyncClient, **body: object) -> dict[str, Any]:
    answer = await zoom.post("/users/me/meetings", json={"type": 2, "start_time": START} | body)
    assert answer.status_code == 201
    return answer.json()


async def listed(zoom: httpx.AsyncClient, **query: str | int) -> list[dict[str, Any]]:
    """Follow next_page_token to the end."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        query = query | {"next_page_token": token} if token else query
        page = (await zoom.get("/users/me/meetings", params=query)).json()
        found += page["meetings"]
        token = page["next_page_token"]
        if not token:
            return found


def code_of(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["code"]


async def test_a_meeting_is_made_and_read(zoom: httpx.AsyncClient, host: str) -> None:
    meeting = await made(zoom, topic="Café 🚒", duration=30, timezone="Europe/Berlin")

    read = (await zoom.get(f"/meetings/{meeting['id']}")).json()

    assert meeting["id"] > 10**9
    assert meeting["host_id"] == host
    assert re.search(r"/j/\d+\?pwd=.+", meeting["join_url"])
    assert read["topic"] == "Café 🚒"
    assert read["join_url"] == meeting["join_url"]
    assert read["start_url"] != meeting["start_url"]


async def test_two_equal_creates_make_two_meetings(zoom: httpx.AsyncClient) -> None:
    first, second = await made(zoom, topic="same"), await made(zoom, topic="same")

    assert first["id"] != second["id"]


async def test_a_new_passcode_makes_a_new_join_link(zoom: httpx.AsyncClient) -> None:
    meeting = await made(zoom)
    path = f"/meetings/{meeting['id']}"

    answer = await zoom.patch(path, json={"password": "other1"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await zoom.get(path)).json()["join_url"] != meeting["join_url"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"start_time": "2027-01-04T10:00:00Z"}, "2027-01-04T10:00:00Z"),
        (
            {"start_time": "2027-01-04T10:00:00", "timezone": "Europe/Berlin"},
            "2027-01-04T09:00:00Z",
        ),
        ({"start_time": "2027-01-04T10:00:00+01:00"}, "2027-01-04T10:00:00Z"),
    ],
)
async def test_starts_are_read_as_zoom_reads_them(
    zoom: httpx.AsyncClient, sent: dict[str, str], read: str
) -> None:
    assert (await made(zoom, **sent))["start_time"] == read


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "x" * 201},
        {"agenda": "x" * 2_001},
        {"password": "longer than ten"},
        {"type": 5},
        {"timezone": "Nowhere/Land"},
        {"type": 8},
    ],
)
async def test_wrong_fields_are_refused(zoom: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    answer = await zoom.post("/users/me/meetings", json={"start_time": START} | wrong)

    assert code_of(answer) == (400, 300)
    assert answer.json()["errors"][0]["field"] in {*wrong, "recurrence"}


async def test_a_list_cuts_the_agenda_and_leaves_instant_meetings_out(
    zoom: httpx.AsyncClient,
) -> None:
    await made(zoom, agenda="ref tl-1\n" + "x" * 400)
    await made(zoom, type=1)

    found = await listed(zoom, type="upcoming_meetings")

    assert len(found) == 1
    assert found[0]["agenda"].startswith("ref tl-1")
    assert len(found[0]["agenda"]) == 250


async def test_a_list_is_read_page_by_page(zoom: httpx.AsyncClient) -> None:
    ids = {(await made(zoom, topic=f"m{n}"))["id"] for n in range(5)}

    found = await listed(zoom, type="upcoming_meetings", page_size=2)

    assert len(found) == 5
    assert {meeting["id"] for meeting in found} == ids


async def test_a_page_token_lives_a_quarter_of_an_hour(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await made(zoom)
    await made(zoom)
    page = (await zoom.get("/users/me/meetings", params={"page_size": 1})).json()
    await sandbox.advance(timedelta(minutes=16))

    query = {"page_size": 1, "next_page_token": page["next_page_token"]}
    answer = await zoom.get("/users/me/meetings", params=query)

    assert code_of(answer) == (400, 300)


async def test_kinds_of_lists(zoom: httpx.AsyncClient, sandbox: Sandbox) -> None:
    now = await sandbox.now()
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    past = await made(zoom, start_time=(now - timedelta(hours=5)).strftime(stamp), duration=60)
    soon = await made(zoom, start_time=(now + timedelta(hours=1)).strftime(stamp))
    await sandbox.zoom.start_meeting(soon["id"])

    async def ids(kind: str) -> list[int]:
        return [meeting["id"] for meeting in await listed(zoom, type=kind)]

    assert await ids("previous_meetings") == [past["id"]]
    assert await ids("upcoming") == await ids("live") == [soon["id"]]
    assert await ids("scheduled") == [past["id"], soon["id"]]
    upcoming = (await zoom.get("/users/me/upcoming_meetings")).json()
    assert [meeting["id"] for meeting in upcoming["meetings"]] == [soon["id"]]
    assert upcoming["meetings"][0]["passcode"] == soon["password"]


async def test_a_deleted_meeting_is_gone_but_can_be_recovered(zoom: httpx.AsyncClient) -> None:
    path = f"/meetings/{(await made(zoom))['id']}"

    assert (await zoom.delete(path)).status_code == 204
    assert code_of(await zoom.get(path)) == (404, 3001)
    assert code_of(await zoom.patch(path, json={"topic": "x"})) == (404, 3001)
    assert code_of(await zoom.delete(path)) == (404, 3001)
    assert await listed(zoom) == []
    assert (await zoom.put(f"{path}/status", json={"action": "recover"})).status_code == 204
    assert (await zoom.get(path)).status_code == 200


async def test_a_meeting_in_progress_must_be_ended_first(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    meeting = await made(zoom)
    path = f"/meetings/{meeting['id']}"
    await sandbox.zoom.start_meeting(meeting["id"])

    assert code_of(await zoom.delete(path)) == (400, 3002)
    assert (await zoom.put(f"{path}/status", json={"action": "end"})).status_code == 204
    assert (await zoom.delete(path)).status_code == 204


async def test_a_recurring_meeting_has_occurrences_that_can_go_one_by_one(
    zoom: httpx.AsyncClient,
) -> None:
    rule = {"type": 2, "weekly_days": "2,4", "end_times": 3}
    meeting = await made(zoom, type=8, recurrence=rule, timezone="UTC")
    path = f"/meetings/{meeting['id']}"
    second = meeting["occurrences"][1]

    await zoom.delete(path, params={"occurrence_id": second["occurrence_id"]})

    read = (await zoom.get(path)).json()
    assert [one["start_time"][:10] for one in read["occurrences"]] == [
        "2027-01-04",
        "2027-01-06",
        "2027-01-11",
    ]
    assert second["occurrence_id"] == "1799229600000"
    assert [one["status"] for one in read["occurrences"]] == ["available", "deleted", "available"]


async def test_past_meetings_tell_who_took_part(zoom: httpx.AsyncClient, sandbox: Sandbox) -> None:
    meeting = (await made(zoom))["id"]
    uuid = await sandbox.zoom.start_meeting(meeting)
    guest = await sandbox.zoom.join_meeting(meeting, "Bob", email="bob@example.org")
    await sandbox.zoom.leave_meeting(meeting, guest)
    await sandbox.zoom.end_meeting(meeting)
    await zoom.delete(f"/meetings/{meeting}")

    people = (await zoom.get(f"/past_meetings/{meeting}/participants")).json()
    past = (await zoom.get(f"/past_meetings/{meeting}")).json()
    held = (await zoom.get(f"/past_meetings/{meeting}/instances")).json()

    assert [person["user_email"] for person in people["participants"]] == ["bob@example.org"]
    assert past["uuid"] == held["meetings"][0]["uuid"] == uuid


async def test_other_hosts_need_a_scope_for_the_account(
    zoom: httpx.AsyncClient, sandbox: Sandbox, host: str
) -> None:
    account = (await sandbox.zoom.accounts())[0]["account_id"]
    bob = await sandbox.zoom.add_account("bob@example.org", account_id=str(account))

    assert code_of(await zoom.get(f"/users/{bob}/meetings")) == (400, 4711)
    await sandbox.zoom.set_scopes(host, "meeting:read:list_meetings:admin user:read:user:admin")
    assert (await zoom.get("/users/bob@example.org/meetings")).status_code == 200
    assert code_of(await zoom.get("/users/nobody@example.org/meetings")) == (404, 1001)


async def test_a_missing_delete_scope_is_named(
    zoom: httpx.AsyncClient, sandbox: Sandbox, host: str
) -> None:
    meeting = await made(zoom)
    await sandbox.zoom.set_scopes(host, "meeting:write:meeting meeting:read:meeting")

    answer = await zoom.delete(f"/meetings/{meeting['id']}")

    assert answer.json() == {
        "code": 4711,
        "message": "Invalid access token, does not contain scopes:"
        "[meeting:delete:meeting:admin, meeting:delete:meeting].",
    }


async def test_a_free_account_says_so(sandbox: Sandbox) -> None:
    free = await sandbox.zoom.add_account("free@example.org", plan="free")
    tokens = await sandbox.zoom.sign_in(free)

    async with httpx.AsyncClient(trust_env=False) as client:
        me = await client.get(
            f"{sandbox.url}/zoom/v2/users/me",
            headers={"Authorization": f"Bearer {tokens.access}"},
        )

    assert me.json()["type"] == 1
