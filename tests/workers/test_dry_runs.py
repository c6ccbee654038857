"""A dry run over HTTP: the decision of the workers, the calls it leads to, and not one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from infra.sandbox.client import Sandbox
from schemas.connections import Calendar, Connection, LinkState
from schemas.events import Slot
from schemas.meetings import Conference, Meeting, meeting_id
from schemas.people import Scope
from schemas.policy import KeywordRule, PolicyRules
from tests.api.stage import MEETING, kind_of
from tests.workers.doors import partner
from tests.workers.stage import NOON, Stage

ADA = "ada@example.org"
READS = {"google.get", "google.read"}


@pytest.fixture
async def one(app: Starlette, stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """A partner, while the desk is served."""
    client, _ = await partner(app, stage, Scope.MEETINGS, Scope.MANAGE)
    await on_duty(stage)
    async with stage.at_work("desk"):
        yield client


async def on_duty(stage: Stage) -> None:
    """As a crew would say of the term that serves the desk."""
    await stage.runtime.store.lanes.duty("desk", "the-tests-worker", timedelta(minutes=5))


@pytest.fixture
async def zoom(stage: Stage, sandbox: Sandbox) -> Connection:
    return await stage.link(sandbox)


async def asked(sandbox: Sandbox) -> dict[str, int]:
    """How often each operation of the providers was called, but for those that only read."""
    counts = await sandbox.all_calls()
    return {name: count for name, count in counts.items() if name not in READS}


def dos(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [call["do"] for call in answer.json()["calls"]]


def body(zoom: Connection, **more: Any) -> dict[str, Any]:  # noqa: ANN401  free JSON
    return {**MEETING, "conferencing": {"connection": zoom.id}, **more}


async def test_a_new_meeting_would_make_a_conference_and_makes_none(
    one: httpx.AsyncClient, zoom: Connection, sandbox: Sandbox, stage: Stage
) -> None:
    before = await asked(sandbox)

    answer = await one.post("/v1/meetings/first/dry-run", json=body(zoom))

    assert dos(answer)[-1] == "provision"
    assert "Zoom" in answer.json()["calls"][-1]["words"]
    assert answer.json()["calls"][-1]["connection"] == zoom.id
    assert MEETING["title"] not in answer.text
    assert await asked(sandbox) == before
    assert (await one.get("/v1/meetings/first")).status_code == 404


async def test_a_meeting_without_conferencing_would_do_nothing(
    one: httpx.AsyncClient, stage: Stage
) -> None:
    answer = await one.post("/v1/meetings/plain/dry-run", json=MEETING)

    assert dos(answer) == []
    assert any("no call" in words for words in answer.json()["sentences"])


async def provisioned(stage: Stage, application: str, zoom: Connection, start: datetime) -> str:
    """The meeting `moved` of the application, with a conference that shows another slot."""
    name = meeting_id(stage.tenant, "application", f"{application}/moved")
    there = Conference(
        provider="zoom",
        connection=zoom.id,
        id="85746065",
        host=zoom.account.id,
        join_url="https://zoom.us/j/85746065?pwd=secret",
        reference="tl-1",
        shown="another",
        slot=Slot(title="t", starts_at=start, ends_at=start + timedelta(hours=1)),
        made_at=NOON,
    )
    meeting = await stage.meeting(application=application, conference=there)
    await stage.keep(meeting.model_copy(update={"id": name}))
    return name


async def test_a_moved_meeting_would_change_its_conference(
    app: Starlette, stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    client, application = await partner(app, stage, Scope.MEETINGS, Scope.MANAGE)
    start = stage.runtime.now() + timedelta(days=2)
    name = await provisioned(stage, application, zoom, start)
    wanted = {
        **body(zoom),
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=2)).isoformat(),
    }

    await on_duty(stage)
    async with stage.at_work("desk"):
        changed = await client.post("/v1/meetings/moved/dry-run", json=wanted)
        dropped = await client.post(
            "/v1/meetings/moved/dry-run", json={**wanted, "conferencing": "none"}
        )

    assert dos(changed) == ["update"]
    assert changed.json()["calls"][0]["conference"] == "85746065"
    assert "pwd" not in changed.text
    assert dos(dropped) == ["tear_down"]
    stored = await stage.runtime.store.documents.get(stage.tenant, Meeting, name)
    assert stored is not None
    assert stored.conference is not None
    assert stored.conference.shown == "another"


async def test_a_link_that_is_down_is_a_wait_in_words(
    one: httpx.AsyncClient, stage: Stage, zoom: Connection
) -> None:
    stored = await stage.connection(zoom.id)
    await stage.keep(stored.model_copy(update={"state": LinkState.NEEDS_REAUTH}))

    answer = await one.post("/v1/meetings/first/dry-run", json=body(zoom))

    assert dos(answer) == ["wait"]
    assert "until somebody acts" in " ".join(answer.json()["sentences"])


async def test_an_event_would_get_a_conference_and_its_link(
    one: httpx.AsyncClient, stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    provider_id = await sandbox.google.add_account(ADA)
    google = await stage.link(sandbox, host=ADA, provider="google")
    calendar = Calendar(
        id="cal_" + "a" * 20,
        connection=google.id,
        provider="google",
        provider_id=provider_id,
        created_at=NOON,
    )
    rules = PolicyRules(id="policy", rules=(KeywordRule(keyword="zoom", conferencing=zoom.id),))
    await stage.keep(calendar, rules)
    wanted = await sandbox.google.add_event(provider_id, title="secret plan", location="Zoom")
    plain = await sandbox.google.add_event(provider_id, title="b", location="Room 5")
    path = f"/v1/calendars/{calendar.id}/events/{{}}/dry-run"
    before = await asked(sandbox)

    yes = await one.post(path.format(wanted.id))
    no = await one.post(path.format(plain.id))
    absent = await one.post(path.format("nothing"))

    assert dos(yes)[-2:] == ["provision", "write"]
    assert yes.json()["calls"][-1]["event"] == wanted.id
    assert "keyword" in yes.json()["sentences"][0]
    assert "secret plan" not in yes.text
    assert dos(no) == dos(absent) == []
    assert await asked(sandbox) == before


async def test_what_putting_would_refuse_the_dry_run_refuses_too(one: httpx.AsyncClient) -> None:
    nowhere = {**MEETING, "conferencing": {"connection": "con_nothing"}}

    answer = await one.post("/v1/meetings/first/dry-run", json=nowhere)
    ours = await one.post("/v1/meetings/mtg_x/dry-run", json=MEETING)

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
    assert (ours.status_code, kind_of(ours)) == (422, "invalid-request")
