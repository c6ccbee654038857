"""A sweep deletes what is provably a lost try of ours, and says what else it finds."""

from __future__ import annotations

from datetime import timedelta

from infra.sandbox.client import Sandbox
from schemas.connections import Connection
from schemas.events import Slot
from schemas.items import (
    Extra,
)
from schemas.meetings import Conference, Meeting, Try
from tests.workers.stage import NOON, Stage, until
from workers.access import with_access
from workers.domain.references import reference
from workers.ports import Access

ADA = "ada@example.org"


async def conferences(
    stage: Stage, sandbox: Sandbox, connection: Connection, meeting: str
) -> tuple[Conference, list[int]]:
    """The meeting's conference, and a second one under the same reference."""
    runtime = stage.runtime
    ref = reference(runtime.reference_key, meeting, 1)
    start = runtime.now() + timedelta(days=1)
    slot = Slot(title="t", starts_at=start, ends_at=start + timedelta(hours=1))

    async def make(provider: str, granted: Access) -> Conference:
        port = runtime.conferences[provider]
        return await port.create(granted, slot, ref, send_by=float("inf"))

    kept = await with_access(runtime, stage.tenant, connection.id, make)
    extra = await with_access(runtime, stage.tenant, connection.id, make)
    return kept, [int(kept.id), int(extra.id)]


async def swept(stage: Stage, connection: Connection, meeting: Meeting, ref: str) -> None:
    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, Extra(meeting=meeting.id, reference=ref))

        async def looked() -> bool:
            told = [entry.what for entry in await stage.timeline(meeting.id)]
            return "conference.swept" in told or "conference.drift" in told

        await until(looked)


async def test_a_lost_try_is_swept_and_the_meetings_conference_stays(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    name = "mtg_0123456789"
    now = stage.runtime.now()
    kept, made = await conferences(stage, sandbox, connection, name)
    tries = (Try(number=1, started_at=now), Try(number=2, started_at=now))
    meeting = await stage.meeting(id=name, conference=kept, tries=tries)

    await swept(stage, connection, meeting, kept.reference)

    assert [one.id for one in await sandbox.zoom.meetings(host)] == [made[0]]


async def test_what_is_not_provably_a_try_of_ours_is_reported_and_left(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    name = "mtg_0123456789"
    kept, made = await conferences(stage, sandbox, connection, name)
    meeting = await stage.meeting(
        id=name, conference=kept, tries=(Try(number=1, started_at=NOON - timedelta(days=9)),)
    )

    await swept(stage, connection, meeting, kept.reference)

    assert len(await sandbox.zoom.meetings(host)) == 2
    [entry] = [one for one in await stage.timeline(name) if one.what == "conference.drift"]
    assert entry.fields["conference"] == str(made[1])
