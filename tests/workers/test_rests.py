"""T23: what a provider asks of one worker's call, every worker heeds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from infra.errors import RateLimited, TryLater
from infra.sandbox.client import Sandbox
from infra.settings import Settings
from infra.store import open_store
from schemas.connections import Account
from tests.workers.stage import Stage, until
from tests.workers.watching import ADA
from workers.access import with_access
from workers.ports import Access
from workers.runtime import Runtime


@pytest.fixture
async def other(runtime: Runtime, settings: Settings) -> AsyncIterator[Runtime]:
    """Another worker: lines and a memory of its own."""
    async with open_store(settings) as store:
        yield replace(runtime, store=store, rests={})


async def read(runtime: Runtime, tenant: str, connection: str) -> Account:
    """One call to the account."""

    async def call(provider: str, access: Access) -> Account:
        return await runtime.calendars[provider].account(access)

    return await with_access(runtime, tenant, connection, call)


async def limited(sandbox: Sandbox, retry_after: str) -> None:
    headers = {"Retry-After": retry_after}
    await sandbox.fault("graph.calendar", "before", status=429, headers=headers, times=1)


async def test_an_account_that_asked_one_worker_for_rest_is_left_alone_by_all(
    stage: Stage, sandbox: Sandbox, runtime: Runtime, other: Runtime
) -> None:
    rests, works = [
        await stage.link(
            sandbox, host=await sandbox.graph.add_account(mail, name="A"), provider="graph"
        )
        for mail in (ADA, "bob@house.example")
    ]
    await limited(sandbox, "100")
    with pytest.raises(TryLater, match="429"):
        await read(runtime, stage.tenant, rests.id)

    for worker in (runtime, other):
        with pytest.raises(RateLimited, match="as its provider asked of another call"):
            await read(worker, stage.tenant, rests.id)
    asked = await sandbox.calls("graph.calendar")
    await read(other, stage.tenant, works.id)

    assert asked == 1


async def test_what_was_asked_for_ends_by_itself_for_all(
    stage: Stage, sandbox: Sandbox, runtime: Runtime, other: Runtime
) -> None:
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    connection = await stage.link(sandbox, host=mailbox, provider="graph")
    await limited(sandbox, "1")
    with pytest.raises(TryLater, match="429"):
        await read(runtime, stage.tenant, connection.id)

    async def answered() -> bool:
        try:
            return (await read(other, stage.tenant, connection.id)).name == "Ada"
        except RateLimited:
            return False

    await until(answered)
    assert await sandbox.calls("graph.calendar") == 2


async def test_what_is_asked_after_a_token_was_renewed_is_heeded_too(
    stage: Stage, sandbox: Sandbox, runtime: Runtime, other: Runtime
) -> None:
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    connection = await stage.link(sandbox, host=mailbox, provider="graph")
    await sandbox.fault("graph.calendar", "before", status=401, times=1)
    await limited(sandbox, "100")
    async with stage.at_work("connection"):
        with pytest.raises(TryLater, match="429"):
            await read(runtime, stage.tenant, connection.id)

    with pytest.raises(RateLimited, match="as its provider asked of another call"):
        await read(other, stage.tenant, connection.id)
    assert await sandbox.calls("graph.calendar") == 2
