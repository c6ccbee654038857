"""ENGINE 29: in a new epoch every create finds first, until the account is known again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from infra.lanes import Lane, Post
from infra.sandbox.client import Sandbox
from schemas.connections import Connection
from schemas.meetings import Ask
from tests.workers.asking import ask, happened, left_by_a_try, rests
from tests.workers.stage import Stage, until

ADA = "ada@example.org"
MEETING = "mtg_0123456789"


@pytest.fixture
async def zoom(stage: Stage, sandbox: Sandbox) -> Connection:
    """A link that knew its account in the life of the data that has just ended."""
    made = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    linked, epoch = await stage.connection(made.id), stage.runtime.store.epoch
    await stage.keep(linked.model_copy(update={"reconciled_epoch": epoch.current}))
    await epoch.begin()
    return await stage.connection(linked.id)


async def finds(stage: Stage, asked: Ask) -> list[str]:
    """What came of looking for it, once it has its conference."""
    assert (await rests(stage, asked)).conference is not None
    told = [entry.what for entry in await stage.timeline(asked.id)]
    return [what for what in told if what.startswith("find.")]


async def known_again(stage: Stage, zoom: Connection) -> None:
    async def is_known() -> bool:
        epoch = stage.runtime.store.epoch.current
        return (await stage.connection(zoom.id)).reconciled_epoch == epoch

    await until(is_known)


async def looks_again_in(stage: Stage, zoom: Connection) -> timedelta:
    """How long until the lane of the connection looks at the account again."""
    lane = Lane(stage.tenant, "connection", zoom.id)
    lanes, now = stage.runtime.store.lanes, stage.runtime.now()

    async def later() -> bool:
        at = (await lanes.state(lane)).timers.get("reconcile")
        return at is not None and at > now + timedelta(minutes=5)

    await until(later)
    return (await lanes.state(lane)).timers["reconcile"] - now


async def test_creates_find_first_until_the_account_holds_nothing_unknown(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    async with stage.at_work("meeting", "connection"):
        first = await ask(stage, zoom)
        await happened(stage, first, "provision.provisioned")
        await known_again(stage, zoom)
        second = await ask(stage, zoom)
        await happened(stage, second, "provision.provisioned")

        assert await finds(stage, first) == ["find.nothing_found"]
        assert await finds(stage, second) == []


async def test_what_the_store_forgot_is_adopted_and_not_made_again(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    forgotten = await left_by_a_try(stage, zoom, MEETING)
    async with stage.at_work("meeting", "connection"):
        asked = await ask(stage, zoom, id=MEETING)
        await happened(stage, asked, "find.provisioned")
        meeting = await rests(stage, asked)
        await known_again(stage, zoom)

    assert meeting.conference is not None
    assert meeting.conference.id == forgotten.id
    assert len(await sandbox.zoom.meetings(ADA)) == 1


async def test_while_it_holds_what_nobody_knows_creates_go_on_finding_first(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    copied = await sandbox.zoom.add_meeting(
        ADA, topic="Copied", type=3, agenda="ref tl-ofsomebodyelseentirelyxyz"
    )

    async with stage.at_work("meeting", "connection"):
        first = await ask(stage, zoom)
        await happened(stage, first, "provision.provisioned")
        wait = await looks_again_in(stage, zoom)
        second = await ask(stage, zoom)
        await happened(stage, second, "provision.provisioned")
        assert await finds(stage, second) == ["find.nothing_found"]
        await looks_again_in(stage, zoom)  # the second one had it look, too

        await sandbox.zoom.delete_meeting(copied.id)
        lane = Lane(stage.tenant, "connection", zoom.id)
        await stage.runtime.store.lanes.post(Post(lane, timers={"reconcile": timedelta(0)}))
        await known_again(stage, zoom)

    assert wait > timedelta(minutes=30)


async def test_what_was_under_way_when_the_epoch_began_is_waited_out(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    settings = stage.runtime.settings.model_copy(update={"quarantine_s": {"zoom": 3600.0}})
    patient = replace(stage, runtime=replace(stage.runtime, settings=settings))

    async with patient.at_work("meeting", "connection"):
        asked = await ask(stage, zoom)
        await happened(stage, asked, "provision.provisioned")
        await looks_again_in(stage, zoom)

    assert (await stage.connection(zoom.id)).reconciled_epoch == zoom.reconciled_epoch


async def test_a_link_that_nobody_creates_at_is_known_again_with_its_hourly_refresh(
    stage: Stage, zoom: Connection
) -> None:
    lane = Lane(stage.tenant, "connection", zoom.id)

    async with stage.at_work("connection"):
        await stage.runtime.store.lanes.post(Post(lane, timers={"refresh": timedelta(0)}))
        await known_again(stage, zoom)
