"""A conference that may be one too many is told to the lane of its connection, which sweeps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from infra.errors import ClaimLost
from infra.lanes import Claimed, IndexSet, Lane, Unit
from infra.sandbox.client import Sandbox
from schemas.connections import Connection
from schemas.items import Made, read_load
from tests.workers.asking import ask, happened, left_by_a_try, rests
from tests.workers.stage import Stage, until
from workers.domain.references import reference
from workers.jobs.provision_meetings import provision_meeting

ADA = "ada@example.org"
MEETING = "mtg_0123456789"


@pytest.fixture
async def zoom(stage: Stage, sandbox: Sandbox) -> Connection:
    return await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))


def patient(stage: Stage) -> Stage:
    """Workers that sweep only after hours, so that the test sees what they are about to do."""
    settings = stage.runtime.settings.model_copy(update={"quarantine_s": {"zoom": 3600.0}})
    return replace(stage, runtime=replace(stage.runtime, settings=settings))


async def timers(stage: Stage, zoom: Connection) -> Mapping[str, datetime]:
    """The appointments of the connection's lane, when nothing else is to be done there."""
    await until(lambda: stage.idle("connection", zoom.id))
    lane = Lane(stage.tenant, "connection", zoom.id)
    return (await stage.runtime.store.lanes.state(lane)).timers


async def sweep_is_set(stage: Stage, zoom: Connection) -> None:
    async def is_set() -> bool:
        return "sweep" in await timers(stage, zoom)

    await until(is_set)


async def test_an_unknown_outcome_has_the_connection_sweep_and_a_known_one_does_not(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    """ENGINE 28"""
    async with patient(stage).at_work("meeting", "connection"):
        known = await ask(stage, zoom)
        await happened(stage, known, "provision.provisioned")
        await rests(stage, known)
        before = await timers(stage, zoom)
        await sandbox.fault("zoom.create", "after", status=503)
        unknown = await ask(stage, zoom)
        await happened(stage, unknown, "provision.unknown")
        await sweep_is_set(stage, zoom)
        due = (await timers(stage, zoom))["sweep"] - stage.runtime.now()

    assert "sweep" not in before
    assert timedelta(hours=1) < due < timedelta(hours=3), "two quarantines"


async def claimed(stage: Stage) -> Claimed:
    """The meeting's lane, once it is due."""
    found: list[Claimed] = []

    async def taken() -> bool:
        found.extend(await stage.runtime.store.lanes.claim("meeting", 1, empty=True))
        return bool(found)

    await until(taken)
    return found[0]


async def test_who_lost_the_lane_says_which_conference_it_made(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    """ENGINE 27"""
    await sandbox.fault("zoom.create", "late", delay_s=2.0)
    lanes, lane = stage.runtime.store.lanes, Lane(stage.tenant, "meeting", MEETING)
    asked = await ask(stage, zoom, id=MEETING)
    run = asyncio.create_task(provision_meeting(await claimed(stage), stage.runtime))
    await happened(stage, asked, "conference.intended")
    await lanes.park(lane, "taken away by this test")
    with pytest.raises(ClaimLost):
        await run
    await lanes.retry(lane)

    (item,) = (await claimed(stage)).items
    made = read_load(item.body)
    (there,) = await sandbox.zoom.meetings(ADA)
    assert isinstance(made, Made)
    assert (made.connection, made.conference, made.number) == (zoom.id, str(there.id), 1)
    assert made.reference == reference(stage.runtime.reference_key, MEETING, 1)


async def test_the_holder_has_what_another_made_swept_unless_it_is_its_own(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    """ENGINE 27"""
    async with patient(stage).at_work("meeting", "connection"):
        asked = await ask(stage, zoom)
        await happened(stage, asked, "provision.provisioned")
        conference = (await rests(stage, asked)).conference
        assert conference is not None
        made = Made(
            connection=zoom.id,
            conference=conference.id,
            reference=conference.reference,
            number=1,
        )
        await stage.post("meeting", asked.id, made)
        await rests(stage, asked)
        before = await timers(stage, zoom)
        another = made.model_copy(update={"conference": "98765432101"})
        await stage.post("meeting", asked.id, another)
        await sweep_is_set(stage, zoom)

    assert "sweep" not in before


async def test_what_the_ledger_gives_to_another_meeting_is_not_adopted(
    stage: Stage, sandbox: Sandbox, zoom: Connection
) -> None:
    another = await left_by_a_try(stage, zoom, MEETING)
    row = IndexSet(f"ledger:{zoom.id}", another.id, "mtg_another")
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(index=[row]))

    async with stage.at_work("meeting"):
        asked = await ask(stage, zoom, id=MEETING)
        await happened(stage, asked, "provision.provisioned")
        meeting = await rests(stage, asked)

    told = [entry.what for entry in await stage.timeline(asked.id)]
    assert "find.nothing_found" in told
    assert meeting.conference is not None
    assert meeting.conference.id != another.id
    assert len(await sandbox.zoom.meetings(ADA)) == 2
