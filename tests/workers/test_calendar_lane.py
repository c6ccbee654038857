"""The lane of a calendar: subscriptions, full readings, and what absence proves."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Lane
from infra.sandbox.client import Sandbox
from schemas.connections import Calendar, LinkState, Reading, Route, Subscription
from schemas.events import Sighting
from tests.workers.stage import Stage, until
from tests.workers.watching import (
    ADA,
    living,
    mark,
    reading_of,
    shown_once,
    sighting,
    was_read,
    watch,
)
from workers.jobs.calendar_trouble import FAILURES


async def let_go(stage: Stage, calendar: Calendar) -> None:
    """Watch it no more, until no channel of it is left."""
    stored = await stage.runtime.store.documents.get(stage.tenant, Calendar, calendar.id)
    assert stored is not None
    await stage.keep(stored.model_copy(update={"watched": False}))
    await mark(stage, calendar)

    async def retired() -> bool:
        subscriptions = (await reading_of(stage, calendar)).subscriptions
        return all(one.state == "retired" for one in subscriptions)

    await until(retired)


async def test_a_channel_is_renewed_by_opening_a_new_one_before_the_old_one_stops(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        (first,) = (await was_read(stage, calendar)).subscriptions
        await mark(stage, calendar, "renew")

        async def renewed() -> bool:
            return len((await reading_of(stage, calendar)).subscriptions) == 2

        await until(renewed)
        await was_read(stage, calendar)

    by_state = {one.state: one for one in (await reading_of(stage, calendar)).subscriptions}
    old, new = by_state["retired"], by_state["live"]
    retired = await stage.runtime.store.documents.get(stage.tenant, Route, old.route)
    called = [
        one["operation"]
        for one in await sandbox.latest_calls()
        if one["operation"] in {"google.watch", "google.stop"}
    ]
    assert old.id == first.id
    assert retired is not None
    assert retired.retired
    assert [one["id"] for one in await living(sandbox)] == [new.id]
    assert called == ["google.watch", "google.watch", "google.stop"]


async def test_a_calendar_without_a_subscription_is_read(stage: Stage, sandbox: Sandbox) -> None:
    """Only after three tries in a row does the subscription rest, not the reading."""
    calendar = await watch(stage, sandbox)
    lane = Lane(stage.tenant, "calendar", calendar.id)
    event = await sandbox.google.add_event(ADA, title="Review", location="Zoom")
    await sandbox.fault("google.watch", "before", status=500, rate=1.0)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        seen_at_once = await sighting(stage, calendar, event.id)

        async def rests() -> bool:
            return "renew" in (await stage.runtime.store.lanes.state(lane)).timers

        await until(rests, within=timedelta(seconds=40))

    timers = (await stage.runtime.store.lanes.state(lane)).timers
    assert seen_at_once is not None
    assert await sandbox.calls("google.watch") == FAILURES
    assert (await living(sandbox), (await reading_of(stage, calendar)).trouble) == ([], "")
    assert timers["renew"] < timers["poll"]


async def test_a_channel_that_can_send_no_more_is_forgotten_with_its_address(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    over = stage.runtime.now() - timedelta(hours=1)
    route = Route(id="r_old", provider="google", calendar=calendar.id, retired=True)
    old = Subscription(id="c_old", route=route.id, state="retired", expires_at=over)
    await stage.keep(Reading(id=calendar.id, subscriptions=(old,)), route)

    async with stage.at_work("calendar"):
        reading = await was_read(stage, calendar)

    assert [one.state for one in reading.subscriptions] == ["live"]
    assert await stage.runtime.store.documents.get(stage.tenant, Route, route.id) is None


async def test_a_channel_that_was_never_answered_is_recognised_and_replaced(
    stage: Stage, sandbox: Sandbox
) -> None:
    """Row first: Google opened the channel and its answer was lost."""
    calendar = await watch(stage, sandbox)
    await sandbox.fault("google.watch", "after", status=503)
    async with stage.at_work("calendar"):

        async def watched_twice() -> bool:
            return len(await sandbox.google.channels()) == 2

        await until(watched_twice, within=timedelta(seconds=40))
        reading = await was_read(stage, calendar)

    states = sorted(one.state for one in reading.subscriptions)
    routes = [
        await stage.runtime.store.documents.get(stage.tenant, Route, one.route)
        for one in reading.subscriptions
    ]
    assert states == ["live", "retired"]
    assert all(route is not None for route in routes)


async def test_a_calendar_that_may_not_be_watched_is_read_on_schedule(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    await sandbox.fault(
        "google.watch", "before", status=400, reason="pushNotSupportedForRequestedResource"
    )
    await sandbox.google.add_event(ADA, title="Standup", location="Zoom")
    async with stage.at_work("calendar"):
        reading = await was_read(stage, calendar)

    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "calendar", calendar.id))
    sightings = await stage.runtime.store.rank.size(stage.tenant, f"events:{calendar.id}")
    assert reading.subscriptions == () or reading.subscriptions[0].state == "asked"
    assert {"poll", "full"} <= set(state.timers)
    assert sightings == 1


async def test_a_full_reading_believes_only_a_confirmed_absence(
    stage: Stage, sandbox: Sandbox
) -> None:
    """What it does not show is asked for one by one: one is gone, one is there after all."""
    calendar = await watch(stage, sandbox)
    there = await sandbox.google.add_event(ADA, title="Stays", location="Zoom")
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        stays = await sighting(stage, calendar, there.id)
        assert stays is not None
        gone = await shown_once(stage, stays, "0123456789neverwas")
        await sandbox.manners("google", paused=True)
        long_ago = stage.runtime.now() - timedelta(days=9)
        await sandbox.google.move_event(ADA, there.id, starts=long_ago)
        await mark(stage, calendar, "full")
        await was_read(stage, calendar, generation=2)

    looks = await stage.runtime.store.lanes.state(Lane(stage.tenant, "meeting", gone.meeting))
    asked = [
        one["query"] for one in await sandbox.latest_calls() if one["operation"] == "google.get"
    ]
    assert len(asked) == 2
    assert await sighting(stage, calendar, gone.event.id) is None
    assert looks.depth == 1, "its meeting is told to look"
    assert await sighting(stage, calendar, there.id) == stays


async def test_what_lies_before_the_window_is_forgotten_and_not_torn_down(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    event = await sandbox.google.add_event(ADA, title="Soon over", location="Zoom")
    key = Sighting.key(calendar.id, event.id)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        seen = await stage.runtime.store.documents.get(stage.tenant, Sighting, key)
        assert seen is not None
        long_ago = stage.runtime.now() - timedelta(days=9)
        old = seen.event.slot.model_copy(
            update={"starts_at": long_ago, "ends_at": long_ago + timedelta(hours=1)}
        )
        over = seen.event.model_copy(update={"slot": old})
        await stage.keep(seen.model_copy(update={"event": over}))
        await sandbox.manners("google", paused=True)
        await sandbox.google.move_event(ADA, event.id, starts=long_ago)
        await sandbox.google.expire_sync_tokens(ADA)
        await mark(stage, calendar)
        await was_read(stage, calendar, generation=2)

    posted = await stage.runtime.store.lanes.state(Lane(stage.tenant, "meeting", seen.meeting))
    assert await stage.runtime.store.documents.get(stage.tenant, Sighting, key) is None
    assert posted.depth == 1, "its first sighting, and nothing of its absence"


async def test_a_calendar_that_cannot_be_read_says_so_and_tells_its_connection(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    async with stage.at_work("calendar", "connection"):
        await was_read(stage, calendar)
        await sandbox.google.revoke_grants(ADA)
        await mark(stage, calendar)

        async def noticed() -> bool:
            state = (await stage.connection(calendar.connection)).state
            return state is LinkState.NEEDS_REAUTH

        await until(noticed)
        await until(lambda: stage.idle("calendar", calendar.id))

    assert (await reading_of(stage, calendar)).trouble


async def test_a_calendar_that_is_gone_troubles_no_other_of_its_connection(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    async with stage.at_work("calendar", "connection"):
        await was_read(stage, calendar)
        await sandbox.fault("google.list", "before", status=404, reason="notFound", rate=1.0)
        await mark(stage, calendar)

        async def said() -> str:
            return (await reading_of(stage, calendar)).trouble

        await until(said)
        await until(lambda: stage.idle("calendar", calendar.id))

    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "calendar", calendar.id))
    assert (await stage.connection(calendar.connection)).state is LinkState.LINKED
    assert (state.failures, state.parked) == (0, None)
    assert "poll" in state.timers


async def test_a_calendar_that_is_watched_no_more_stops_its_channel_even_if_it_is_gone(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        await sandbox.fault("google.stop", "before", status=404)
        await let_go(stage, calendar)

    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "calendar", calendar.id))
    assert "poll" not in state.timers or state.depth == 0


async def test_a_calendar_that_is_let_go_after_its_link_leaves_its_channel_to_end(
    stage: Stage, sandbox: Sandbox
) -> None:
    """Nobody is left who could stop it; its lane does not fail over that for ever."""
    calendar = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        connection = await stage.connection(calendar.connection)
        await stage.keep(connection.model_copy(update={"state": LinkState.UNLINKED}))
        await let_go(stage, calendar)

    (one,) = (await reading_of(stage, calendar)).subscriptions
    route = await stage.runtime.store.documents.get(stage.tenant, Route, one.route)
    assert route is not None
    assert route.retired
    assert await sandbox.calls("google.stop") == 0


async def test_what_differs_in_a_series_is_kept_though_the_series_comes_pages_later(
    stage: Stage, sandbox: Sandbox
) -> None:
    """T31: what was changed last comes last, and somebody renamed the series after moving one."""
    calendar = await watch(stage, sandbox)
    await sandbox.google.settings(page_cap=1)
    starts = stage.runtime.now().replace(microsecond=0) + timedelta(days=2)
    series = await sandbox.google.add_event(
        ADA,
        title="Daily",
        starts=starts,
        zone="UTC",
        location="zoom",
        recurrence=["RRULE:FREQ=DAILY;COUNT=3"],
    )
    second = starts + timedelta(days=1)
    later = second + timedelta(hours=2)
    await sandbox.google.move_event(ADA, f"{series.id}_{second:%Y%m%dT%H%M%SZ}", starts=later)
    await sandbox.google.change_event(ADA, series.id, summary="Every day")

    async with stage.at_work("calendar"):
        await was_read(stage, calendar)

    key = Sighting.key(calendar.id, series.id)
    seen = await stage.runtime.store.documents.get(stage.tenant, Sighting, key)
    assert seen is not None
    (one,) = seen.exceptions or ()
    assert (one.original_start, one.what) == (second.isoformat(), "moved")
    assert one.starts_at == later
