"""An endpoint that fails is slowed and warned about, and disabled in the end or told well again."""

from __future__ import annotations

from datetime import timedelta

import orjson

from infra.lanes import Unit
from schemas.callbacks import CallbackType
from schemas.endpoints import Endpoint, Health, group_of
from tests.machines.peer import Peer, peer, says
from tests.workers.hearing import OK
from tests.workers.partner import Partner
from tests.workers.stage import Stage, until

DOWN = says("503 No")


async def failing_for(stage: Stage, endpoint: str, span: timedelta) -> None:
    """As if every attempt had failed for so long."""
    since = stage.runtime.now() - span
    health = Health(id=endpoint, failing_since=since, failures=20, reason="no")
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(puts=[health]))


def heard(theirs: Peer) -> list[dict[str, object]]:
    """The bodies that arrived about endpoints."""
    bodies = [orjson.loads(body) for body in theirs.bodies]
    return [body for body in bodies if body["type"].startswith("endpoint.")]


async def test_the_others_are_warned_of_an_endpoint_that_fails_and_told_when_it_recovers(
    partner: Partner, stage: Stage
) -> None:
    async with peer(DOWN, OK) as ailing, peer(OK) as well, stage.at_work("callback", "house"):
        bad = await partner.endpoint(ailing.url)
        await partner.endpoint(well.url, types=["endpoint.failing", "endpoint.recovered"])
        await failing_for(stage, bad["id"], timedelta(days=3.6))  # of five
        meeting = await stage.meeting(application=partner.application)
        await stage.announce(meeting)
        await until(lambda: _length(heard(well), 1))

        await partner.hurry(bad["id"], meeting.id)
        await until(lambda: _length(heard(well), 2))
        healthy = await partner.state(bad["id"])

    first, second = heard(well)
    warned, recovered = first["data"], second["data"]
    assert isinstance(warned, dict)
    assert isinstance(recovered, dict)
    assert (first["type"], warned["percent"]) == ("endpoint.failing", 70)
    assert (second["type"], recovered["endpoint"]) == ("endpoint.recovered", bad["id"])
    assert [warned["sequence"], recovered["sequence"]] == [1, 2]
    assert healthy == "enabled"
    assert [one for one in ailing.bodies if b"endpoint." in one] == []


async def _length(found: list[dict[str, object]], wanted: int) -> bool:
    return len(found) == wanted


async def test_an_endpoint_that_failed_for_too_long_is_disabled_and_holds(
    partner: Partner, stage: Stage
) -> None:
    async with peer(DOWN) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        await failing_for(stage, made["id"], timedelta(days=6))
        await partner.told()
        await partner.waits_for(made["id"], "disabled")
        await partner.told()
        shown = await partner.read(f"/v1/endpoints/{made['id']}")
        told = await stage.told(CallbackType.ENDPOINT_DISABLED)

    assert len(theirs.heads) == 1
    assert (shown["held"], shown["reason"]) == (2, "the endpoint answered 503")
    assert [one["data"]["percent"] for one in told if isinstance(one["data"], dict)] == [100]


async def test_a_source_of_failures_shows_in_the_endpoint_and_in_the_feed(
    partner: Partner, stage: Stage
) -> None:
    async with peer(DOWN) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        await failing_for(stage, made["id"], timedelta(days=2.6))
        await partner.told()
        await until(lambda: stage.told(CallbackType.ENDPOINT_FAILING))
        shown = await partner.read(f"/v1/endpoints/{made['id']}")
        feed = await partner.read("/v1/feed")

    assert (shown["state"], shown["reason"]) == ("failing", "the endpoint answered 503")
    assert shown["failing_since"] is not None
    assert "endpoint.failing" in [entry["callback"]["type"] for entry in feed["items"]]


async def test_a_dead_endpoint_is_probed_by_one_attempt_at_a_time_and_opens_when_it_answers(
    partner: Partner, stage: Stage
) -> None:
    lanes = stage.runtime.store.lanes
    async with (
        peer(*[DOWN] * 6, OK) as theirs,
        stage.at_work("callback", "house"),
    ):
        made = await partner.endpoint(theirs.url, concurrency=5)
        group = group_of(made["id"])
        await partner.told(meetings=5)

        async def rests() -> bool:
            gate = await lanes.gate(stage.tenant, group)
            return gate is not None and gate.closed_until is not None and gate.limit == 1

        await until(rests)
        await partner.told(meetings=3)
        while_resting = len(theirs.heads)
        await rest_is_over(stage, made["id"])
        await until(lambda: _length_of(theirs, 6))

        async def probed() -> bool:
            health = await stage.runtime.store.documents.get(stage.tenant, Health, made["id"])
            return health is not None and health.trips == 2

        await until(probed)
        await rest_is_over(stage, made["id"])

        async def wide_again() -> bool:
            gate = await lanes.gate(stage.tenant, group)
            return gate is not None and gate.closed_until is None and gate.limit == 5

        await until(wide_again)

    assert while_resting == 5


async def rest_is_over(stage: Stage, endpoint: str) -> None:
    """As if time had passed."""
    documents, tenant = stage.runtime.store.documents, stage.tenant
    health = await documents.get(tenant, Health, endpoint)
    assert health is not None
    past = stage.runtime.now() - timedelta(seconds=1)
    await documents.put(tenant, health.model_copy(update={"rested_until": past}))
    await stage.runtime.store.lanes.open_gate(tenant, group_of(endpoint))


async def _length_of(theirs: Peer, wanted: int) -> bool:
    return len(theirs.heads) >= wanted


async def test_a_deleted_endpoint_leaves_no_health_behind(partner: Partner, stage: Stage) -> None:
    made = await partner.endpoint("http://127.0.0.1:9/")
    await failing_for(stage, made["id"], timedelta(days=1))
    await partner.client.delete(f"/v1/endpoints/{made['id']}")

    async def forgotten() -> bool:
        documents = stage.runtime.store.documents
        return await documents.get(stage.tenant, Health, made["id"]) is None

    async with stage.at_work("house"):
        await until(forgotten)

    assert await stage.runtime.store.documents.get(stage.tenant, Endpoint, made["id"]) is None
