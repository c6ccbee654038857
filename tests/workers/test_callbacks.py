"""A partner hears what was announced: signed, in order per meeting, at least once."""

from __future__ import annotations

import io

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from infra.lanes import Lane
from tests.machines.peer import hangs, peer, says
from tests.workers.hearing import OK, claim, delivered, headers
from tests.workers.stage import Stage, until
from workers.jobs.fire_callbacks import fire_callback


async def test_the_reference_library_accepts_what_every_secret_signed(stage: Stage) -> None:
    async with peer(OK) as partner, stage.at_work("callback"):
        endpoint, secrets = await stage.endpoint(partner.url, signing=2)
        meeting = await stage.meeting()

        [callback] = await stage.announce(meeting)
        await until(lambda: delivered(stage, endpoint, meeting.id))

        sent = headers(partner, 0)
        for secret in secrets:
            told = Webhook(secret).verify(partner.bodies[0], sent)
            assert told["type"] == "meeting.provisioned"
            assert told["id"] == callback
            assert told["data"]["tenant"] == stage.tenant
        assert sent["webhook-id"] == f"{callback}_{endpoint.id}"
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + "A" * 32).verify(partner.bodies[0], sent)


async def test_an_attempt_is_kept_with_its_answer(stage: Stage) -> None:
    async with peer(says("200 OK", body=b'{"thanks":true}')) as partner, stage.at_work("callback"):
        endpoint, _ = await stage.endpoint(partner.url)
        meeting = await stage.meeting()

        [callback] = await stage.announce(meeting)
        await until(lambda: delivered(stage, endpoint, meeting.id))

    [attempt] = await stage.attempts(callback)
    assert (attempt.number, attempt.status, attempt.delivered) == (1, 200, True)
    assert attempt.excerpt == '{"thanks":true}'
    [entry] = await stage.timeline(meeting.id)
    assert (entry.what, entry.fields["endpoint"]) == ("callback.delivered", endpoint.id)


async def test_callbacks_of_one_meeting_wait_for_each_other(stage: Stage) -> None:
    async with peer(says("500 No"), OK) as partner, stage.at_work("callback"):
        endpoint, _ = await stage.endpoint(partner.url)
        meeting = await stage.meeting()
        lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")

        first, second, third = await stage.announce(meeting, 3)
        await until(lambda: stage.attempts(first))
        assert len(partner.heads) == 1
        await stage.runtime.store.lanes.retry(lane)
        await until(lambda: delivered(stage, endpoint, meeting.id))

    sent = [headers(partner, place)["webhook-id"] for place in range(4)]
    assert sent == [f"{one}_{endpoint.id}" for one in (first, first, second, third)]


async def test_a_repeat_carries_the_same_id_and_its_own_timestamp(stage: Stage) -> None:
    async with peer(says("503 No"), OK) as partner, stage.at_work("callback"):
        endpoint, [secret] = await stage.endpoint(partner.url)
        meeting = await stage.meeting()
        lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")

        [callback] = await stage.announce(meeting)
        await until(lambda: stage.attempts(callback))
        await stage.runtime.store.lanes.retry(lane)
        await until(lambda: delivered(stage, endpoint, meeting.id))

    first, second = headers(partner, 0), headers(partner, 1)
    assert first["webhook-id"] == second["webhook-id"]
    assert partner.bodies[0] == partner.bodies[1]
    Webhook(secret).verify(partner.bodies[1], second)


async def test_another_meeting_does_not_wait_for_the_one_that_fails(stage: Stage) -> None:
    async with peer(says("500 No"), OK) as partner, stage.at_work("callback"):
        endpoint, _ = await stage.endpoint(partner.url)
        stuck, free = await stage.meeting(), await stage.meeting()

        [callback] = await stage.announce(stuck)
        await until(lambda: stage.attempts(callback))
        await stage.announce(free)
        await until(lambda: delivered(stage, endpoint, free.id))

        assert not await delivered(stage, endpoint, stuck.id)


async def test_a_run_that_is_cut_after_the_post_sends_it_again_under_the_same_id(
    stage: Stage,
) -> None:
    async with peer(OK) as partner:
        endpoint, _ = await stage.endpoint(partner.url)
        meeting = await stage.meeting()
        [callback] = await stage.announce(meeting)
        lanes = stage.runtime.store.lanes
        lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")
        claimed = await claim(stage, lane)

        await fire_callback(claimed, stage.runtime)  # and its commit never happens
        await lanes.release(claimed)
        async with stage.at_work("callback"):
            await until(lambda: delivered(stage, endpoint, meeting.id))

    sent = [headers(partner, place)["webhook-id"] for place in range(2)]
    assert sent == [f"{callback}_{endpoint.id}"] * 2
    assert len(await stage.attempts(callback)) == 1


async def test_a_partner_that_never_answers_holds_no_other_meeting(stage: Stage) -> None:
    async with peer(hangs) as dead, peer(OK) as alive, stage.at_work("callback"):
        await stage.endpoint(dead.url)
        quick, _ = await stage.endpoint(alive.url)
        meeting = await stage.meeting()

        await stage.announce(meeting)
        await until(lambda: delivered(stage, quick, meeting.id))

        assert len(alive.heads) == 1
        await stage.runtime.partners_wire.aclose()  # the hanging call ends as unknown


async def test_no_secret_is_printed(stage: Stage, logs: io.StringIO) -> None:
    async with (
        peer(says("500 No"), says("410 Gone")) as partner,
        stage.at_work("callback", "house"),
    ):
        endpoint, [secret] = await stage.endpoint(partner.url)
        meeting = await stage.meeting()
        [callback] = await stage.announce(meeting)
        await until(lambda: stage.attempts(callback))
        lane = Lane(stage.tenant, "callback", f"{endpoint.id}/{meeting.id}")
        await stage.runtime.store.lanes.retry(lane)
        await until(lambda: stage.stands(endpoint, "disabled"))

    printed = logs.getvalue()
    assert callback in printed
    for word in (secret, "hunter2", "Interview", "v1,"):
        assert word not in printed
