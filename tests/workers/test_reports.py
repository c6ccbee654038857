"""A report finds its meeting, waits for one that is about to be, or is foreign."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import IndexSet, Lane, Unit
from infra.sandbox.client import Sandbox
from schemas.connections import Connection
from schemas.items import Doubted, Happened, read_load
from schemas.tending import Strangers
from tests.workers.reporting import hear, report
from tests.workers.stage import NOON, Stage, until


async def posted(stage: Stage, meeting: str) -> list[object]:
    """What lies in a meeting's lane."""
    lanes = stage.runtime.store.lanes
    for claimed in await lanes.claim("meeting", 100, empty=True):
        loads = [read_load(item.body) for item in claimed.items]
        await lanes.release(claimed)
        if claimed.lane == Lane(stage.tenant, "meeting", meeting):
            return list(loads)
    return []


async def own(stage: Stage, connection: Connection, conference: str, meeting: str) -> None:
    row = IndexSet(f"ledger:{connection.id}", conference, meeting)
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(index=[row]))


async def test_a_report_goes_to_the_meeting_whose_conference_it_names(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    await own(stage, connection, "94890226305", "mtg_1")

    await hear(
        stage,
        connection,
        report("meeting.updated", object={"id": 94890226305}),
        report(
            "meeting.started", object={"id": "94890226305", "start_time": "2025-11-20T12:00:00Z"}
        ),
    )

    assert await posted(stage, "mtg_1") == [
        Doubted(conference="94890226305", trace="tr_1"),
        Happened(conference="94890226305", what="started", at=NOON, trace="tr_1"),
    ]


async def test_a_report_that_comes_before_our_own_commit_waits_for_its_meeting(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    early = report("meeting.started", object={"id": "777"}).model_copy(
        update={"heard_at": stage.runtime.now()}
    )
    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, early)
        await until(lambda: stage.idle("connection", connection.id))
        assert await posted(stage, "mtg_1") == []

        await own(stage, connection, "777", "mtg_1")
        await until(lambda: posted(stage, "mtg_1"))

    [told] = await posted(stage, "mtg_1")
    assert isinstance(told, Happened)
    store = stage.runtime.store
    assert await store.documents.get(stage.tenant, Strangers, connection.id) is None


async def test_a_report_of_a_conference_that_nobody_claims_is_foreign_in_the_end(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    nearly = stage.runtime.now() - timedelta(seconds=29)
    started = report("meeting.started", object={"id": "1"}).model_copy(update={"heard_at": nearly})
    documents = stage.runtime.store.documents

    async def kept() -> Strangers | None:
        return await documents.get(stage.tenant, Strangers, connection.id)

    async def forgotten() -> bool:
        await stage.post("connection", connection.id, report("meeting.created"))
        return await kept() is None

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, started)
        await until(kept)
        await until(forgotten)

    assert await posted(stage, "mtg_1") == []


async def test_a_report_that_was_heard_long_ago_does_not_wait(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)

    await hear(stage, connection, report("meeting.started", object={"id": "1"}))

    documents = stage.runtime.store.documents
    assert await documents.get(stage.tenant, Strangers, connection.id) is None


async def test_strangers_are_bounded(stage: Stage, sandbox: Sandbox) -> None:
    connection = await stage.link(sandbox)
    now = stage.runtime.now()
    reports = [
        report("meeting.started", object={"id": str(number)}).model_copy(update={"heard_at": now})
        for number in range(230)
    ]

    await hear(stage, connection, *reports)

    kept = await stage.runtime.store.documents.get(stage.tenant, Strangers, connection.id)
    assert kept is not None
    assert len(kept.waiting) == 200
    assert kept.waiting[-1].conference == "229"
