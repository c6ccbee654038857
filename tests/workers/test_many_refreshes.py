"""F14: two hundred calls with a token that ran out, and what a lost renewal costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from infra import points
from infra.errors import NeedsReauth, TryLater
from infra.points import Fault
from infra.sandbox.client import Sandbox
from schemas.callbacks import CallbackType
from tests.workers.stage import Stage, until
from tests.workers.test_refresh import ADA, needs_reauth, whose


@pytest.fixture(autouse=True)
def _no_fault_stays_armed() -> Iterator[None]:
    yield
    points.arm()


@pytest.mark.full
async def test_f14_two_hundred_at_once_cause_one_refresh(stage: Stage, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.token_rules(reuse="kill")
    await sandbox.zoom.expire_access(host)

    async with stage.at_work("connection"):
        accounts = await asyncio.gather(*(whose(stage, connection) for _ in range(200)))

    refreshes = await sandbox.calls("zoom.refresh")
    print(f"\n[F14] {len(accounts)} at once with a token that ran out, {refreshes} refresh")
    assert {one.id for one in accounts} == {host}
    assert refreshes == 1


@pytest.mark.full
async def test_f14_a_renewed_token_that_is_lost_asks_for_one_new_link_and_then_rests(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.token_rules(reuse="kill")
    await sandbox.zoom.expire_access(host)
    points.arm(Fault(point="zoom.refresh", when="after", do="cut"))

    async with stage.at_work("connection"):
        tries = (whose(stage, connection) for _ in range(200))
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        await until(lambda: needs_reauth(stage, connection))
        await until(lambda: stage.idle("connection", connection.id))

    refreshes = await sandbox.calls("zoom.refresh")
    asked = len(await stage.told(CallbackType.CONNECTION_NEEDS_REAUTH))
    print(f"\n[F14] cut off between answer and store: {refreshes} refreshes, {asked} link flagged")
    assert all(isinstance(one, (NeedsReauth, TryLater)) for one in outcomes)
    assert (refreshes, asked) == (2, 1)
