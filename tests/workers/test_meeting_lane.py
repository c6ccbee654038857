"""The lane of a meeting: what it does when work is lost, refused, waited for or unreadable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from infra import valkey
from infra.lanes import Item, Lane, Post
from infra.sandbox.client import Sandbox
from infra.settings import Settings
from infra.store.quotas import Refused, Reserved
from schemas.callbacks import CallbackType
from schemas.connections import Connection, LinkState
from schemas.items import LinkChanged, Made
from schemas.meetings import Meeting
from tests.store.servers import following
from tests.workers.asking import ask, ask_again, happened, meeting_of, rests, slot
from tests.workers.stage import Stage, until

ADA = "ada@example.org"


async def conferences(sandbox: Sandbox) -> int:
    return len(await sandbox.zoom.meetings(ADA))


async def test_a_worker_that_lost_its_lane_tells_what_it_made_and_deletes_nothing(
    stage: Stage, sandbox: Sandbox
) -> None:
    """ENGINE 27: the lane is taken away while the create is under way."""
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    await sandbox.fault("zoom.create", "late", delay_s=2.0)
    lanes = stage.runtime.store.lanes

    async with stage.at_work("meeting", "connection"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "conference.intended")
        lane = Lane(stage.tenant, "meeting", asked.id)
        await lanes.park(lane, "taken away by this test")
        await until(lambda: _made(sandbox))
        await lanes.retry(lane)
        await happened(stage, asked, "find.provisioned")
        meeting = await rests(stage, asked)

    assert await conferences(sandbox) == 1
    assert meeting.conference is not None
    assert len(await stage.told(CallbackType.MEETING_PROVISIONED)) == 1
    assert await sandbox.calls("zoom.delete") == 0


async def test_t22_a_day_whose_writes_are_used_up_is_waited_out_without_a_call(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    for _ in range(100):
        await reserve(stage, connection)

    async with stage.at_work("meeting"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "provision.later")
        meeting = await rests(stage, asked)

    assert meeting.conference is None
    assert meeting.trouble is not None
    assert "used up until" in meeting.trouble.reason
    assert await sandbox.calls("zoom.create") == 0


async def _made(sandbox: Sandbox) -> bool:
    return await conferences(sandbox) == 1


async def test_an_item_that_no_release_wrote_is_set_aside_and_the_lane_goes_on(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    async with stage.at_work("meeting"):
        asked = await ask(stage, connection)
        lane = Lane(stage.tenant, "meeting", asked.id)
        await stage.runtime.store.lanes.post(Post(lane, Item("it_odd", b"\xff not ours")))
        await happened(stage, asked, "item.unreadable")
        meeting = await rests(stage, asked)

    assert meeting.conference is not None


async def test_a_meeting_that_a_newer_release_wrote_waits_for_one_untouched(
    stage: Stage,
) -> None:
    """ENGINE 15"""
    newer = await stage.meeting(v=Meeting.version + 1)
    lane = Lane(stage.tenant, "meeting", newer.id)
    made = Made(connection="con_1", conference="1", reference="tl-1", number=1)

    async with stage.at_work("meeting"):
        await stage.post("meeting", newer.id, made)

        async def laid_aside() -> bool:
            state = await stage.runtime.store.lanes.state(lane)
            return state.held_until is None and state.not_before is not None

        await until(laid_aside)

    state = await stage.runtime.store.lanes.state(lane)
    assert (state.depth, state.failures, state.parked) == (1, 0, None)


async def test_a_meeting_waits_for_its_link_and_goes_on_when_that_is_back(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    down = await stage.connection(connection.id)
    await stage.keep(down.model_copy(update={"state": LinkState.NEEDS_REAUTH}))

    async with stage.at_work("meeting"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "meeting.waiting")
        waiting = await stage.runtime.store.index.all(stage.tenant, f"waiting:{connection.id}", 10)
        before = await conferences(sandbox)
        up = await stage.connection(connection.id)
        await stage.keep(up.model_copy(update={"state": LinkState.LINKED}))
        await stage.post("meeting", asked.id, LinkChanged(connection=connection.id))
        await happened(stage, asked, "provision.provisioned")

    assert asked.id in waiting
    assert before == 0
    assert len(await stage.told(CallbackType.MEETING_PROVISIONING_FAILING)) == 1


async def test_a_tear_down_waits_while_people_are_in_the_conference(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    async with stage.at_work("meeting"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "provision.provisioned")
        (conference,) = await sandbox.zoom.meetings(ADA)
        await sandbox.zoom.start_meeting(conference.id)
        await ask_again(stage, asked, cancelled=True)
        await happened(stage, asked, "tear_down.later")
        meeting = await meeting_of(stage, asked)

    assert await conferences(sandbox) == 1
    assert meeting.trouble is not None
    assert meeting.trouble.until is not None
    assert meeting.trouble.until > stage.runtime.now() + timedelta(minutes=3)


async def test_a_conference_that_was_deleted_at_zoom_is_made_again_on_the_next_change(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    async with stage.at_work("meeting"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "provision.provisioned")
        (conference,) = await sandbox.zoom.meetings(ADA)
        await sandbox.zoom.delete_meeting(conference.id)
        await ask_again(stage, asked, slot=slot(stage, "Second interview"))
        await happened(stage, asked, "update.missing")
        await until(lambda: _made(sandbox))
        meeting = await rests(stage, asked)

    (again,) = await sandbox.zoom.meetings(ADA)
    assert (again.topic, again.id == conference.id) == ("Second interview", False)
    assert meeting.generation == 2


async def test_a_refused_create_is_a_persons_turn_and_nothing_is_left_open(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    await sandbox.fault("zoom.create", "before", status=400, body={"code": 300, "message": "No."})
    async with stage.at_work("meeting"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "provision.refused")
        meeting = await rests(stage, asked)

    assert meeting.trouble is not None
    assert meeting.trouble.parked
    assert meeting.intent is None
    assert len(await stage.told(CallbackType.MEETING_FAILED)) == 1


async def test_a_revoked_grant_met_by_a_meeting_is_told_to_its_connection(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.revoke_grants(host)

    async with stage.at_work("meeting", "connection"):
        asked = await ask(stage, connection)
        await happened(stage, asked, "meeting.waiting")

        async def noticed() -> bool:
            return (await stage.connection(connection.id)).state is LinkState.NEEDS_REAUTH

        await until(noticed)

    assert len(await stage.told(CallbackType.CONNECTION_NEEDS_REAUTH)) == 1


async def test_fifty_meetings_at_once_with_an_expired_token_cause_one_refresh(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.expire_access(host)

    async with stage.at_work("meeting", "connection"):
        asked = await asyncio.gather(*(ask(stage, connection) for _ in range(50)))

        async def all_made() -> bool:
            return await conferences(sandbox) == len(asked)

        await until(all_made, within=timedelta(seconds=60))

    assert await sandbox.calls("zoom.refresh") == 1


async def test_a_create_that_was_kept_too_long_after_its_intent_is_not_sent(
    stage: Stage, sandbox: Sandbox
) -> None:
    """ENGINE 26: here by a token that took its time; the intent is renewed before it goes out."""
    made = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA), ends_in=1)
    linked = await stage.connection(made.id)
    known = {"reconciled_epoch": stage.runtime.store.epoch.current}  # nothing is looked for first
    await stage.keep(linked.model_copy(update=known))
    await sandbox.fault("zoom.refresh", "late", delay_s=5.5)

    async with stage.at_work("meeting", "connection"):
        asked = await ask(stage, linked)
        await happened(stage, asked, "provision.provisioned")

    timeline = await stage.timeline(asked.id)
    intended = [entry.at for entry in timeline if entry.what == "conference.intended"]
    (sent,) = [one for one in await sandbox.latest_calls() if one["operation"] == "zoom.create"]
    assert len(intended) > 1
    assert datetime.fromisoformat(str(sent["at"])) - intended[-1] < timedelta(seconds=5)


async def reserve(stage: Stage, connection: Connection) -> Reserved | Refused:
    """One more of the host's writes of this day."""
    tomorrow = stage.runtime.now() + timedelta(days=1)
    midnight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    book = f"writes/{connection.id}/{connection.account.id}"
    return await stage.runtime.store.quotas.reserve(stage.tenant, book, limit=100, until=midnight)


async def test_a_create_waits_until_a_replica_holds_its_intent(
    stage: Stage, sandbox: Sandbox, settings: Settings, tmp_path: Path, unused_tcp_port: int
) -> None:
    """ENGINE 29: a failover must not forget that a conference was asked for. Waiting for it uses up
    none of the writes that Zoom allows."""
    connection = await stage.link(sandbox, host=await sandbox.zoom.add_account(ADA))
    epoch = stage.runtime.store.epoch
    async with listening(settings, unused_tcp_port):
        async with following(tmp_path / "replica", unused_tcp_port):
            await epoch.look()
        async with stage.at_work("meeting"):
            asked = await ask(stage, connection)
            await happened(stage, asked, "provision.later")
            before = await sandbox.calls("zoom.create")
            async with following(tmp_path / "replica", unused_tcp_port):
                await happened(stage, asked, "provision.provisioned")

    assert before == 0
    assert await conferences(sandbox) == 1
    assert await reserve(stage, connection) == Reserved(left=98)


@asynccontextmanager
async def listening(settings: Settings, port: int) -> AsyncIterator[None]:
    """The store can be followed by a replica for the block."""
    client = valkey.connect(settings)
    await client.config_set("port", port)
    yield
    await client.config_set("port", 0)
    await client.aclose()
