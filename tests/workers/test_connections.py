"""A link that ends deletes no conference; one that comes back wakes what waited."""

from __future__ import annotations

import orjson
import pytest

from infra.errors import NeedsReauth
from infra.lanes import IndexSet, Lane, Unit
from infra.sandbox.client import Sandbox
from schemas.callbacks import CallbackType
from schemas.connections import LinkState
from schemas.items import (
    LinkChanged,
    UnlinkAsked,
)
from schemas.people import Actor
from tests.workers.reporting import hear, report
from tests.workers.stage import APPLICATION, Stage, until
from tests.workers.watching import living, was_read, watch
from workers.access import access

ADA = "ada@example.org"


async def test_s4_11_removing_the_app_at_zoom_forgets_tokens_and_person(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)

    await hear(
        stage,
        connection,
        report(
            "app_deauthorized",
            user_id=connection.account.id,
            deauthorization_time=stage.runtime.now().isoformat(),
        ),
    )

    stored = await stage.connection(connection.id)
    assert (stored.state, stored.account.name) == (LinkState.REVOKED, "")
    assert await stage.tokens(connection.id) is None
    accounts = stage.runtime.store.accounts
    assert not await accounts.linked("zoom", connection.account.account_id)
    assert len(await stage.told(CallbackType.CONNECTION_REVOKED)) == 1


@pytest.mark.parametrize(
    "payload",
    [
        {"user_id": "somebody else"},
        {"client_id": "another app"},
        {"deauthorization_time": "2020-01-01T00:00:00Z"},
    ],
)
async def test_a_removal_of_another_user_app_or_time_is_not_ours(
    stage: Stage, sandbox: Sandbox, payload: dict[str, str]
) -> None:
    connection = await stage.link(sandbox)
    ours = {"user_id": connection.account.id, "deauthorization_time": "2099-01-01T00:00:00Z"}

    await hear(stage, connection, report("app_deauthorized", **{**ours, **payload}))

    assert (await stage.connection(connection.id)).usable


async def test_a_host_that_was_deactivated_needs_a_new_link(stage: Stage, sandbox: Sandbox) -> None:
    connection = await stage.link(sandbox)

    await hear(stage, connection, report("user.deactivated", object={"id": connection.account.id}))

    stored = await stage.connection(connection.id)
    assert stored.state is LinkState.NEEDS_REAUTH
    assert "deactivated" in stored.reason


async def test_s4_9_and_s4_10_unlinking_stops_creation_and_deletes_no_conference(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.add_meeting(host, topic="one")
    await sandbox.zoom.add_meeting(host, topic="two")

    async with stage.at_work("connection"):
        actor = Actor(kind="application", id="app_1", on_behalf_of="ada")
        await stage.post("connection", connection.id, UnlinkAsked(actor=actor))
        await until(lambda: stage.idle("connection", connection.id))

    stored = await stage.connection(connection.id)
    assert stored.state is LinkState.UNLINKED
    assert "app_1" in stored.reason
    assert len(await sandbox.zoom.meetings(host)) == 2
    assert await sandbox.calls("zoom.revoke") == 1
    assert await stage.tokens(connection.id) is None
    with pytest.raises(NeedsReauth, match="unlinked"):
        await access(stage.runtime, stage.tenant, connection.id)
    [told] = await stage.told(CallbackType.CONNECTION_UNLINKED)
    text = orjson.dumps(told).decode()
    assert "token" not in text


async def test_unlinking_a_mailbox_stops_its_channels_before_its_tokens_go(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar = await watch(stage, sandbox)
    row = IndexSet(f"calendars-of:{calendar.connection}", calendar.id, "")
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(index=[row]))
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
    before = await living(sandbox)

    async with stage.at_work("connection"):
        await stage.post("connection", calendar.connection, UnlinkAsked(actor=APPLICATION))
        await until(lambda: stage.idle("connection", calendar.connection))

    assert (len(before), await living(sandbox)) == (1, [])
    assert await sandbox.calls("google.revoke") == 1
    assert await stage.tokens(calendar.connection) is None
    lane = Lane(stage.tenant, "calendar", calendar.id)
    assert (await stage.runtime.store.lanes.state(lane)).depth == 1, "it looks what has become"


async def test_an_unlink_forgets_the_tokens_even_if_the_vendor_does_not_answer(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    await sandbox.fault("zoom.revoke", status=503, times=100)

    async with stage.at_work("connection"):
        actor = Actor(kind="operator")
        await stage.post("connection", connection.id, UnlinkAsked(actor=actor))

        async def forgotten() -> bool:
            return await stage.tokens(connection.id) is None

        await until(forgotten)

    assert (await stage.connection(connection.id)).state is LinkState.UNLINKED


async def test_a_re_link_wakes_every_meeting_that_waited_and_the_calendars(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    names = [f"mtg_{number:03}" for number in range(100)]
    rows = [IndexSet(f"waiting:{connection.id}", name, "") for name in names]
    rows.append(IndexSet(f"calendars-of:{connection.id}", "cal_1", ""))
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(index=[*rows]))

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, LinkChanged(connection=connection.id))
        await until(lambda: stage.idle("connection", connection.id))

    lanes = stage.runtime.store.lanes
    woken = await lanes.claim("meeting", 200, empty=True)
    woken += await lanes.claim("meeting", 200, empty=True)
    while more := await lanes.claim("meeting", 200, empty=True):
        woken += more
    assert {one.lane.subject for one in woken if one.lane.tenant == stage.tenant} == set(names)
    index = stage.runtime.store.index
    assert not await index.all(stage.tenant, f"waiting:{connection.id}", 200)
    state = await lanes.state(Lane(stage.tenant, "calendar", "cal_1"))
    assert state.depth == 1
