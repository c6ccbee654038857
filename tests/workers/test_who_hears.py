"""Who hears of a change: its application, whoever may hear all, and each of many once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from infra.lanes import Lane, Unit
from schemas.callbacks import CallbackType
from tests.machines.peer import peer
from tests.workers.hearing import OK, claim, delivered
from tests.workers.stage import Stage, until
from workers.jobs.fire_callbacks import fire_callback
from workers.outbox import announce_into


async def test_an_application_hears_of_its_own_meetings_only(stage: Stage) -> None:
    async with peer(OK) as mine, peer(OK) as others, peer(OK) as whole:
        await stage.endpoint(mine.url, application="app_1")
        await stage.endpoint(others.url, application="app_2")
        wide, _ = await stage.endpoint(whole.url, application="app_3", tenant_wide=True)
        ours = await stage.meeting(application="app_1")
        calendars = await stage.meeting(application=None)

        async with stage.at_work("callback"):
            await stage.announce(ours)
            await stage.announce(calendars)
            await until(lambda: delivered(stage, wide, calendars.id))
            await until(lambda: delivered(stage, wide, ours.id))

    assert (len(mine.heads), len(others.heads), len(whole.heads)) == (1, 0, 2)


async def test_an_endpoint_hears_only_the_types_it_asked_for(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint(
        "http://127.0.0.1:9/", filters={"types": [CallbackType.MEETING_FAILED]}
    )
    meeting = await stage.meeting()

    await stage.announce(meeting)

    assert await delivered(stage, endpoint, meeting.id)


async def test_what_is_not_as_its_type_promises_is_never_announced(stage: Stage) -> None:
    await stage.endpoint("http://127.0.0.1:9/")
    meeting, unit = await stage.meeting(), Unit()
    moved = {"type": CallbackType.MEETING_RESCHEDULED}  # without its old and new times
    callback = stage.callback(meeting, 1).model_copy(update=moved)

    with pytest.raises(ValidationError, match="old"):
        await announce_into(
            unit, stage.runtime, stage.tenant, [callback], about=meeting, now=stage.runtime.now()
        )

    assert (unit.bodies, unit.posts, unit.feed) == ([], [], [])


async def test_many_endpoints_are_served_in_steps_and_each_once(stage: Stage) -> None:
    endpoints = [(await stage.endpoint("http://127.0.0.1:9/"))[0] for _ in range(110)]
    meeting = await stage.meeting()

    [callback] = await stage.announce(meeting)
    lane = Lane(stage.tenant, "callback", f"fanout/{meeting.id}")
    lanes = stage.runtime.store.lanes
    claimed = await claim(stage, lane)
    await lanes.commit(claimed, await fire_callback(claimed, stage.runtime))

    for endpoint in endpoints:
        state = await lanes.state(Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}"))
        assert state.depth == 1
    assert await stage.runtime.store.index.get(stage.tenant, "fanout", callback) is None


async def test_a_fan_out_that_was_cut_goes_on_behind_the_last_endpoint(stage: Stage) -> None:
    endpoints = [(await stage.endpoint("http://127.0.0.1:9/"))[0] for _ in range(60)]
    meeting = await stage.meeting()
    await stage.announce(meeting)
    lanes = stage.runtime.store.lanes
    fan = Lane(stage.tenant, "callback", f"fanout/{meeting.id}")

    cut = await claim(stage, fan)
    await fire_callback(cut, stage.runtime)  # its first step is committed, its last one is not
    await lanes.release(cut)
    again = await claim(stage, fan)
    await lanes.commit(again, await fire_callback(again, stage.runtime))

    states = [
        await lanes.state(Lane(stage.tenant, "callback", f"{one.id}/{meeting.id}"))
        for one in endpoints
    ]
    assert [state.depth for state in states] == [1] * 60
