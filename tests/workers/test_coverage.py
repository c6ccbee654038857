"""Which calendars are watched, and what is in the way of the others? For partners and operators."""

from __future__ import annotations

from datetime import timedelta
from functools import partial as bound
from typing import Any, Final

import httpx
from starlette.applications import Starlette

from infra.condition import watch_store
from infra.health import health_routes
from infra.lanes import Lane, Post
from infra.sandbox.client import Sandbox
from schemas.connections import Calendar, LinkState
from tests.workers.partner import Partner
from tests.workers.stage import Stage, until
from tests.workers.watching import ADA, mark, reading_of, was_read, watch
from workers.figures import Figures
from workers.jobs.offers import OFFERS

NOW: Final = timedelta(0)


async def figures(stage: Stage) -> dict[str, float]:
    """The calendars of the whole store, as a worker's `/metrics` tells them."""
    counted, store = Figures(), stage.runtime.store
    await store.register.add(stage.tenant)
    async with watch_store(stage.runtime.settings) as condition:
        routes = health_routes(
            condition,
            counted.registry,
            unserved=store.lanes.unserved,
            count=bound(counted.count, store),
        )
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as http:
            lines = (await http.get("/metrics")).text.splitlines()
    told = [line.split("} ") for line in lines if line.startswith("tieline_calendars{")]
    return {labels.partition("{")[2]: float(value) for labels, value in told}


async def shown(partner: Partner, calendar: Calendar) -> dict[str, Any]:
    """The calendar as a partner sees it."""
    return await partner.read(f"/v1/calendars/{calendar.id}")


async def test_a_source_that_keeps_failing_shows_and_is_said_to_be_over(
    partner: Partner, stage: Stage, sandbox: Sandbox
) -> None:
    """T12: a source died on an expired token, and nobody heard of it."""
    calendar = await watch(stage, sandbox)
    await sandbox.fault("google.list", "before", status=500, rate=1.0)

    async def troubled() -> bool:
        return bool((await reading_of(stage, calendar)).trouble)

    async with stage.at_work("calendar"):
        await until(troubled)
        failing, counted = await shown(partner, calendar), await figures(stage)
        await sandbox.lift()
        await stage.runtime.store.lanes.retry(Lane(stage.tenant, "calendar", calendar.id))
        await was_read(stage, calendar)

    timeline = await partner.read(f"/v1/calendars/{calendar.id}/timeline")
    again = await shown(partner, calendar)
    assert (failing["state"], again["state"]) == ("failing", "watched")
    assert failing["reason"].startswith("3 readings in a row did not come through")
    assert failing["failing_since"] is not None
    assert again["failing_since"] is None
    assert counted == {'reason="in trouble",state="unwatched"': 1}
    assert [one["what"] for one in timeline["items"]] == ["calendar.failing", "calendar.read_again"]
    assert timeline["items"][0]["words"] == failing["reason"]


async def test_a_lasting_trouble_is_noted_once(
    partner: Partner, stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    fault = await sandbox.fault("google.list", "before", status=403, reason="forbidden", rate=1.0)

    async def refused(times: int) -> bool:
        return await sandbox.hits(fault) == times and await stage.idle("calendar", calendar.id)

    async with stage.at_work("calendar"):
        await until(lambda: refused(1))
        await mark(stage, calendar)
        await until(lambda: refused(2))

    timeline = await partner.read(f"/v1/calendars/{calendar.id}/timeline")
    assert [one["what"] for one in timeline["items"]] == ["calendar.failing"]
    assert (await shown(partner, calendar))["state"] == "failing"


async def test_calendars_that_nobody_asked_to_watch_are_counted_with_their_reason(
    stage: Stage, sandbox: Sandbox
) -> None:
    """T15: of 1,866 calendars 7 were watched, unseen."""
    calendar = await watch(stage, sandbox)
    await sandbox.google.add_calendar(ADA, "team")
    bob = await sandbox.google.add_account("bob@example.org")
    await sandbox.google.add_calendar(bob, "holidays", roles={ADA: "reader"})
    await stage.runtime.store.lanes.post(
        Post(Lane(stage.tenant, "connection", calendar.connection), timers={OFFERS: NOW})
    )

    async def asked() -> bool:
        return await sandbox.calls("google.calendars") == 1

    async with stage.at_work("calendar", "connection"):
        await was_read(stage, calendar)
        await until(asked)
        await until(lambda: stage.idle("connection", calendar.connection))

    assert await figures(stage) == {
        'reason="",state="watched"': 1,
        'reason="nobody asked",state="unasked"': 1,
        'reason="read-only",state="unasked"': 1,
    }


async def test_a_calendar_behind_a_broken_link_is_not_watched_though_its_channel_lives(
    partner: Partner, stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
    connection = await stage.connection(calendar.connection)
    broken = {"state": LinkState.NEEDS_REAUTH, "reason": "the grant was taken back"}
    await stage.keep(connection.model_copy(update=broken))

    told = await shown(partner, calendar)

    assert told["state"] == "unlinked"
    assert "the grant was taken back" in told["reason"]
    assert await figures(stage) == {'reason="link is down",state="unwatched"': 1}


async def test_a_calendar_whose_push_is_refused_says_so(
    partner: Partner, stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    reason = "pushNotSupportedForRequestedResource"
    await sandbox.fault("google.watch", "before", status=400, reason=reason)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)

    told = await shown(partner, calendar)

    assert told["state"] == "polled"
    assert told["reason"] == "this calendar cannot be watched by push"
    assert await figures(stage) == {'reason="push refused",state="unwatched"': 1}


async def test_a_channel_that_kept_silent_counts_for_nothing_until_it_is_heard(
    partner: Partner, stage: Stage, sandbox: Sandbox
) -> None:
    """Healthy is a channel that was promised and is heard: what a reading on schedule shows, it
    ought to have told. Nothing that the sandbox pushes arrives here."""
    calendar = await watch(stage, sandbox)
    lane = Lane(stage.tenant, "calendar", calendar.id)

    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        quiet = await shown(partner, calendar)
        await sandbox.google.add_event(ADA, title="Standup", location="Zoom")
        await stage.runtime.store.lanes.post(Post(lane, timers={"poll": NOW}))

        async def missed() -> bool:
            return (await shown(partner, calendar))["state"] == "polled"

        await until(missed)
        await was_read(stage, calendar)
        silent, counted = await shown(partner, calendar), await figures(stage)
        await mark(stage, calendar)

        async def heard() -> bool:
            return (await shown(partner, calendar))["state"] == "watched"

        await until(heard)
        again = await shown(partner, calendar)

    assert (quiet["state"], quiet["heard_at"]) == ("watched", None)
    assert silent["reason"].startswith("its provider promised to tell us of changes, and did not")
    assert counted == {'reason="push silent",state="unwatched"': 1}
    assert again["reason"] == ""
    assert again["heard_at"] is not None
