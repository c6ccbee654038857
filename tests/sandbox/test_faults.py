"""Each kind of fault: before and after the effect, hanging, late, dropped, and deadly."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest

from infra.sandbox.client import Refused, Sandbox
from tests.sandbox.google import Google, event


async def create(zoom: httpx.AsyncClient, topic: str = "x") -> httpx.Response:
    return await zoom.post("/users/me/meetings", json={"topic": topic})


async def count(sandbox: Sandbox) -> int:
    return len(await sandbox.zoom.meetings())


async def test_before_refuses_without_the_effect(zoom: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await sandbox.fault("zoom.create", "before", status=503)

    first, second = await create(zoom), await create(zoom)

    assert (first.status_code, second.status_code) == (503, 201)
    assert await count(sandbox) == 1


async def test_after_refuses_in_spite_of_the_effect(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    rule = await sandbox.fault("zoom.create", "after", status=500)

    answer = await create(zoom)

    assert answer.status_code == 500
    assert await count(sandbox) == 1
    assert await sandbox.hits(rule) == 1


@pytest.mark.parametrize(("when", "effects"), [("hang_before", 0), ("hang_after", 1)])
async def test_hanging_never_answers(
    zoom: httpx.AsyncClient, sandbox: Sandbox, when: str, effects: int
) -> None:
    await sandbox.fault("zoom.create", when)  # type: ignore[arg-type]  # of the parameters

    with pytest.raises(httpx.ReadTimeout):
        await zoom.post("/users/me/meetings", json={}, timeout=0.3)

    assert await count(sandbox) == effects


async def test_hanging_for_a_while_ends_in_a_dropped_connection(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.fault("zoom.create", "hang_after", delay_s=0.1)

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await create(zoom)


@pytest.mark.parametrize(("when", "effects"), [("reset_before", 0), ("reset_after", 1)])
async def test_a_dropped_connection(
    zoom: httpx.AsyncClient, sandbox: Sandbox, when: str, effects: int
) -> None:
    await sandbox.fault("zoom.create", when)  # type: ignore[arg-type]  # of the parameters

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await create(zoom)

    assert await count(sandbox) == effects
    assert (await create(zoom)).status_code == 201


async def test_late_commits_after_the_caller_has_gone(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.fault("zoom.create", "late", delay_s=0.5)

    with pytest.raises(httpx.ReadTimeout):
        await zoom.post("/users/me/meetings", json={}, timeout=0.1)
    at_once = await count(sandbox)
    await asyncio.sleep(0.6)

    assert (at_once, await count(sandbox)) == (0, 1)


async def test_late_can_answer_a_gateways_error_at_once(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.fault("zoom.create", "late", status=504, delay_s=0.3)

    answer = await create(zoom)
    at_once = await count(sandbox)
    await asyncio.sleep(0.4)

    assert answer.status_code == 504
    assert (at_once, await count(sandbox)) == (0, 1)


async def test_a_process_is_killed_once_the_effect_is_done(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sleeping = "import time; time.sleep(60)"
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", sleeping)
    await sandbox.fault("zoom.create", "after", kill_pid=victim.pid)

    answer = await create(zoom)

    assert await victim.wait() == -9
    assert answer.status_code == 201
    assert await count(sandbox) == 1


async def test_a_fault_may_be_tied_to_what_a_request_says(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.fault("zoom.create", match={"body": "unlucky"}, status=500)

    lucky, unlucky = await create(zoom, "lucky"), await create(zoom, "unlucky")

    assert (lucky.status_code, unlucky.status_code) == (201, 500)


async def test_a_fault_may_strike_later_often_or_by_chance(
    zoom: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.fault("zoom.create", status=500, skip=1, times=2)
    struck = [(await create(zoom)).status_code for _ in range(4)]
    await sandbox.lift()
    await sandbox.fault("zoom.user", status=500, rate=0.5, seed=7)
    by_chance = [(await zoom.get("/users/me")).status_code for _ in range(40)]

    assert struck == [201, 500, 500, 201]
    assert 5 < by_chance.count(500) < 35


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "quotaExceeded"),
        (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (403, "forbiddenForNonOrganizer"),
        (403, "insufficientPermissions"),
        (429, "rateLimitExceeded"),
        (503, "backendError"),
        (410, "fullSyncRequired"),
    ],
)
async def test_googles_reasons_are_told_as_google_does(
    google: Google, calendar: str, sandbox: Sandbox, status: int, reason: str
) -> None:
    await sandbox.fault("google.insert", status=status, reason=reason)

    refused = await google.refused(google.events.insert(calendarId=calendar, body=event()))

    assert refused == (status, reason)


async def test_an_answer_may_be_no_json_at_all(zoom: httpx.AsyncClient, sandbox: Sandbox) -> None:
    headers = {"content-type": "application/xml", "retry-after": "7"}
    await sandbox.fault("zoom.user", status=502, body="<html/>", headers=headers)

    answer = await zoom.get("/users/me")

    assert (answer.status_code, answer.text) == (502, "<html/>")
    assert answer.headers["retry-after"] == "7"


async def test_a_wrong_rule_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Refused, match="when is one of"):
        await sandbox.fault("zoom.create", "sometimes")  # type: ignore[arg-type]  # wrong on purpose


async def test_calls_are_counted_per_operation_and_subject(
    google: Google, calendar: str, sandbox: Sandbox
) -> None:
    await google.do(google.events.insert(calendarId=calendar, body=event()))
    await google.do(google.events.list(calendarId=calendar))

    assert await sandbox.all_calls() == {"google.insert": 1, "google.list": 1}
    assert await sandbox.google.reads_of(calendar) == 1
    assert await sandbox.google.reads_of("another") == 0
    assert (await sandbox.latest_calls())[-1]["operation"] == "google.list"
