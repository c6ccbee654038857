"""One refresh for all who need it, a dead grant said at once, and no link lost to a bad answer."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra import points
from infra.errors import NeedsReauth, TryLater
from infra.lanes import Lane
from infra.points import Fault
from infra.sandbox.client import Sandbox
from infra.seal import KeyRing
from schemas.callbacks import CallbackType
from schemas.connections import Account, Connection, LinkState
from schemas.items import LinkBroken, RefreshAsked
from tests.workers.stage import Stage, until
from workers.access import access, with_access
from workers.ports import Access

ADA = "ada@example.org"


@pytest.fixture
def cut_after_refresh(tmp_path: Path) -> Iterator[None]:
    """The provider rotates the token, and we never read its answer."""
    flag = tmp_path / "flag"
    points.arm(Fault(point="zoom.refresh", when="after", do="cut", flag_file=flag))
    yield
    points.arm()


async def whose(stage: Stage, connection: Connection) -> Account:
    async def call(provider: str, granted: Access) -> Account:
        return await stage.runtime.conferences[provider].account(granted)

    return await with_access(stage.runtime, stage.tenant, connection.id, call)


async def needs_reauth(stage: Stage, connection: Connection) -> bool:
    return (await stage.connection(connection.id)).state is LinkState.NEEDS_REAUTH


async def test_t7_fifty_that_meet_an_expired_token_cause_one_refresh(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.token_rules(reuse="kill")
    await sandbox.zoom.expire_access(host)

    async with stage.at_work("connection"):
        accounts = await asyncio.gather(*(whose(stage, connection) for _ in range(50)))

    assert {one.id for one in accounts} == {host}
    assert await sandbox.calls("zoom.refresh") == 1
    assert (await stage.connection(connection.id)).usable


async def test_a_token_that_is_about_to_end_is_not_sent_out(stage: Stage, sandbox: Sandbox) -> None:
    connection = await stage.link(sandbox, ends_in=5)

    async with stage.at_work("connection"):
        granted = await access(stage.runtime, stage.tenant, connection.id)

    assert granted.serial == 2
    assert await sandbox.calls("zoom.refresh") == 1


async def test_a_rotated_token_is_stored_and_serves_the_next_refresh(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.token_rules(reuse="kill")
    connection = await stage.link(sandbox)

    async with stage.at_work("connection"):
        for serial in (1, 2, 3):
            await stage.post("connection", connection.id, RefreshAsked(serial=serial))
            await until(lambda: stage.idle("connection", connection.id))

    tokens = await stage.tokens(connection.id)
    assert tokens is not None
    assert (tokens.serial, tokens.refresh_started_at) == (4, None)
    assert await sandbox.calls("zoom.refresh") == 3


async def test_who_asks_because_of_an_older_token_causes_no_refresh(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, RefreshAsked(serial=0))
        await until(lambda: stage.idle("connection", connection.id))

    assert await sandbox.calls("zoom.refresh") == 0


async def test_the_next_refresh_is_due_between_60_and_80_percent_of_the_tokens_life(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, RefreshAsked(serial=1))
        await until(lambda: stage.idle("connection", connection.id))

    tokens = await stage.tokens(connection.id)
    lane = Lane(stage.tenant, "connection", connection.id)
    state = await stage.runtime.store.lanes.state(lane)
    assert tokens is not None
    life = tokens.expires_at - stage.runtime.now()
    due = state.timers["refresh"] - stage.runtime.now()
    assert 0.59 < due / life < 0.81


async def test_t9_a_dead_grant_is_said_within_one_attempt_and_never_asked_again(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.revoke_grants(host)

    async with stage.at_work("connection"):
        with pytest.raises(NeedsReauth, match="link the account again"):
            await whose(stage, connection)
        for _ in range(5):
            with pytest.raises(NeedsReauth):
                await whose(stage, connection)
        await until(lambda: stage.idle("connection", connection.id))

    assert await needs_reauth(stage, connection)
    assert await sandbox.calls("zoom.refresh") == 1
    [told] = await stage.told(CallbackType.CONNECTION_NEEDS_REAUTH)
    assert told["data"]["connection"] == connection.id  # type: ignore[index]  # free JSON
    lane = Lane(stage.tenant, "connection", connection.id)
    state = await stage.runtime.store.lanes.state(lane)
    assert "refresh" not in state.timers


@pytest.mark.parametrize(
    ("status", "body"), [(503, "<xml>busy</xml>"), (500, "{}"), (400, "<html>not JSON</html>")]
)
async def test_an_answer_that_proves_nothing_kills_no_link(
    stage: Stage, sandbox: Sandbox, status: int, body: str
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.expire_access(host)
    await sandbox.fault("zoom.refresh", status=status, body=body)

    async with stage.at_work("connection"):
        account = await whose(stage, connection)

    assert account.id == host
    assert (await stage.connection(connection.id)).usable
    assert await sandbox.calls("zoom.refresh") == 2


async def test_f14_a_rotation_that_was_cut_off_flags_the_connection_once_and_does_not_loop(
    stage: Stage, sandbox: Sandbox, cut_after_refresh: None
) -> None:
    connection = await stage.link(sandbox)

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, RefreshAsked(serial=1))
        await until(lambda: needs_reauth(stage, connection))
        await until(lambda: stage.idle("connection", connection.id))

    assert "cut off" in (await stage.connection(connection.id)).reason
    assert await sandbox.calls("zoom.refresh") == 2
    assert len(await stage.told(CallbackType.CONNECTION_NEEDS_REAUTH)) == 1


async def test_t8_a_worker_that_lost_the_lane_in_mid_refresh_still_saves_the_rotated_token(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.token_rules(reuse="kill")
    connection = await stage.link(sandbox)
    lane = Lane(stage.tenant, "connection", connection.id)
    lanes = stage.runtime.store.lanes
    await sandbox.fault("zoom.refresh", "late", delay_s=0.5)

    async def began() -> bool:
        tokens = await stage.tokens(connection.id)
        return tokens is not None and tokens.refresh_started_at is not None

    async def renewed() -> bool:
        tokens = await stage.tokens(connection.id)
        return tokens is not None and tokens.serial == 2

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, RefreshAsked(serial=1))
        await until(began)
        await lanes.park(lane, "taken from its holder")
        await until(renewed)
        await lanes.retry(lane)
        await until(lambda: stage.idle("connection", connection.id))

    assert (await stage.connection(connection.id)).usable
    assert await sandbox.calls("zoom.refresh") == 1
    assert (await whose(stage, connection)).id == connection.account.id


async def test_who_waits_for_a_refresh_that_does_not_come_is_told_to_try_later(
    stage: Stage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await stage.link(sandbox, ends_in=0)
    monkeypatch.setattr("workers.access.REFRESH_WITHIN", timedelta(milliseconds=100))

    with pytest.raises(TryLater):  # nobody works the connection's lane
        await access(stage.runtime, stage.tenant, connection.id)


async def test_a_link_that_came_without_a_refresh_token_says_so_when_it_has_run_out(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox, ends_in=0)
    tokens = await stage.tokens(connection.id)
    assert tokens is not None
    await stage.keep(tokens.model_copy(update={"refresh_sealed": None}))

    async with stage.at_work("connection"):
        with pytest.raises(NeedsReauth, match="came without a refresh token"):
            await access(stage.runtime, stage.tenant, connection.id)

    assert await needs_reauth(stage, connection)
    assert await sandbox.calls("zoom.refresh") == 0


async def test_a_token_that_our_vault_cannot_open_needs_a_person(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    tokens = await stage.tokens(connection.id)
    assert tokens is not None
    elsewhere = KeyRing.fresh().newest.seal(b"a token", context="another vault")
    await stage.keep(tokens.model_copy(update={"refresh_sealed": elsewhere}))

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, RefreshAsked(serial=1))
        await until(lambda: needs_reauth(stage, connection))

    assert await sandbox.calls("zoom.refresh") == 0


async def test_a_token_that_is_refused_though_it_was_just_renewed_kills_no_link(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    await sandbox.fault("zoom.user", "before", status=401, rate=1.0)

    async with stage.at_work("connection"):
        with pytest.raises(TryLater, match="that it has just renewed"):
            await whose(stage, connection)

    assert (await stage.connection(connection.id)).usable
    assert await sandbox.calls("zoom.refresh") == 1


async def test_t27_a_call_that_meets_a_broken_link_makes_it_known(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)

    async with stage.at_work("connection"):
        broken = LinkBroken(reason="a scope is missing", missing_scopes=("meeting:write:meeting",))
        await stage.post("connection", connection.id, broken)
        await until(lambda: needs_reauth(stage, connection))

    stored = await stage.connection(connection.id)
    assert stored.missing_scopes == ("meeting:write:meeting",)
    with pytest.raises(NeedsReauth, match="a scope is missing"):
        await access(stage.runtime, stage.tenant, connection.id)


async def test_no_token_is_printed_or_stored_in_clear(
    stage: Stage, sandbox: Sandbox, logs: io.StringIO
) -> None:
    connection = await stage.link(sandbox)

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, RefreshAsked(serial=1))
        await until(lambda: stage.idle("connection", connection.id))

    tokens = await stage.tokens(connection.id)
    assert tokens is not None
    granted = await access(stage.runtime, stage.tenant, connection.id)
    printed = logs.getvalue()
    assert granted.token not in printed + repr(granted) + tokens.model_dump_json()
    assert connection.id in printed
