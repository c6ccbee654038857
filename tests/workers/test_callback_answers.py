"""What a partner answers decides what follows, and nothing is lost without a word."""

from __future__ import annotations

import time
from datetime import timedelta

from infra.lanes import Body, Item, Lane, Post, Unit
from schemas.deliveries import Why
from schemas.items import Announced, write_load
from tests.machines.peer import peer, says
from tests.workers.hearing import OK, claim, delivered, undelivered
from tests.workers.stage import Stage, until


async def test_a_failure_is_tried_again_after_what_the_partner_asked_for(stage: Stage) -> None:
    async with peer(says("503 No", headers="Retry-After: 600\r\n")) as partner:
        endpoint, _ = await stage.endpoint(partner.url)
        meeting = await stage.meeting()
        async with stage.at_work("callback"):
            [callback] = await stage.announce(meeting)
            await until(lambda: stage.attempts(callback))

    lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")
    state = await stage.runtime.store.lanes.state(lane)
    assert state.not_before is not None
    wait = state.not_before - stage.runtime.now()
    assert timedelta(seconds=590) < wait <= timedelta(seconds=661)
    [attempt] = await stage.attempts(callback)
    assert attempt.again_at is not None
    assert not attempt.delivered


async def test_a_redirect_is_a_failure_and_is_not_followed(stage: Stage) -> None:
    async with peer(OK) as elsewhere:
        location = f"Location: {elsewhere.url}\r\n"
        async with peer(says("307 Elsewhere", headers=location)) as partner:
            await stage.endpoint(partner.url)
            async with stage.at_work("callback"):
                [callback] = await stage.announce(await stage.meeting())
                await until(lambda: stage.attempts(callback))

        [attempt] = await stage.attempts(callback)
        assert (attempt.status, attempt.delivered) == (307, False)
        assert elsewhere.lines == 0


async def test_410_disables_the_endpoint_and_holds_what_it_did_not_hear(stage: Stage) -> None:
    async with peer(says("410 Gone")) as partner, stage.at_work("callback", "house"):
        endpoint, _ = await stage.endpoint(partner.url)
        meeting = await stage.meeting()

        await stage.announce(meeting, 2)
        await until(lambda: stage.stands(endpoint, "disabled"))
        await stage.announce(meeting)

        assert len(partner.heads) == 1
        assert await undelivered(stage) == []
        assert await stage.waiting(endpoint) == 3


async def test_a_slow_endpoint_rests_for_all_its_meetings(stage: Stage) -> None:
    busy = says("429 Slow down", headers="Retry-After: 60\r\n")
    async with peer(busy) as partner, peer(OK) as other, stage.at_work("callback"):
        slow, _ = await stage.endpoint(partner.url)
        quick, _ = await stage.endpoint(other.url)
        first, second = await stage.meeting(), await stage.meeting()

        [callback] = await stage.announce(first)
        await until(lambda: stage.attempts(callback))
        await stage.announce(second)
        await until(lambda: delivered(stage, quick, second.id))

        assert len(partner.heads) == 1
        assert not await delivered(stage, slow, second.id)


async def test_an_address_that_we_may_not_call_is_not_called_and_the_reason_kept(
    stage: Stage,
) -> None:
    endpoint, _ = await stage.endpoint("https://169.254.169.254/latest/meta-data")
    meeting = await stage.meeting()
    async with stage.at_work("callback"):
        [callback] = await stage.announce(meeting)
        await until(lambda: delivered(stage, endpoint, meeting.id))

    [row] = await undelivered(stage)
    [attempt] = await stage.attempts(callback)
    assert (row.why, row.reason) == (Why.REFUSED, attempt.error)
    assert "forbidden address" in row.reason
    assert attempt.status is None


async def fail_times(stage: Stage, lane: Lane, times: int) -> None:
    """Let the lane fail as often as if a partner had been away."""
    lanes = stage.runtime.store.lanes
    for _ in range(times):
        claimed = await claim(stage, lane)
        await lanes.commit(claimed, Unit(failed=True, not_before=timedelta(0)))


async def test_a_used_up_schedule_is_kept_as_undelivered_and_the_lane_goes_on(
    stage: Stage,
) -> None:
    async with peer(says("500 No"), OK) as partner:
        endpoint, _ = await stage.endpoint(partner.url)
        meeting = await stage.meeting()
        first, second = await stage.announce(meeting, 2)
        lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")
        await fail_times(stage, lane, 9)

        async with stage.at_work("callback"):
            await until(lambda: delivered(stage, endpoint, meeting.id))

    [kept] = await undelivered(stage)
    assert (kept.callback, kept.endpoint, kept.meeting) == (first, endpoint.id, meeting.id)
    assert "10 attempts" in kept.reason
    assert [one.number for one in await stage.attempts(first)] == [10]
    assert [one.delivered for one in await stage.attempts(second)] == [True]
    house = await stage.runtime.store.lanes.state(Lane(stage.tenant, "house", "undelivered"))
    assert [name.partition("-")[0] for name in house.timers] == ["trim"]
    members = await stage.runtime.store.rank.up_to(
        stage.tenant, "undelivered", time.time() + 10, 10
    )
    assert list(members) == [f"{endpoint.id}/{first}"]


async def test_what_waits_for_a_deleted_endpoint_is_dropped_and_said(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint("http://127.0.0.1:9/")
    meeting = await stage.meeting()
    await stage.announce(meeting)
    await stage.runtime.store.lanes.submit(
        stage.tenant, Unit(drops=[endpoint.model_copy(update={"rev": 1})])
    )

    async with stage.at_work("callback"):
        await until(lambda: delivered(stage, endpoint, meeting.id))

    [entry] = await stage.timeline(meeting.id)
    assert entry.what == "callback.dropped"
    assert "deleted" in entry.words


async def test_an_expired_body_is_listed_as_undelivered(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint("http://127.0.0.1:9/")
    meeting = await stage.meeting()
    unit = Unit(bodies=[Body("callback/cb_gone", b"{}", timedelta(milliseconds=1))])
    said = Announced(callback="cb_gone", meeting=meeting.id)
    lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")
    unit.posts.append(Post(lane, Item("posted by hand", write_load(said))))
    await stage.runtime.store.lanes.submit(stage.tenant, unit)

    async with stage.at_work("callback"):
        await until(lambda: delivered(stage, endpoint, meeting.id))

    [row] = await undelivered(stage)
    [entry] = await stage.timeline(meeting.id)
    assert (row.callback, row.why) == ("cb_gone", Why.EXPIRED)
    assert entry.words == row.reason


async def test_an_item_that_nobody_wrote_is_set_aside(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint("http://127.0.0.1:9/")
    lane = Lane(stage.tenant, "callback", f"{endpoint.id}/mtg_1")
    await stage.runtime.store.lanes.post(Post(lane, Item("it_1", b"not ours")))

    async with stage.at_work("callback"):
        await until(lambda: stage.idle("callback", lane.subject))
