"""`tieline` as people and programs run it: the real command against a real API process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.lanes import KINDS, Item, Lane, Post
from infra.store import Store
from schemas.connections import Account, Connection
from schemas.desk import DeskRequest
from schemas.people import Actor
from schemas.providers import Role
from tests.api.serving import served
from tests.api.stage import ADMIN, MEETING, DeskWorker, LinkUp

TIELINE = str(Path(sys.executable).parent / "tieline")
URL = "https://partner.example/hook"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:  # noqa: ANN401  free JSON
        assert self.code == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Awaitable[Ran]]


async def tieline(*words: str, **environment: str) -> Ran:
    told = {f"TIELINE_{name.upper()}": value for name, value in environment.items()}
    process = await asyncio.create_subprocess_exec(
        TIELINE,
        *words,
        env={**os.environ, **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    return Ran(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def run(home: Path, store: Store, partner: httpx.AsyncClient) -> AsyncIterator[Run]:
    """The command with the key of a partner of `acme` and the operator's, at a living API."""
    key = str(partner.headers["authorization"]).split()[1]
    async with served(home, provider_urls='{"google":"http://google.test"}') as (_, address):

        async def one(*words: str) -> Ran:
            return await tieline(*words, public_url=address, api_key=key, admin_key=ADMIN)

        yield one


async def test_endpoints_are_made_listed_paused_and_removed(run: Run) -> None:
    made = (await run("--json", "endpoints", "add", URL, "--type", "meeting.updated")).told
    paused = (await run("--json", "endpoints", "pause", made["id"])).told
    enabled = (await run("--json", "endpoints", "enable", made["id"])).told
    table = await run("endpoints", "list")
    removed = await run("endpoints", "remove", made["id"])
    left = (await run("--json", "endpoints", "list")).told

    assert made["secret"].startswith("whsec_")
    assert (paused["state"], enabled["state"]) == ("paused", "enabled")
    assert made["id"] in table.out
    assert URL in table.out
    assert (removed.code, left) == (0, [])


async def test_a_secret_is_shown_once_in_words(run: Run) -> None:
    made = await run("endpoints", "add", URL)

    assert "shown once: whsec_" in made.out


async def test_keys_are_changed_over_in_peace(run: Run, store: Store) -> None:
    (app,) = await store.index.all("acme", "applications", 10)
    second = (await run("--json", "keys", "next")).told
    listed = (await run("--json", "keys", "list")).told
    of_operator = await run("keys", "list", "--tenant", "acme", "--application", app)
    third = await run("keys", "next")
    made = await run("keys", "create", "acme", app, "--scope", "start")
    revoked = await run("keys", "revoke", second["id"])
    half = await run("keys", "list", "--tenant", "acme")

    assert second["id"] in {each["id"] for each in listed}
    assert second["id"] in of_operator.out
    assert (third.code, "last_used_at" in third.err) == (1, True)
    assert "shown once: tlk_acme_" in made.out
    assert revoked.code == 0
    assert half.code == 2


async def test_grants_are_given_listed_and_taken(
    run: Run, partner: httpx.AsyncClient, store: Store
) -> None:
    (app,) = await store.index.all("acme", "applications", 10)
    room = Connection(
        id="con_" + "a" * 20,
        provider="jitsi",
        role=Role.CONFERENCING,
        account=Account(id="x"),
        linked_at=datetime(2027, 1, 1, tzinfo=UTC),
        linked_by=Actor(kind="application", id=app),
    )
    await store.documents.put("acme", room)
    terms = ("--allow", "hear", "--allow", "use", "--until", "2099-01-01T00:00:00Z")

    given = (await run("--json", "grants", "give", app, "--connection", room.id, *terms)).told
    table = await run("grants", "list", "--connection", room.id)
    refused = await run("grants", "give", app, "--user", "ada")
    taken = await run("grants", "take", given["id"])

    assert (given["allows"], given["until"]) == (["hear", "use"], "2099-01-01T00:00:00Z")
    assert [word for word in (given["id"], app, "hear, use") if word not in table.out] == []
    assert (refused.code, "the scope `tenant`" in refused.err) == (1, True)
    assert (taken.code, await store.index.all("acme", "grants")) == (0, {})


async def test_a_meeting_is_shown_explained_and_cancelled(
    run: Run, partner: httpx.AsyncClient
) -> None:
    await partner.put("/v1/meetings/interview-1", json=MEETING)
    shown = (await run("--json", "meetings", "show", "interview-1")).told
    fields = await run("meetings", "show", "interview-1")
    explained = await run("explain", "interview-1")
    timeline = await run("timeline", "interview-1")
    cancelled = (await run("--json", "meetings", "cancel", "interview-1")).told

    assert shown["status"] == "pending"
    assert "status: pending" in fields.out
    assert "The meeting is pending" in explained.out
    assert timeline.code == 0
    assert cancelled["status"] == "cancelling"


async def test_nothing_is_undelivered_and_a_recovery_counts_nothing(run: Run) -> None:
    listed = await run("undelivered", "list", "--type", "meeting.updated")
    counted = await run("undelivered", "recover", "--dry-run")
    done = (await run("--json", "undelivered", "recover", "--dry-run")).told

    assert "There is none." in listed.out
    assert "0 would be sent again" in counted.out
    assert done["state"] == "counted"


async def test_an_absent_callback_is_a_refusal_with_a_reason(run: Run) -> None:
    shown = await run("callbacks", "show", "cb_" + "a" * 20)
    tried = await run("--json", "callbacks", "attempts", "cb_" + "a" * 20)
    again = await run("callbacks", "redeliver", "cb_" + "a" * 20, "--endpoint", "end_x")
    cancelled = await run("undelivered", "cancel", "rec_" + "a" * 20)

    assert {each.code for each in (shown, tried, again, cancelled)} == {1}
    assert "There is no such callback" in shown.err
    assert json.loads(tried.err)["problem"] == "not-found"


async def test_the_types_of_callbacks_are_listed(run: Run) -> None:
    table = await run("callbacks", "types")

    assert "meeting.provisioned" in table.out


async def test_the_feed_is_read_to_its_end_with_a_cursor_to_go_on(run: Run) -> None:
    words = await run("feed")
    silent = await run("--json", "feed")

    assert "tieline feed --after" in words.out
    assert (silent.code, silent.out) == (0, "")


async def test_a_link_to_open_is_given(run: Run) -> None:
    refused = await run("link", "cli_nothing", "--return-url", "https://partner.example/")

    assert refused.code == 1
    assert "client: Name a client of this tenant" in refused.err


async def test_without_a_key_it_says_how_to_get_one() -> None:
    partner = await tieline("endpoints", "list")
    operator = await tieline("keys", "create", "acme", "app_x")

    assert (partner.code, operator.code) == (1, 1)
    assert "tieline keys create" in partner.err
    assert "TIELINE_ADMIN_KEY" in operator.err


async def test_where_no_api_answers_it_says_what_to_start() -> None:
    nowhere = "http://127.0.0.1:1"

    asked = await tieline("--address", nowhere, "--key", "tlk_x", "endpoints", "list")
    looked = await tieline("--address", nowhere, "doctor", "--no-calendars")

    assert asked.code == 3
    assert "tieline up" in asked.err
    assert looked.code == 1
    assert "tieline up" in looked.out


async def test_wrong_settings_are_named_without_their_values() -> None:
    ran = await tieline("endpoints", "list", term_s="secret-nonsense")

    assert ran.code == 1
    assert "TERM_S" in ran.err
    assert "secret-nonsense" not in ran.err
    assert "Traceback" not in ran.err


@pytest.fixture
async def all_on_duty(store: Store) -> AsyncIterator[None]:
    async def stay() -> None:
        while True:
            for kind in KINDS:
                await store.lanes.duty(kind, "the-tests-worker")
            await asyncio.sleep(0.5)

    task = asyncio.create_task(stay())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_doctor_names_what_nobody_works(run: Run) -> None:
    ran = await run("doctor", "--no-calendars")

    assert ran.code == 1
    assert "`calendar`" in ran.out
    assert "python -m workers" in ran.out


async def test_the_doctor_counts_watched_calendars_and_names_each_gap(
    run: Run, all_on_duty: None, worker: DeskWorker, link_up: LinkUp, store: Store
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    await store.index.set("acme", "connections", google, "")
    worker.reply = lambda request, tenant: offers(request)

    ran = await run("--json", "doctor")

    findings = {(each["level"], each["about"], each["words"]) for each in ran.told}
    assert ("ok", google, "0 of 2 calendars are watched.") in findings
    gaps = sorted(words for level, about, words in findings if about == google and level != "ok")
    assert "Calendar holidays: it is read-only" in gaps[0]
    assert "Calendar primary: nobody asked to watch it" in gaps[1]


async def test_the_doctor_names_parked_work_and_how_it_goes_on(
    run: Run, all_on_duty: None, store: Store
) -> None:
    lane = Lane("acme", "meeting", "mtg_1")
    await store.lanes.post(Post(lane, Item("it_1", b"{}")))
    await store.lanes.park(lane, "three workers died of it")

    found = await run("--json", "doctor")
    listed = await run("parked", "list")
    retried = await run("parked", "retry", lane.name)

    assert found.code == 1
    assert "tieline parked retry meeting:mtg_1" in found.out
    assert "three workers died of it" in listed.out
    assert "1 items were waiting in it" in retried.out
    assert "No work is parked." in (await run("doctor")).out


async def test_the_doctor_says_that_a_broken_link_reads_nothing(
    run: Run, all_on_duty: None, link_up: LinkUp, store: Store
) -> None:
    google = await link_up(Role.CALENDAR, "google", state="needs_reauth")
    await store.index.set("acme", "connections", google, "")

    ran = await run("doctor")

    assert ran.code == 1
    assert "needs_reauth. Link it again" in ran.out


def offers(request: DeskRequest) -> dict[str, Any]:
    one = {"timezone": "UTC", "name": "", "provider_id": "primary", "writable": True}
    return {
        "state": "done",
        "calendars": [one, {**one, "provider_id": "holidays", "writable": False}],
    }
