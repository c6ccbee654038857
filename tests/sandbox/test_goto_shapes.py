"""Are GoTo's answers what its published description says? The description is the judge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from infra.sandbox.client import Sandbox

SPEC = Path(__file__).parents[2].parent / "shared/specs/goto/gotomeeting-1.0.0.oas3.json"
BODY = {
    "subject": "Standup",
    "starttime": "2027-01-04T10:00:00Z",
    "endtime": "2027-01-04T11:00:00Z",
    "passwordrequired": False,
    "conferencecallinfo": "Hybrid",
    "timezonekey": "",
    "meetingtype": "scheduled",
}
SPAN = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2037-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    if not SPEC.exists():
        pytest.skip("the vendor's description is not here")
    return json.loads(SPEC.read_text())


def violations(spec: dict[str, Any], schema: dict[str, Any], document: object) -> list[str]:
    whole = {**schema, "components": spec["components"]}
    return [f"{list(e.path)}: {e.message}" for e in OAS30Validator(whole).iter_errors(document)]


def answered(spec: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    response = spec["paths"][path][method]["responses"][str(status)]
    return response["content"]["application/json"]["schema"]


@dataclass
class Corporate:
    """A corporate account with an administrator in a group, and their API."""

    sandbox: Sandbox
    admin: str
    group: str
    account: str
    http: httpx.AsyncClient

    async def held(self) -> int:
        """A meeting that was held, with somebody in it."""
        made = await self.http.post("/meetings", json=BODY)
        number = int(made.json()[0]["meetingid"])
        await self.sandbox.goto.start_meeting(number)
        await self.sandbox.goto.join_meeting(number, "Bob", email="bob@example.org")
        await self.sandbox.goto.end_meeting(number)
        return number


@asynccontextmanager
async def signed_in(sandbox: Sandbox, organizer: str) -> AsyncIterator[httpx.AsyncClient]:
    tokens = await sandbox.goto.sign_in(organizer)
    headers = {"Authorization": f"Bearer {tokens.access}"}
    url = f"{sandbox.url}/goto/G2M/rest"
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        yield http


@pytest.fixture
async def corporate(sandbox: Sandbox) -> AsyncIterator[Corporate]:
    account = await sandbox.goto.add_account()
    group = await sandbox.goto.add_group(account, "Sales")
    admin = await sandbox.goto.add_organizer(
        "ada@example.org", account=account, group=group, admin=True
    )
    async with signed_in(sandbox, admin) as http:
        yield Corporate(sandbox, admin, group, account, http)


async def test_a_created_meeting(spec: dict[str, Any], corporate: Corporate) -> None:
    asked = {"$ref": "#/components/schemas/MeetingReqCreate"}

    answer = await corporate.http.post("/meetings", json=BODY)

    assert answer.status_code == 201
    assert violations(spec, asked, BODY) == []
    assert violations(spec, answered(spec, "post", "/meetings", 201), answer.json()) == []


@pytest.mark.parametrize("kind", ["scheduled", "recurring", "immediate"])
async def test_a_meeting(spec: dict[str, Any], corporate: Corporate, kind: str) -> None:
    made = await corporate.http.post("/meetings", json=BODY | {"meetingtype": kind})
    path = f"/meetings/{made.json()[0]['meetingid']}"

    read, replaced = (
        await corporate.http.get(path),
        await corporate.http.put(path, json=BODY),
    )

    schema = answered(spec, "get", "/meetings/{meetingId}", 200)
    assert violations(spec, schema, read.json()) == []
    assert (replaced.status_code, replaced.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/upcomingMeetings", {}),
        ("/organizers/{organizerKey}/upcomingMeetings", {}),
        ("/groups/{groupKey}/upcomingMeetings", {}),
        ("/historicalMeetings", SPAN),
        ("/organizers/{organizerKey}/historicalMeetings", SPAN),
        ("/groups/{groupKey}/historicalMeetings", SPAN),
        ("/meetings/{meetingId}/attendees", {}),
        ("/organizers/{organizerKey}/attendees", SPAN),
        ("/groups/{groupKey}/attendees", SPAN),
        ("/groups", {}),
        ("/groups/{groupKey}/organizers", {}),
        ("/organizers", {}),
        ("/organizers", {"email": "ada@example.org"}),
        ("/organizers/{organizerKey}", {}),
        ("/meetings/{meetingId}/start", {}),
    ],
)
async def test_what_is_read(
    spec: dict[str, Any], corporate: Corporate, path: str, query: dict[str, str]
) -> None:
    number = await corporate.held()
    where = path.format(organizerKey=corporate.admin, groupKey=corporate.group, meetingId=number)

    answer = await corporate.http.get(where, params=query)

    assert answer.status_code == 200
    assert answer.json()
    assert violations(spec, answered(spec, "get", path, 200), answer.json()) == []


@pytest.mark.parametrize("path", ["/organizers", "/groups/{groupKey}/organizers"])
async def test_an_invited_organizer(spec: dict[str, Any], corporate: Corporate, path: str) -> None:
    body = {
        "organizerEmail": "bob@example.org",
        "firstName": "Bob",
        "lastName": "Raju",
        "productType": "G2W",
    }

    answer = await corporate.http.post(path.format(groupKey=corporate.group), json=body)

    assert answer.status_code == 201
    asked = {"$ref": "#/components/schemas/OrganizerReq"}
    assert violations(spec, asked, body) == []
    assert violations(spec, answered(spec, "post", path, 201), answer.json()) == []


async def test_somebody_invited_has_no_key_until_they_accept(corporate: Corporate) -> None:
    await corporate.sandbox.goto.add_organizer(
        "bob@example.org", account=corporate.account, accepted=False
    )
    query = {"email": "bob@example.org"}

    before = (await corporate.http.get("/organizers", params=query)).json()[0]
    key = await corporate.sandbox.goto.accept("bob@example.org")
    after = (await corporate.http.get("/organizers", params=query)).json()[0]

    assert "organizerKey" not in before
    assert str(after["organizerKey"]) == key


@pytest.mark.parametrize("path", ["/groups", "/organizers"])
async def test_only_administrators_of_corporate_accounts_manage_people(
    sandbox: Sandbox, path: str
) -> None:
    plain = await sandbox.goto.add_account(corporate=False)
    nobody = await sandbox.goto.add_organizer("bob@example.org")
    lonely = await sandbox.goto.add_organizer("cyd@example.org", account=plain, admin=True)

    for organizer in (nobody, lonely):
        async with signed_in(sandbox, organizer) as http:
            assert (await http.get(path)).status_code == 403


async def test_a_free_account_has_no_api(sandbox: Sandbox) -> None:
    account = await sandbox.goto.add_account(free=True)
    organizer = await sandbox.goto.add_organizer("bob@example.org", account=account)

    async with signed_in(sandbox, organizer) as http:
        assert (await http.get("/upcomingMeetings")).status_code == 412


async def test_ten_calls_a_second_are_answered(sandbox: Sandbox) -> None:
    await sandbox.goto.settings(qps=True, calls_a_second=3)
    organizer = await sandbox.goto.add_organizer("bob@example.org")

    async with signed_in(sandbox, organizer) as http:
        statuses = [(await http.get("/upcomingMeetings")).status_code for _ in range(60)]

    assert 429 in statuses
    assert statuses[:3] == [200, 200, 200]


async def test_history_keeps_sixty_days_and_no_running_meetings(corporate: Corporate) -> None:
    number = await corporate.held()
    await corporate.sandbox.goto.start_meeting(number)

    now = (await corporate.http.get("/historicalMeetings", params=SPAN)).json()
    await corporate.sandbox.advance(timedelta(days=61))
    async with signed_in(corporate.sandbox, corporate.admin) as http:
        later = (await http.get("/historicalMeetings", params=SPAN)).json()

    assert [row["meetingId"] for row in now] == [str(number)]
    assert later == []


async def test_an_answer_as_it_was_seen(corporate: Corporate) -> None:
    await corporate.sandbox.goto.settings(as_seen=True)
    number = await corporate.held()

    (meeting,) = (await corporate.http.get(f"/meetings/{number}")).json()
    (attendee,) = (await corporate.http.get(f"/meetings/{number}/attendees")).json()

    assert meeting["passwordRequired"] == "false"
    assert meeting["startTime"] == "2027-01-04T10:00:00+0000"
    assert len(attendee["joinTime"]) == len("2022-08-07T19:32:19")
    assert isinstance(attendee["organizerkey"], float)
