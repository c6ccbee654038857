"""Calls that need a provider: asked over the desk, answered by a worker, or honestly not yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.lanes import Claimed
from infra.seal import KeyRing, PublicKey
from infra.settings import Settings
from infra.store import Store
from schemas.desk import DeskRequest, FetchHostLink, LinkGiven, ListCalendars
from schemas.providers import Role
from schemas.seals import Sealed
from tests.api.meeting_lane import provision
from tests.api.stage import MEETING, DeskWorker, LinkUp, MakePartner, client, kind_of
from webhooks.app import build, open_front

CALENDARS = [{"provider_id": "primary", "name": "Ada", "timezone": "UTC", "writable": True}]


async def test_calendars_are_listed_by_a_worker(
    partner: httpx.AsyncClient, worker: DeskWorker, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    worker.reply = lambda request, tenant: {"state": "done", "calendars": CALENDARS}

    answer = await partner.get(
        f"/v1/connections/{google}/calendars", headers={"Tieline-User": "user-7"}
    )

    assert answer.json() == {"items": CALENDARS}
    (asked,) = worker.asked
    assert asked.ask == ListCalendars(connection=google)
    assert asked.actor.on_behalf_of == "user-7"
    assert asked.not_after is not None


async def test_a_desk_lane_stands_behind_the_gate_of_its_connection(
    partner: httpx.AsyncClient, store: Store, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    await store.lanes.duty("desk", "a-worker-that-is-slow")
    asking = asyncio.create_task(partner.get(f"/v1/connections/{google}/calendars"))

    claimed = await first_desk_lane(store)

    state = await store.lanes.state(claimed.lane)
    assert state.group == f"connection:{google}"
    asking.cancel()


async def first_desk_lane(store: Store) -> Claimed:
    async with asyncio.timeout(5):
        while True:
            for claimed in await store.lanes.claim("desk", 1, empty=True):
                return claimed
            await asyncio.sleep(0.02)


async def test_without_a_worker_the_answer_comes_at_once(
    partner: httpx.AsyncClient, store: Store, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")

    answer = await partner.get(f"/v1/connections/{google}/calendars")

    assert (answer.status_code, kind_of(answer)) == (503, "unavailable")
    assert "Start one" in answer.json()["detail"]
    assert await store.lanes.claim("desk", 1, empty=True) == []


@pytest.fixture
async def hasty(
    settings: Settings, store: Store, partner: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    """The partner at a door that waits for no worker."""
    front = open_front(settings, store)
    front.desk.patience = timedelta(0)
    key = partner.headers["authorization"].removeprefix("Bearer ")
    async with client(build(front, pressed=lambda: False, health=[]), key) as impatient:
        yield impatient


async def test_a_slow_worker_means_an_address_to_ask_again(
    hasty: httpx.AsyncClient, make_partner: MakePartner, store: Store, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    await store.lanes.duty("desk", "a-worker-that-is-slow")

    answer = await hasty.get(f"/v1/connections/{google}/calendars")

    where = answer.headers["location"]
    waiting = await hasty.get(where)
    foreign = await (await make_partner()).get(where)
    worker = DeskWorker(store, lambda *_: {"state": "done", "calendars": CALENDARS})
    work = asyncio.create_task(worker.work())
    done = await until_done(hasty, where)
    work.cancel()
    assert answer.status_code == waiting.status_code == 202
    assert foreign.status_code == 404
    assert done["calendars"] == CALENDARS


async def until_done(partner: httpx.AsyncClient, where: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        answer = await partner.get(where)
        while answer.status_code == 202:
            await asyncio.sleep(0.02)
            answer = await partner.get(where)
    body: dict[str, Any] = answer.json()
    return body


async def test_a_refusal_keeps_the_worker_s_words(
    partner: httpx.AsyncClient, worker: DeskWorker, link_up: LinkUp
) -> None:
    zoom = await link_up(Role.CONFERENCING, "zoom")
    words = "The scope meeting:delete:meeting is missing. Add it at Zoom, then link again."
    worker.reply = lambda *_: {"state": "refused", "problem": "not-linked", "detail": words}

    answer = await partner.post(f"/v1/connections/{zoom}/test")

    assert (answer.status_code, kind_of(answer)) == (409, "not-linked")
    assert answer.json()["detail"] == words


async def test_a_connection_that_is_down_is_not_asked(
    partner: httpx.AsyncClient, worker: DeskWorker, link_up: LinkUp
) -> None:
    google = await link_up(
        Role.CALENDAR, "google", state="needs_reauth", reason="the grant was taken back"
    )

    answer = await partner.get(f"/v1/connections/{google}/calendars")

    assert (answer.status_code, kind_of(answer)) == (409, "not-linked")
    assert "the grant was taken back" in answer.json()["detail"]
    assert worker.asked == []


async def test_given_tokens_reach_the_worker_sealed(
    partner: httpx.AsyncClient, worker: DeskWorker, vault: KeyRing, link_up: LinkUp
) -> None:
    zoom = {"provider": "zoom", "client_id": "ours", "secret": "s"}
    client = (await partner.post("/v1/clients", json=zoom)).json()["id"]
    linked = await link_up(Role.CONFERENCING, "zoom")
    worker.reply = lambda *_: {"state": "done", "connection": linked}

    answer = await partner.post(
        "/v1/connections",
        json={
            "provider": "zoom",
            "client": client,
            "access_token": "canary-access",
            "refresh_token": "canary-refresh",
        },
    )

    (asked,) = worker.asked
    ask = asked.ask
    assert isinstance(ask, LinkGiven)
    assert ask.access_sealed is not None
    assert ask.refresh_sealed is not None
    access = Sealed.ACCESS_TOKEN.of("acme", ask.connection)
    refresh = Sealed.REFRESH_TOKEN.of("acme", ask.connection)
    assert vault.open(ask.access_sealed, context=access) == b"canary-access"
    assert vault.open(ask.refresh_sealed, context=refresh) == b"canary-refresh"
    assert answer.status_code == 201
    assert answer.json()["id"] == linked


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("provider", {"provider": "skype"}),
        ("room_url", {"provider": "static"}),
        ("room_url", {"provider": "static", "room_url": "http://partner.example/room"}),
        ("provider", {"provider": "jitsi", "access_token": "useless"}),
        ("access_token", {"provider": "zoom"}),
        ("client", {"provider": "zoom", "client": "cli_nobody", "access_token": "t"}),
        ("base_url", {"provider": "jitsi", "base_url": "https://10.0.0.7"}),
    ],
)
async def test_a_link_that_cannot_work_is_refused_before_any_worker_is_asked(
    partner: httpx.AsyncClient, worker: DeskWorker, field: str, body: dict[str, str]
) -> None:
    answer = await partner.post("/v1/connections", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert worker.asked == []


async def test_a_host_link_is_sealed_on_its_way_and_opened_by_the_process_that_asked(
    partner: httpx.AsyncClient, worker: DeskWorker, store: Store
) -> None:
    await partner.put("/v1/meetings/interview-1", json={**MEETING, "conferencing": "default"})
    meeting = await provision(store)

    def reply(request: DeskRequest, tenant: str) -> dict[str, Any]:
        assert isinstance(request.ask, FetchHostLink)
        context = Sealed.HOST_LINK.of(tenant, request.id)
        lock = PublicKey.parse(request.ask.reply_key)
        return {
            "state": "done",
            "sealed": lock.seal(b"https://zoom.test/s/1?zak=x", context=context),
        }

    worker.reply = reply
    answer = await partner.get("/v1/meetings/interview-1/start")

    assert answer.json() == {"url": "https://zoom.test/s/1?zak=x"}
    assert answer.headers["cache-control"] == "no-store"
    (asked,) = worker.asked
    assert isinstance(asked.ask, FetchHostLink)
    assert asked.ask.meeting == meeting.id


async def test_a_host_link_for_another_process_is_not_opened(
    partner: httpx.AsyncClient, worker: DeskWorker, store: Store
) -> None:
    await partner.put("/v1/meetings/interview-1", json={**MEETING, "conferencing": "default"})
    await provision(store)
    lock = KeyRing.fresh().newest
    worker.reply = lambda request, tenant: {
        "state": "done",
        "sealed": lock.seal(b"secret", context=Sealed.HOST_LINK.of(tenant, request.id)),
    }

    answer = await partner.get("/v1/meetings/interview-1/start")

    assert (answer.status_code, kind_of(answer)) == (404, "not-found")
    assert "Ask for a new one" in answer.json()["detail"]


async def test_a_meeting_without_a_conference_cannot_be_started(
    partner: httpx.AsyncClient, worker: DeskWorker
) -> None:
    await partner.put("/v1/meetings/interview-1", json=MEETING)

    answer = await partner.get("/v1/meetings/interview-1/start")

    assert (answer.status_code, kind_of(answer)) == (409, "not-provisioned")
    assert worker.asked == []
