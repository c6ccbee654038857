"""A sweep deletes what is provably a lost try of ours, and says what else it finds."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Lane
from infra.sandbox.client import Sandbox
from schemas.connections import Connection
from schemas.events import Slot
from schemas.items import Extra
from schemas.meetings import Conference, Intent, Meeting, Try
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


async def test_a_search_that_fails_is_repeated_later_and_sweeps_nothing(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    now = stage.runtime.now()
    kept, _ = await conferences(stage, sandbox, connection, "mtg_0123456789")
    tries = (Try(number=1, started_at=now), Try(number=2, started_at=now))
    meeting = await stage.meeting(id="mtg_0123456789", conference=kept, tries=tries)
    await sandbox.zoom.expire_access(host)

    async def refreshed() -> bool:
        tokens = await stage.tokens(connection.id)
        return tokens is not None and tokens.serial == 2

    async with stage.at_work("connection"):
        extra = Extra(meeting=meeting.id, reference=kept.reference)
        await stage.post("connection", connection.id, extra)
        await until(refreshed)
        await until(lambda: stage.idle("connection", connection.id))

    lane = await stage.runtime.store.lanes.state(Lane(stage.tenant, "connection", connection.id))
    assert lane.timers["sweep"] > stage.runtime.now()
    assert len(await sandbox.zoom.meetings(host)) == 2


async def test_a_lost_try_that_may_not_be_deleted_is_reported(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    now = stage.runtime.now()
    kept, made = await conferences(stage, sandbox, connection, "mtg_0123456789")
    tries = (Try(number=1, started_at=now), Try(number=2, started_at=now))
    meeting = await stage.meeting(id="mtg_0123456789", conference=kept, tries=tries)
    await sandbox.fault("zoom.delete", status=400, body='{"code": 300, "message": "no"}')

    await swept(stage, connection, meeting, kept.reference)

    [entry] = [one for one in await stage.timeline(meeting.id) if one.what == "conference.drift"]
    assert entry.fields["conference"] == str(made[1])
    assert len(await sandbox.zoom.meetings(host)) == 2


async def test_at_teams_nothing_is_made_to_look_for_what_cannot_be_there(
    stage: Stage, sandbox: Sandbox
) -> None:
    """Only a create finds by our reference there: what a sweep made for that, and could not delete
    again, would be nobody's."""
    mailbox, now = await sandbox.graph.add_account(ADA), stage.runtime.now()
    connection = await stage.link(sandbox, host=mailbox, provider="teams")
    slot = Slot(title="t", starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2))
    intent = Intent(
        connection=connection.id, reference="tl-0123456789", slot=slot, number=1, started_at=now
    )
    meeting = await stage.meeting(intent=intent, tries=(Try(number=1, started_at=now),))

    async with stage.at_work("connection"):
        extra = Extra(meeting=meeting.id, reference="tl-0123456789")
        await stage.post("connection", connection.id, extra)
        await until(lambda: stage.idle("connection", connection.id))

    lane = await stage.runtime.store.lanes.state(Lane(stage.tenant, "connection", connection.id))
    assert "sweep" not in lane.timers
    assert await sandbox.calls("graph.create") == 0
