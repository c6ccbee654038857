"""Connections and calendars: what is kept, and which items tell the lanes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from infra.lanes import Kind
from infra.store import Store
from schemas.connections import Calendar
from schemas.items import UnlinkAsked, WatchChanged, read_load
from schemas.providers import Role
from tests.api.stage import DeskWorker, LinkUp, kind_of


async def loads_of(store: Store, kind: Kind) -> list[tuple[str, Any]]:
    """Subjects and loads of the lane that is due."""
    async with asyncio.timeout(5):
        while True:
            for claimed in await store.lanes.claim(kind, 1, empty=True):
                subject = claimed.lane.subject
                return [(subject, read_load(item.body)) for item in claimed.items]
            await asyncio.sleep(0.02)


async def test_unlinking_tells_the_connection_s_lane(
    partner: httpx.AsyncClient, store: Store, link_up: LinkUp
) -> None:
    zoom = await link_up(Role.CONFERENCING, "zoom")

    answer = await partner.delete(f"/v1/connections/{zoom}")

    ((subject, load),) = await loads_of(store, "connection")
    assert answer.status_code == 202
    assert subject == zoom
    assert isinstance(load, UnlinkAsked)
    assert load.actor.kind == "application"


async def test_a_calendar_is_watched_once_however_often_that_is_asked(
    partner: httpx.AsyncClient, store: Store, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    body = {"connection": google, "provider_id": "primary", "timezone": "Europe/Berlin"}

    first = await partner.post("/v1/calendars", json=body)
    again = await partner.post("/v1/calendars", json=body)

    ((subject, load),) = await loads_of(store, "calendar")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert subject == first.json()["id"]
    assert isinstance(load, WatchChanged)
    assert list(await store.index.all("acme", f"calendars-of:{google}", 10)) == [subject]


async def test_a_calendar_that_is_let_go_is_told_and_listed_no_more(
    partner: httpx.AsyncClient, store: Store, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    body = {"connection": google, "provider_id": "primary"}
    id_ = (await partner.post("/v1/calendars", json=body)).json()["id"]

    answer = await partner.delete(f"/v1/calendars/{id_}")

    kept = await store.documents.get("acme", Calendar, id_)
    assert answer.status_code == 204
    assert len(await loads_of(store, "calendar")) == 2
    assert kept is not None
    assert not kept.watched
    assert (await partner.get("/v1/calendars")).json()["items"] == []
    assert (await partner.get(f"/v1/calendars/{id_}")).status_code == 404
    assert (await partner.post("/v1/calendars", json=body)).json()["id"] == id_


async def test_only_a_calendar_connection_has_calendars(
    partner: httpx.AsyncClient, link_up: LinkUp
) -> None:
    zoom = await link_up(Role.CONFERENCING, "zoom")

    answer = await partner.post(
        "/v1/calendars", json={"connection": zoom, "provider_id": "primary"}
    )

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")


async def test_an_event_is_explained_by_a_worker(
    partner: httpx.AsyncClient, worker: DeskWorker, link_up: LinkUp
) -> None:
    google = await link_up(Role.CALENDAR, "google")
    body = {"connection": google, "provider_id": "primary"}
    id_ = (await partner.post("/v1/calendars", json=body)).json()["id"]
    worker.reply = lambda *_: {"state": "done", "sentences": ["it lasts all day"]}

    answer = await partner.get(f"/v1/calendars/{id_}/events/abc123_20270105T090000Z/explain")

    assert answer.json() == {"sentences": ["it lasts all day"]}
