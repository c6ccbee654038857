"""An endpoint that is paused or disabled keeps its callbacks, and gets them when it is enabled."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import RankSet, Unit
from schemas.endpoints import HELD_AT_MOST, group_of, waiting_for
from tests.machines.peer import Peer, peer, says
from tests.workers.hearing import OK, headers, undelivered
from tests.workers.partner import Partner
from tests.workers.stage import Stage, until


async def test_a_paused_endpoint_holds_its_callbacks_and_gets_them_in_order_when_enabled(
    partner: Partner, stage: Stage
) -> None:
    async with peer(OK) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        path = f"/v1/endpoints/{made['id']}"
        await partner.ask(f"{path}/pause")
        first, second = await partner.told(3, meetings=2)
        shown = await partner.read(path)
        heard_meanwhile = len(theirs.heads)

        await partner.ask(f"{path}/enable")
        await partner.nothing_waits(made["id"])

    sent = [sent_to(theirs, place, made["id"]) for place in range(6)]
    assert (shown["state"], shown["held"], shown["waiting"]) == ("paused", 6, 6)
    assert heard_meanwhile == 0
    assert [one for one in sent if one in first] == first
    assert [one for one in sent if one in second] == second


def sent_to(theirs: Peer, place: int, endpoint: str) -> str:
    """The callback of one request."""
    return headers(theirs, place)["webhook-id"].removesuffix(f"_{endpoint}")


async def test_what_was_held_is_sent_at_the_chosen_rate(partner: Partner, stage: Stage) -> None:
    async with peer(OK) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        path = f"/v1/endpoints/{made['id']}"
        await partner.ask(f"{path}/pause")
        callbacks = [one for [one] in await partner.told(meetings=5)]

        await partner.ask(f"{path}/enable", rate_per_s=2)
        await partner.nothing_waits(made["id"])

    attempts = [attempt for one in callbacks for attempt in await stage.attempts(one)]
    moments = sorted(attempt.at for attempt in attempts)
    assert [attempt.number for attempt in attempts] == [1] * 5
    assert moments[-1] - moments[0] > timedelta(seconds=1.5)  # 2 s, but for the first places


async def test_a_disabled_endpoint_holds_too_and_goes_on_when_a_person_enables_it(
    partner: Partner, stage: Stage
) -> None:
    async with peer(says("410 Gone"), OK) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        [[first]] = await partner.told()
        await partner.waits_for(made["id"], "disabled")
        [[second]] = await partner.told()
        shown = await partner.read(f"/v1/endpoints/{made['id']}")

        await partner.ask(f"/v1/endpoints/{made['id']}/enable")
        await partner.nothing_waits(made["id"])

        assert await partner.state(made["id"]) == "enabled"
    assert (shown["held"], "410" in shown["reason"]) == (2, True)
    assert [one.delivered for one in await stage.attempts(first)] == [False, True]
    assert [one.delivered for one in await stage.attempts(second)] == [True]


async def test_above_the_bound_a_held_callback_goes_to_the_undelivered_with_the_reason(
    partner: Partner, stage: Stage
) -> None:
    made = await partner.endpoint("http://127.0.0.1:9/")
    await partner.ask(f"/v1/endpoints/{made['id']}/pause")
    rows = [RankSet(waiting_for(made["id"]), f"cb_{n}", n) for n in range(HELD_AT_MOST)]
    for start in range(0, HELD_AT_MOST, 1000):
        unit = Unit(rank=[*rows[start : start + 1000]])
        await stage.runtime.store.lanes.submit(stage.tenant, unit)

    [[callback]] = await partner.told()

    [row] = (await partner.read("/v1/undelivered"))["items"]
    assert (row["callback"], row["reason"]) == (callback, "too_many_held")
    assert f"{HELD_AT_MOST}" in row["detail"]


async def test_a_gate_that_a_crash_left_open_is_closed_again(
    partner: Partner, stage: Stage
) -> None:
    async with peer(OK) as theirs:
        made = await partner.endpoint(theirs.url)
        await partner.ask(f"/v1/endpoints/{made['id']}/pause")
        await partner.told()
        lanes = stage.runtime.store.lanes
        await lanes.open_gate(stage.tenant, group_of(made["id"]))  # as if it had never been closed

        async def closed() -> bool:
            gate = await lanes.gate(stage.tenant, group_of(made["id"]))
            return gate is not None and gate.closed_until is not None

        async with stage.at_work("callback"):
            await until(closed)

    assert theirs.heads == []


async def test_a_pause_takes_no_attempt_from_a_callback(partner: Partner, stage: Stage) -> None:
    async with peer(says("500 No"), OK) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        meeting = await stage.meeting(application=partner.application)
        [callback] = await stage.announce(meeting)
        await until(lambda: stage.attempts(callback))
        await partner.ask(f"/v1/endpoints/{made['id']}/pause")
        await stage.runtime.store.lanes.open_gate(stage.tenant, group_of(made["id"]))

        await partner.ask(f"/v1/endpoints/{made['id']}/enable")
        await partner.hurry(made["id"], meeting.id)
        await partner.nothing_waits(made["id"])

    assert len(await stage.attempts(callback)) == 2
    assert await undelivered(stage) == []


async def test_a_deleted_endpoint_gets_nothing_more(partner: Partner, stage: Stage) -> None:
    async with peer(OK) as theirs:
        made = await partner.endpoint(theirs.url)
        await partner.ask(f"/v1/endpoints/{made['id']}/pause")
        await partner.told(2)
        await partner.client.delete(f"/v1/endpoints/{made['id']}")

        async with stage.at_work("callback", "house"):
            waits = waiting_for(made["id"])

            async def gone() -> bool:
                return await stage.runtime.store.rank.size(stage.tenant, waits) == 0

            await until(gone)

    assert theirs.heads == []
    assert await undelivered(stage) == []
