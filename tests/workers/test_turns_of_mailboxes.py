"""A mailbox's limits are kept by all workers together: so many calls at once, so many a window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra import keys, valkey
from infra.errors import RateLimited, TryLater
from infra.sandbox.client import Sandbox
from infra.settings import Settings
from infra.store import open_store
from infra.store.quotas import Crowd, Entry
from schemas.connections import Account, Connection
from schemas.providers import PROVIDERS
from tests.workers.stage import Stage
from tests.workers.watching import ADA
from workers.access import with_access
from workers.ports import Access
from workers.runtime import Runtime
from workers.turns import turn_of

LIMIT = PROVIDERS["graph"].calls_in_ten_minutes or 0


@pytest.fixture
async def workers(runtime: Runtime, settings: Settings) -> AsyncIterator[list[Runtime]]:
    """Two, each with lines of its own to the store and a memory of its own of who rests."""
    async with open_store(settings) as store:
        yield [runtime, replace(runtime, store=store, rests={})]


async def linked(stage: Stage, sandbox: Sandbox) -> Connection:
    """Ada's mailbox, whose every call takes a while."""
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    await sandbox.graph.settings(slow_s=0.05)
    return await stage.link(sandbox, host=mailbox, provider="graph")


def books_of(stage: Stage, connection: Connection) -> list[str]:
    """Where the mailbox's calls are counted, in this window and, should it end meanwhile, the
    next."""
    api = PROVIDERS["graph"].at(stage.runtime.settings.provider_urls["graph"]).urls.api
    now = datetime.now(UTC).timestamp()
    ends = [datetime.fromtimestamp((now // 600 + ahead) * 600, UTC) for ahead in (1, 2)]
    name = f"{api}/{connection.account.id}"
    return [keys.book(stage.tenant, f"{name}:{end:%Y%m%dT%H%M%S}") for end in ends]


async def read(runtime: Runtime, tenant: str, connection: str) -> Account:
    """One call to the mailbox."""

    async def call(provider: str, access: Access) -> Account:
        return await runtime.calendars[provider].account(access)

    return await with_access(runtime, tenant, connection, call)


async def test_two_workers_have_four_calls_of_a_mailbox_under_way_and_no_more(
    stage: Stage, sandbox: Sandbox, workers: list[Runtime]
) -> None:
    connection = await linked(stage, sandbox)

    told = await asyncio.gather(
        *(read(workers[n % 2], stage.tenant, connection.id) for n in range(16))
    )

    assert {one.name for one in told} == {"Ada"}
    assert await sandbox.graph.most_at_once() <= 4
    assert await sandbox.calls("graph.calendar") == 16, "none was refused and made again"


async def test_the_calls_of_a_window_are_counted_by_all_and_then_nothing_is_sent(
    stage: Stage, sandbox: Sandbox, workers: list[Runtime], settings: Settings
) -> None:
    connection = await linked(stage, sandbox)
    books = books_of(stage, connection)

    async with valkey.connect(settings) as store:
        for worker in workers:
            await read(worker, stage.tenant, connection.id)
        used = sum(int(count or 0) for count in await store.mget(books))
        for book in books:
            await store.set(book, LIMIT, ex=60)
        # In the last two minutes of a window the second one hears of it from the first.
        for worker, why in zip(workers, ("10000 calls", "10000 calls|rests"), strict=True):
            with pytest.raises(RateLimited, match=why):
                await read(worker, stage.tenant, connection.id)

    assert used == 2
    assert await sandbox.calls("graph.calendar") == 2


async def test_a_worker_that_died_in_a_call_blocks_nobody_for_long(stage: Stage) -> None:
    quotas = stage.runtime.store.quotas
    until = datetime.now(UTC) + timedelta(minutes=10)
    rule = Crowd(at_once=1, held=timedelta(seconds=0.2), window=9, until=until)

    first = await quotas.enter(stage.tenant, "box", "dead", rule)
    same = await quotas.enter(stage.tenant, "box", "dead", rule)
    second = await quotas.enter(stage.tenant, "box", "alive", rule)
    await asyncio.sleep(0.25)

    assert [first, same, second] == [Entry.TAKEN, Entry.TAKEN, Entry.NONE_FREE]
    assert await quotas.enter(stage.tenant, "box", "alive", rule) is Entry.TAKEN


async def test_who_waits_too_long_for_a_place_is_told_to_come_again(stage: Stage) -> None:
    row = PROVIDERS["graph"]
    turn = turn_of(stage.runtime, stage.tenant, row, client="c", host="box")
    async with turn(), turn(), turn(), turn():
        with pytest.raises(TryLater, match="at once"):
            async with turn():
                raise AssertionError("a fifth call went out")

    async with turn():
        pass
