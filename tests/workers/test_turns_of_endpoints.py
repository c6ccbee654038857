"""Order within a subject, none between them; and one bad endpoint costs the others nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import orjson

from schemas.connections import Account, Connection
from schemas.people import Actor
from schemas.providers import Role
from tests.machines.peer import Peer, hangs, peer, resets, says
from tests.workers.hearing import OK, headers, undelivered
from tests.workers.partner import Partner
from tests.workers.stage import NOON, Stage, until

LONG = timedelta(seconds=60)


def sequences(theirs: Peer, subject: str) -> list[int]:
    """The numbers that arrived about a subject, in order."""
    bodies = [orjson.loads(body)["data"] for body in theirs.bodies]
    return [data["sequence"] for data in bodies if data["subject"] == subject]


async def test_callbacks_of_each_meeting_arrive_in_order_though_some_fail(
    partner: Partner, stage: Stage
) -> None:
    no = says("500 No")
    async with peer(OK, no, OK, no, no, OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, retry_s=[1, 1, 1, 1])
        meetings = [await stage.meeting(application=partner.application) for _ in range(4)]
        for meeting in meetings:
            await stage.announce(meeting, 5)
        await partner.nothing_waits(made["id"])

    for meeting in meetings:
        heard = sequences(theirs, meeting.id)
        firsts = [number for place, number in enumerate(heard) if number not in heard[:place]]
        assert firsts == [1, 2, 3, 4, 5]
        assert heard == sorted(heard)


async def test_one_hanging_endpoint_of_ten_keeps_nothing_from_the_other_nine(
    partner: Partner, stage: Stage
) -> None:
    """F17: it hangs on as many as it may have at once, of hardly more slots than those, and the
    others get all of theirs meanwhile."""
    slots = {**stage.runtime.settings.slots, "callback": 20}
    settings = stage.runtime.settings.model_copy(update={"slots": slots})
    stage.runtime = replace(stage.runtime, settings=settings)
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(peer(hangs))
        alive = [await stack.enter_async_context(peer(OK)) for _ in range(9)]
        hanging = await partner.endpoint(dead.url, timeout_s=20, concurrency=16)
        others = [await partner.endpoint(one.url) for one in alive]
        await stack.enter_async_context(stage.at_work("callback", "house"))
        await partner.told(meetings=20)

        for one in others:
            await partner.nothing_waits(one["id"])
        still = await partner.read(f"/v1/endpoints/{hanging['id']}")
        await stage.runtime.partners_wire.aclose()  # the hanging calls end as unknown

    assert [len(one.heads) for one in alive] == [20] * 9
    assert still["waiting"] == 20
    assert dead.heads


async def test_each_of_two_endpoints_with_the_same_filter_gets_every_callback(
    partner: Partner, stage: Stage
) -> None:
    """T20: a deduplication key that two subscribers shared dropped one of them."""
    async with peer(OK) as one, peer(OK) as other, stage.at_work("callback"):
        first = await partner.endpoint(one.url, types=["meeting.provisioned"])
        second = await partner.endpoint(other.url, types=["meeting.provisioned"])
        [callbacks] = await partner.told(3)
        await partner.nothing_waits(first["id"])
        await partner.nothing_waits(second["id"])

    for theirs, made in ((one, first), (other, second)):
        ids = [headers(theirs, place)["webhook-id"] for place in range(3)]
        assert ids == [f"{callback}_{made['id']}" for callback in callbacks]
    assert one.bodies == other.bodies


async def test_a_reschedule_tells_old_and_new_and_is_no_cancellation(
    partner: Partner, stage: Stage
) -> None:
    """T21: a partner could not tell a reschedule from a cancellation."""
    link = Connection(
        id=stage.runtime.new_id("con"),
        provider="jitsi",
        role=Role.CONFERENCING,
        account=Account(id="meet.example", name="meet.example"),
        room_url="https://meet.example",
        linked_at=NOON,
        linked_by=Actor(kind="application", id=partner.application),
    )
    await stage.keep(link, index={"connections": [link.id]})

    async def ask(hour: int) -> None:
        body = {
            "title": "Interview",
            "starts_at": f"2099-01-05T{hour}:00:00Z",
            "ends_at": f"2099-01-05T{hour + 1}:00:00Z",
            "conferencing": {"connection": link.id},
        }
        answer = await partner.client.put("/v1/meetings/interview-1", json=body)
        assert answer.is_success, answer.text

    async with peer(OK) as theirs, stage.at_work("callback", "meeting"):
        await partner.endpoint(theirs.url)
        await ask(10)
        await until(lambda: heard(theirs, "meeting.provisioned"), within=LONG)
        await ask(14)
        await until(lambda: heard(theirs, "meeting.rescheduled"), within=LONG)

    bodies = [orjson.loads(body) for body in theirs.bodies]
    [moved] = [body["data"] for body in bodies if body["type"] == "meeting.rescheduled"]
    assert [body["type"] for body in bodies] == ["meeting.provisioned", "meeting.rescheduled"]
    assert moved["old"]["starts_at"] == "2099-01-05T10:00:00Z"
    assert moved["new"]["starts_at"] == "2099-01-05T14:00:00Z"
    assert moved["meeting"]["external_id"] == "interview-1"
    assert moved["cause"]["by"] == "application"


async def heard(theirs: Peer, kind: str) -> bool:
    return any(orjson.loads(body)["type"] == kind for body in theirs.bodies)


async def test_an_endpoint_that_blocks_goes_on_with_nothing_before_the_oldest_is_delivered(
    partner: Partner, stage: Stage
) -> None:
    no = says("500 No")
    async with peer(no, no, no, OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, retry_s=[1], head_of_line="block")
        meeting = await stage.meeting(application=partner.application)
        first, _ = await stage.announce(meeting, 2)
        await partner.nothing_waits(made["id"])

    assert sequences(theirs, meeting.id) == [1, 1, 1, 1, 2]
    assert [one.number for one in await stage.attempts(first)] == [1, 2, 3, 4]
    assert await undelivered(stage) == []


async def test_an_endpoint_that_coalesces_gets_the_latest_state_only(
    partner: Partner, stage: Stage
) -> None:
    async with peer(says("500 No"), OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, retry_s=[1], head_of_line="coalesce")
        meeting = await stage.meeting(application=partner.application)
        [first] = await stage.announce(meeting)
        await until(lambda: stage.attempts(first))
        await stage.announce(meeting, 4)
        await partner.nothing_waits(made["id"])
        timeline = await stage.timeline(meeting.id)

    assert sequences(theirs, meeting.id) == [1, 4]
    left_out = [entry for entry in timeline if entry.what == "callback.left_out"]
    assert len(left_out) == 4
    assert await undelivered(stage) == []


async def test_old_retries_leave_half_of_the_slots_to_fresh_callbacks(
    partner: Partner, stage: Stage
) -> None:
    async with peer(resets) as bad, peer(OK) as good, stage.at_work("callback"):
        await partner.endpoint(bad.url, retry_s=[1, 1, 1], concurrency=64)
        made = await partner.endpoint(good.url)
        stage.runtime.retrying.update(f"claim {n}" for n in range(50))  # as many as may be

        await partner.told(meetings=3)
        await partner.nothing_waits(made["id"])
        await until(lambda: _at_least(bad, 3))
        kept_waiting = len(bad.heads)
        stage.runtime.retrying.clear()
        await until(lambda: _at_least(bad, 6))

    assert len(good.heads) == 3
    assert kept_waiting == 3


async def _at_least(theirs: Peer, count: int) -> bool:
    return len(theirs.heads) >= count
