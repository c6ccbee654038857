"""Are Zoom's answers what its published specification says? The specification is the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from infra.sandbox.client import Sandbox

SPEC = Path(__file__).parents[2].parent / "shared/specs/zoom/ZoomMeetingAPISpec-2025-08-subset.json"
BODY = {
    "topic": "Standup",
    "type": 2,
    "start_time": "2027-01-04T10:00:00Z",
    "duration": 30,
    "timezone": "Europe/Berlin",
    "agenda": "ref tl-1",
    "password": "abc123",
    "settings": {"waiting_room": True, "join_before_host": False, "approval_type": 2},
}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    if not SPEC.exists():
        pytest.skip("the vendor's specification is not here")
    return json.loads(SPEC.read_text())


def answered(spec: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    response = spec["paths"][path][method]["responses"][str(status)]
    return response["content"]["application/json"]["schema"]


def violations(schema: dict[str, Any], document: object) -> list[str]:
    return [f"{list(e.path)}: {e.message}" for e in OAS30Validator(schema).iter_errors(document)]


def undeclared(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    return set(document) - set(schema["properties"])


async def test_a_created_meeting(spec: dict[str, Any], zoom: httpx.AsyncClient) -> None:
    path = "/users/{userId}/meetings"
    asked = spec["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]

    document = (await zoom.post("/users/me/meetings", json=BODY)).json()

    schema = answered(spec, "post", path, 201)
    assert violations(asked, BODY) == []
    assert violations(schema, document) == []


@pytest.mark.parametrize("kind", [2, 3, 8])
async def test_a_meeting(spec: dict[str, Any], zoom: httpx.AsyncClient, kind: int) -> None:
    recurrence = {"recurrence": {"type": 1, "end_times": 2}} if kind == 8 else {}
    body = BODY | {"type": kind} | recurrence
    meeting = (await zoom.post("/users/me/meetings", json=body)).json()["id"]

    document = (await zoom.get(f"/meetings/{meeting}")).json()

    schema = answered(spec, "get", "/meetings/{meetingId}", 200)
    assert violations(schema, document) == []
    assert undeclared(schema, document) == set()


async def test_a_list_of_meetings(spec: dict[str, Any], zoom: httpx.AsyncClient) -> None:
    await zoom.post("/users/me/meetings", json=BODY)

    document = (await zoom.get("/users/me/meetings")).json()

    schema = answered(spec, "get", "/users/{userId}/meetings", 200)
    assert violations(schema, document) == []
    assert undeclared(schema, document) == set()
    row = schema["properties"]["meetings"]["items"]
    assert undeclared(row, document["meetings"][0]) == set()


@pytest.mark.parametrize(
    ("path", "tail"),
    [
        ("/past_meetings/{meetingId}", ""),
        ("/past_meetings/{meetingId}/instances", "/instances"),
        ("/past_meetings/{meetingId}/participants", "/participants"),
    ],
)
async def test_what_was(
    spec: dict[str, Any], zoom: httpx.AsyncClient, sandbox: Sandbox, path: str, tail: str
) -> None:
    meeting = (await zoom.post("/users/me/meetings", json=BODY)).json()["id"]
    await sandbox.zoom.start_meeting(meeting)
    await sandbox.zoom.join_meeting(meeting, "Bob", email="bob@example.org")
    await sandbox.zoom.end_meeting(meeting)

    document = (await zoom.get(f"/past_meetings/{meeting}{tail}")).json()

    schema = answered(spec, "get", path, 200)
    assert violations(schema, document) == []
    assert undeclared(schema, document) == set()


async def test_an_invitation(spec: dict[str, Any], zoom: httpx.AsyncClient) -> None:
    created = (await zoom.post("/users/me/meetings", json=BODY)).json()

    document = (await zoom.get(f"/meetings/{created['id']}/invitation")).json()

    assert (
        violations(answered(spec, "get", "/meetings/{meetingId}/invitation", 200), document) == []
    )
    assert created["join_url"] in document["invitation"]
