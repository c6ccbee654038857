"""The feed over HTTP, beside the workers that tell: what is heard, by whom, and from where on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from infra.settings import Settings
from infra.store import Store
from schemas.people import Scope
from tests.api.stage import kind_of
from tests.machines.peer import peer
from tests.workers.doors import partner
from tests.workers.hearing import OK, delivered
from tests.workers.stage import Stage, until
from webhooks.app import open_app

Page = dict[str, Any]


async def feed(one: httpx.AsyncClient, **query: str | int) -> Page:
    answer = await one.get("/v1/feed", params=query)
    assert answer.status_code == 200, answer.text
    page: Page = answer.json()
    return page


def ids(page: Page) -> list[str]:
    return [item["callback"]["id"] for item in page["items"]]


async def test_the_feed_shows_byte_for_byte_what_a_callback_delivers(
    app: Starlette, stage: Stage
) -> None:
    one, application = await partner(app, stage)
    meeting = await stage.meeting(application=application)
    async with peer(OK) as receiver:
        endpoint, _ = await stage.endpoint(receiver.url, application=application)
        async with stage.at_work("callback"):
            await stage.announce(meeting, 3)
            await until(lambda: delivered(stage, endpoint, meeting.id))

    raw = (await one.get("/v1/feed")).content

    assert len(receiver.bodies) == 3
    for body in receiver.bodies:
        assert body in raw
    assert raw.count(b'"callback":') == 3
    assert [raw.index(body) for body in receiver.bodies] == sorted(map(raw.index, receiver.bodies))


async def test_without_any_endpoint_nothing_is_missed(app: Starlette, stage: Stage) -> None:
    one, application = await partner(app, stage)
    told = await stage.announce(await stage.meeting(application=application), 5)

    seen: list[str] = []
    page = await feed(one, limit=2)
    while page["items"]:
        seen += ids(page)
        page = await feed(one, limit=2, after=page["next"])

    assert seen == told
    assert page["more"] is False


async def test_it_can_be_replayed_from_any_cursor(app: Starlette, stage: Stage) -> None:
    one, application = await partner(app, stage)
    told = await stage.announce(await stage.meeting(application=application), 4)
    items = (await feed(one))["items"]

    again = [ids(await feed(one, after=item["cursor"])) for item in items]

    assert again == [told[1:], told[2:], told[3:], []]


async def test_an_application_hears_what_its_endpoints_would(app: Starlette, stage: Stage) -> None:
    one, application = await partner(app, stage)
    other, _ = await partner(app, stage)
    whole, _ = await partner(app, stage, Scope.MEETINGS, Scope.TENANT_WIDE)
    mine = await stage.announce(await stage.meeting(application=application))
    calendars = await stage.announce(await stage.meeting(application=None))

    heard = [ids(await feed(each)) for each in (one, other, whole)]

    assert heard == [mine, [], mine + calendars]


async def test_what_others_are_told_is_passed_over_and_not_read_twice(
    app: Starlette, stage: Stage
) -> None:
    one, application = await partner(app, stage)
    others = await stage.meeting(application="app_other")
    for _ in range(25):
        await stage.announce(others, 50)
    mine = await stage.announce(await stage.meeting(application=application))

    first = await feed(one)
    rest = await feed(one, after=first["next"])

    assert (first["items"], first["more"]) == ([], True)
    assert (ids(rest), rest["more"]) == (mine, False)


async def test_who_waits_hears_as_soon_as_it_is_told(app: Starlette, stage: Stage) -> None:
    one, application = await partner(app, stage)
    start = await feed(one)

    waiting = asyncio.create_task(feed(one, after=start["next"], wait=30))
    told = await stage.announce(await stage.meeting(application=application))

    assert ids(await waiting) == told


async def test_waiting_ends_with_a_cursor_to_go_on_from(app: Starlette, stage: Stage) -> None:
    one, application = await partner(app, stage)

    nothing = await feed(one, wait=1)
    told = await stage.announce(await stage.meeting(application=application))

    assert nothing["items"] == []
    assert ids(await feed(one, after=nothing["next"])) == told


@pytest.mark.parametrize("wait", ["31", "-1", "x"])
async def test_nobody_waits_longer_than_half_a_minute(
    app: Starlette, stage: Stage, wait: str
) -> None:
    one, _ = await partner(app, stage)

    answer = await one.get("/v1/feed", params={"wait": wait})

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")


async def test_after_a_restore_an_old_cursor_is_not_taken_for_a_place_of_today(
    app: Starlette, stage: Stage, store: Store
) -> None:
    one, application = await partner(app, stage)
    await stage.announce(await stage.meeting(application=application))
    cursor = (await feed(one))["next"]

    await store.epoch.begin()

    async def reset() -> bool:
        return (await one.get("/v1/feed", params={"after": cursor})).status_code == 410

    await until(reset)  # the door looks for a new life every other second
    answer = await one.get("/v1/feed", params={"after": cursor})
    assert kind_of(answer) == "cursor-reset"
    assert "from the start" in answer.json()["detail"]
    assert len((await feed(one))["items"]) == 1


async def test_a_cursor_older_than_what_is_kept_says_so_instead_of_leaving_a_gap(
    doors_settings: Settings, stage: Stage, store: Store
) -> None:
    brief = doors_settings.model_copy(update={"keep_feed": timedelta(seconds=1)})
    async with open_app(brief) as app:
        one, application = await partner(app, stage)
        await stage.announce(await stage.meeting(application=application))
        cursor = (await feed(one))["items"][0]["cursor"]

        async def reset() -> bool:
            return (await one.get("/v1/feed", params={"after": cursor})).status_code == 410

        await until(reset)


async def test_a_body_that_has_expired_is_left_out(
    app: Starlette, stage: Stage, store: Store
) -> None:
    one, application = await partner(app, stage)
    meeting = await stage.meeting(application=application)
    brief = stage.runtime.settings.model_copy(update={"keep_feed": timedelta(milliseconds=1)})
    lasting = stage.runtime
    stage.runtime = replace(lasting, settings=brief)
    (gone,) = await stage.announce(meeting)
    stage.runtime = lasting
    told = await stage.announce(meeting)

    async def expired() -> bool:
        return await store.blobs.get(stage.tenant, f"callback/{gone}") is None

    await until(expired)
    assert ids(await feed(one)) == told
