"""What others' bug reports teach: one test for each, named after its lesson and its source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from infra import keys, valkey
from infra.lanes import Leases
from infra.settings import Settings
from infra.store import open_store
from tests.machines.peer import peer, says
from tests.workers.hearing import OK, headers, undelivered
from tests.workers.partner import Partner
from tests.workers.stage import HANDLERS, Stage, until
from workers.hand import Hand

NO = says("500 No")


async def test_indexes_that_the_store_forgot_stop_no_delivery(
    partner: Partner, stage: Stage, settings: Settings
) -> None:
    """svix 1844: the consumer group was gone, and workers span on it until they were restarted."""
    client = valkey.connect(settings)
    async with peer(OK) as theirs:
        made = await partner.endpoint(theirs.url)
        await partner.told(meetings=3)
        await client.delete(keys.turn("callback"), keys.ring("callback"), keys.duty("callback"))

        async with stage.at_work("callback"):
            await stage.runtime.store.lanes.look([stage.tenant])  # as every process does
            await partner.nothing_waits(made["id"])
    await client.aclose()

    assert len(theirs.heads) == 3


async def test_an_attempt_that_outlasts_a_lease_is_not_made_twice(
    partner: Partner, stage: Stage, settings: Settings
) -> None:
    """svix 2181: a task became visible again while its request was still running."""

    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3)
        await OK(writer)

    async with peer(slow) as theirs:
        made = await partner.endpoint(theirs.url)
        [[callback]] = await partner.told()
        async with two_workers(stage, settings, Leases(timedelta(seconds=1), BEAT)):
            await partner.nothing_waits(made["id"])

    assert len(theirs.heads) == 1
    assert [one.delivered for one in await stage.attempts(callback)] == [True]


BEAT = timedelta(milliseconds=300)


@asynccontextmanager
async def two_workers(stage: Stage, settings: Settings, leases: Leases) -> AsyncIterator[None]:
    """Two processes' hands, with leases as short as these."""
    async with (
        open_store(settings, leases=leases) as one,
        open_store(settings, leases=leases) as two,
    ):
        hands = [
            Hand("callback", HANDLERS["callback"], replace(stage.runtime, store=store))
            for store in (one, two)
        ]

        async def relieve() -> None:
            """Nobody: the term outlasts the test."""

        async def beat() -> None:
            while True:
                for hand, store in zip(hands, (one, two), strict=True):
                    await store.lanes.heartbeat(hand.held)
                await asyncio.sleep(BEAT.total_seconds())

        beating = asyncio.create_task(beat())
        terms = [asyncio.create_task(hand.serve(timedelta(minutes=2), relieve)) for hand in hands]
        yield
        for hand in hands:
            hand.stop()
        await asyncio.gather(*terms)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def test_work_for_a_deleted_endpoint_is_dropped_and_stops_nobody(
    partner: Partner, stage: Stage
) -> None:
    """svix 1511: a task for an endpoint that was deleted meanwhile failed for ever."""
    async with peer(OK) as theirs, peer(OK) as others:
        gone, kept = await partner.endpoint(theirs.url), await partner.endpoint(others.url)
        await partner.told(2)
        await partner.client.delete(f"/v1/endpoints/{gone['id']}")
        async with stage.at_work("callback"):
            await partner.nothing_waits(kept["id"])

    assert (len(theirs.heads), len(others.heads)) == (0, 2)
    assert await stage.runtime.store.lanes.parked(stage.tenant, "", 10) == []


async def test_an_attempt_log_that_cannot_be_written_sends_nothing_again(
    partner: Partner, stage: Stage, settings: Settings
) -> None:
    """outpost 276: a delivery was repeated because its log entry could not be kept."""
    client = valkey.connect(settings)
    async with peer(OK) as theirs:
        await partner.endpoint(theirs.url)
        [[callback]] = await partner.told()
        place = keys.log(stage.tenant, f"attempts/{callback}", datetime.now(UTC).date())
        await client.set(place, "not a list")
        async with stage.at_work("callback"):
            await until(lambda: _holds(len(theirs.heads) == 1))
            [[other]] = await partner.told()
            await until(lambda: stage.attempts(other))
    await client.aclose()

    sent = [headers(theirs, place)["webhook-id"].partition("_end_")[0] for place in range(2)]
    assert sent == [callback, other]


async def _holds(what: bool) -> bool:
    return what


async def test_a_partners_4xx_needs_no_person_of_ours(partner: Partner, stage: Stage) -> None:
    """outpost 571: customers' 4xx filled the operator's dead letters."""
    async with peer(says("404 Not Found")) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, retry_s=[1])
        await partner.told()
        await partner.nothing_waits(made["id"])

    assert await stage.runtime.store.lanes.parked(stage.tenant, "", 10) == []
    [row] = await undelivered(stage)
    assert "404" in row.reason


async def test_an_answer_larger_than_any_log_is_cut_and_counts(
    partner: Partner, stage: Stage
) -> None:
    """outpost: a large response body broke the write of the log."""
    huge = says("200 OK", body=b"x" * 5_000_000)
    async with peer(huge) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        [[callback]] = await partner.told()
        await partner.nothing_waits(made["id"])

    [attempt] = await stage.attempts(callback)
    assert (attempt.delivered, attempt.excerpt) == (True, "x" * 500)


async def test_quick_retries_are_numbered_and_logged_one_by_one(
    partner: Partner, stage: Stage
) -> None:
    """outpost: a retry raced the log entry of the attempt before it."""
    async with peer(NO, NO, OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, retry_s=[1, 1])
        [[callback]] = await partner.told()
        await partner.nothing_waits(made["id"])

    attempts = await stage.attempts(callback)
    assert [one.number for one in attempts] == [1, 2, 3]
    assert [one.id for one in attempts] == [
        headers(theirs, place)["tieline-attempt"] for place in range(3)
    ]


async def test_a_redelivery_by_hand_makes_the_planned_retry_needless(
    partner: Partner, stage: Stage
) -> None:
    """outpost: a manual retry neither cancelled nor advanced the one on schedule."""
    async with peer(NO, OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        meeting = await stage.meeting(application=partner.application)
        first, second = await stage.announce(meeting, 2)
        await until(lambda: stage.attempts(first))

        await partner.ask(f"/v1/callbacks/{first}/redeliver", endpoint=made["id"])
        await until(lambda: _attempted(stage, first, 2))
        await partner.hurry(made["id"], meeting.id)
        await partner.nothing_waits(made["id"])

    sent = [headers(theirs, place) for place in range(len(theirs.heads))]
    assert [one["webhook-id"] for one in sent] == [
        f"{callback}_{made['id']}" for callback in (first, first, second)
    ]
    assert [one.get("tieline-redelivery") for one in sent] == [None, "true", None]


async def _attempted(stage: Stage, callback: str, times: int) -> bool:
    return len(await stage.attempts(callback)) == times


async def test_waiting_for_a_place_takes_no_attempt(partner: Partner, stage: Stage) -> None:
    """convoy: deliveries that were rate limited used up their attempts."""
    async with peer(OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, rate_per_s=3, retry_s=[1])
        callbacks = [one for [one] in await partner.told(meetings=8)]
        await partner.nothing_waits(made["id"])

    attempts = [one for callback in callbacks for one in await stage.attempts(callback)]
    assert [(one.number, one.delivered) for one in attempts] == [(1, True)] * 8


async def test_the_same_request_at_the_same_time_sends_one_callback(
    partner: Partner, stage: Stage
) -> None:
    """convoy 2747: two publishes with one idempotency key made two events."""
    async with peer(OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        path, key = f"/v1/endpoints/{made['id']}/test", {"idempotency-key": "the-same"}
        answers = await asyncio.gather(
            *(partner.client.post(path, headers=key, json={}) for _ in range(8))
        )
        names = {answer.json()["callback"] for answer in answers if answer.is_success}
        [callback] = names
        await until(lambda: stage.attempts(callback))
        [[last]] = await partner.told()
        await until(lambda: stage.attempts(last))

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len(theirs.heads) == 2


async def test_answers_with_headers_beyond_ascii_are_answers(
    partner: Partner, stage: Stage
) -> None:
    """hook0: a response header that was not ASCII ended the delivery with a panic."""
    odd = says("200 OK", headers="X-Ort: Köln\r\nRetry-After: ٣\r\nWebhook-Delivery: ÿ\r\n")
    async with peer(odd) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        [[callback]] = await partner.told()
        await partner.nothing_waits(made["id"])

    assert [one.delivered for one in await stage.attempts(callback)] == [True]


async def test_what_fails_together_is_not_tried_again_together(
    partner: Partner, stage: Stage
) -> None:
    """hook0: without jitter a fleet retries in lockstep."""
    async with peer(says("400 No")) as theirs, stage.at_work("callback"):
        await partner.endpoint(theirs.url, retry_s=[3600])
        callbacks = [one for [one] in await partner.told(meetings=20)]
        for callback in callbacks:
            await until(partial(stage.attempts, callback))

    attempts = [one for callback in callbacks for one in await stage.attempts(callback)]
    waits = [one.again_at - one.at for one in attempts if one.again_at is not None]
    assert len(waits) == 20
    assert min(waits) >= timedelta(hours=1)
    assert max(waits) - min(waits) > timedelta(minutes=2)
