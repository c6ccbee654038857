"""When is a calendar read again, and where does a reading that was cut go on?"""

from __future__ import annotations

from datetime import datetime, timedelta

from infra.lanes import Claimed, Lane
from infra.sandbox.client import Sandbox
from schemas.connections import Calendar
from tests.workers.stage import Stage, until
from tests.workers.watching import ADA, mark, reading_of, was_read, watch
from workers.jobs.read_calendars import read_calendar


async def claimed(stage: Stage) -> Claimed:
    """The calendar's lane, once it is due."""
    found: list[Claimed] = []

    async def taken() -> bool:
        found.extend(await stage.runtime.store.lanes.claim("calendar", 1, empty=True))
        return bool(found)

    await until(taken)
    return found[0]


async def test_a_hint_that_shows_nothing_is_looked_at_again_after_15_seconds(
    stage: Stage, sandbox: Sandbox
) -> None:
    """ENGINE 19: providers may list a change later than they push it."""
    calendar = await watch(stage, sandbox)
    lanes = stage.runtime.store.lanes
    lane = await claimed(stage)
    empty = await read_calendar(lane, stage.runtime)
    await lanes.commit(lane, empty)

    await sandbox.google.add_event(ADA, title="Standup", location="Zoom")
    await mark(stage, calendar)
    lane = await claimed(stage)
    found = await read_calendar(lane, stage.runtime)
    await lanes.commit(lane, found)

    assert empty.timers["look_again"] == timedelta(seconds=15)
    assert "look_again" not in found.timers


async def renewal(stage: Stage, calendar: Calendar) -> datetime:
    """When the channel is renewed."""
    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "calendar", calendar.id))
    return state.timers["renew"]


async def test_a_channel_is_renewed_between_55_and_70_percent_of_its_life(
    stage: Stage, sandbox: Sandbox
) -> None:
    """Not all at the same part of it, so that a fleet's renewals do not march in step."""
    calendar = await watch(stage, sandbox)
    parts: list[float] = []
    async with stage.at_work("calendar"):
        for channels in (1, 2):
            before = stage.runtime.now()

            async def opened(count: int = channels) -> bool:
                reading = await reading_of(stage, calendar)
                live = [one for one in reading.subscriptions if one.state == "live"]
                return len(reading.subscriptions) == count and len(live) == 1

            await until(opened)
            await was_read(stage, calendar)
            newest = (await reading_of(stage, calendar)).subscriptions[-1]
            assert newest.expires_at is not None
            life = newest.expires_at - before
            parts.append((await renewal(stage, calendar) - before) / life)
            if channels == 1:
                await mark(stage, calendar, "renew")

    # Seconds of a week are not to be seen in these.
    assert all(0.549 < part < 0.701 for part in parts)
    assert abs(parts[0] - parts[1]) > 0.001


async def test_a_reading_that_was_cut_goes_on_with_the_page_that_is_missing(
    stage: Stage, sandbox: Sandbox
) -> None:
    """ENGINE 30"""
    calendar = await watch(stage, sandbox)
    await sandbox.google.settings(page_cap=1)
    for number in range(4):
        await sandbox.google.add_event(ADA, title=f"Meeting {number}", location="Zoom")
    await sandbox.fault("google.list", "before", status=503, skip=2)

    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        cut = await pages(sandbox)
        await sandbox.forget_calls()
        await mark(stage, calendar, "full")
        await was_read(stage, calendar, generation=2)
        whole = await pages(sandbox)

    assert [status for _, status in cut] == [200, 200, 503, *[200] * (len(whole) - 2)]
    assert cut[2][0] == cut[3][0], "the same page once more"
    assert await stage.runtime.store.rank.size(stage.tenant, f"events:{calendar.id}") == 4


async def pages(sandbox: Sandbox) -> list[tuple[object, object]]:
    """What was asked of the calendar's list, in order, and how that was answered."""
    calls = await sandbox.latest_calls()
    return [(one["query"], one["status"]) for one in calls if one["operation"] == "google.list"]
