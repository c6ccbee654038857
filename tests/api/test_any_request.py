"""Whatever is sent, the answer is an answer: never a 5xx, and every refusal a problem."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.problems import Problem
from schemas.providers import Role
from tests.api.stage import MEETING, DeskWorker, LinkUp
from tests.api.test_isolation import SAMPLES
from webhooks.api.table import ROWS

texts = st.text(max_size=30) | st.sampled_from(
    ["", "none", "default", "zoom", "\x00", "💥", "a" * 400]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
known_names = sorted(
    {name for row in ROWS if row.takes is not None for name in row.takes.model_fields}
)
zoned = st.datetimes(timezones=st.timezones()) | st.just(datetime.min.replace(tzinfo=UTC))
ends = st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
times = (
    zoned.map(datetime.isoformat)
    | ends
    | st.sampled_from([MEETING["starts_at"], MEETING["ends_at"]])
)
bodies = st.dictionaries(st.sampled_from(known_names), values | times, max_size=6) | values
near = st.fixed_dictionaries(
    {name: st.just(value) | values | times for name, value in MEETING.items()},
    optional={"conferencing": values, "recurrence": values, "external_id": values},
)
parts = st.sampled_from(sorted(SAMPLES.values())) | st.text(min_size=1, max_size=20)


def written(body: object) -> bytes:
    return json.dumps(body).encode()


requests = st.fixed_dictionaries(
    {
        "row": st.sampled_from(ROWS),
        "names": st.dictionaries(st.sampled_from(sorted(SAMPLES)), parts, max_size=3),
        "body": (bodies | near).map(written) | st.binary(max_size=40),
        "query": st.dictionaries(st.sampled_from(["after", "limit", "x"]), texts, max_size=2),
        "headers": st.dictionaries(
            st.sampled_from(["if-match", "prefer", "tieline-user", "content-encoding"]),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
            max_size=2,
        ),
    }
)


@pytest.fixture
async def furnished(
    partner: httpx.AsyncClient, operator: httpx.AsyncClient, worker: DeskWorker, link_up: LinkUp
) -> dict[str, httpx.AsyncClient]:
    await link_up(Role.CALENDAR, "google")
    await partner.put(f"/v1/meetings/{SAMPLES['meeting']}", json=MEETING)
    return {"operator": operator, "key": partner}


async def test_any_request_gets_an_answer(furnished: dict[str, httpx.AsyncClient]) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=300,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(requests)
    def any_request(one: dict[str, Any]) -> None:
        asyncio.run_coroutine_threadsafe(send(furnished, one), loop).result(10)

    await asyncio.to_thread(any_request)


async def send(furnished: dict[str, httpx.AsyncClient], one: dict[str, Any]) -> None:
    row = one["row"]
    client = furnished["operator" if row.needs == "operator" else "key"]
    names = {**SAMPLES, **{name: quote(part, safe="") for name, part in one["names"].items()}}
    answer = await client.request(
        row.method,
        row.path.format_map(names),
        params=one["query"],
        content=one["body"],
        headers={"content-type": "application/json", **one["headers"]},
    )

    assert answer.status_code < 500, answer.text
    assert answer.headers["tieline-trace"].startswith("tr_")
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        said = Problem.model_validate_json(answer.content)
        assert said.status == answer.status_code
        assert said.detail
    elif answer.content:
        assert answer.headers["content-type"] == "application/json"
        json.loads(answer.content)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("PATCH", "/v1/policy", 405),
        ("POST", "/v1/policy", 405),
        ("DELETE", "/docs", 405),
        ("GET", "/connect/../v1/policy", 401),
    ],
)
async def test_a_path_or_method_that_is_not_there_is_a_problem_too(
    stranger: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await stranger.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_method_that_is_not_known_is_answered_with_those_that_are(
    stranger: httpx.AsyncClient,
) -> None:
    answer = await stranger.request("POST", "/v1/meetings/x")

    assert set(answer.headers["allow"].split(", ")) >= {"GET", "PUT", "PATCH", "DELETE"}
