"""What is in the store? One bundle per process, opened once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from infra import functions, valkey
from infra.functions.calls import Calls
from infra.lanes import Lanes, Leases
from infra.lanes.turns import Doorbell
from infra.settings import Settings
from infra.store.accounts import Accounts
from infra.store.answers import Answers
from infra.store.blobs import Blobs
from infra.store.documents import Documents
from infra.store.epoch import Epoch
from infra.store.feed import Feed
from infra.store.grants import Grants
from infra.store.index import Index, Rank
from infra.store.logs import Logs
from infra.store.quotas import Quotas
from infra.store.register import Register

READY_WITHIN: Final = timedelta(seconds=30)
BLOCKING_ANSWER: Final = timedelta(seconds=3)  # three times as long as any read blocks (ENGINE 17)


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that a process keeps and finds."""

    lanes: Lanes
    documents: Documents
    grants: Grants
    index: Index
    rank: Rank
    logs: Logs
    feed: Feed
    blobs: Blobs
    accounts: Accounts
    quotas: Quotas
    register: Register
    answers: Answers
    epoch: Epoch


@asynccontextmanager
async def open_store(
    settings: Settings, *, doorbell: Doorbell | None = None, leases: Leases | None = None
) -> AsyncIterator[Store]:
    """The store of these settings, with our functions in it.

    Raises StoreAway after 30 s, and Refused in words when the store is unsafe.
    """
    async with AsyncExitStack() as stack:
        client = valkey.connect(settings)
        stack.push_async_callback(client.aclose)
        waiting = Redis.from_pool(valkey.pool(settings, answer_within=BLOCKING_ANSWER, retries=0))
        stack.push_async_callback(waiting.aclose)
        await valkey.ready(client, within=READY_WITHIN)
        await valkey.insist(client)
        await functions.load(client)
        calls = Calls(client)
        lanes = Lanes(
            calls, waiting, leases=leases, keep_feed=settings.keep_feed, doorbell=doorbell
        )
        stack.push_async_callback(lanes.aclose)
        epoch = Epoch(calls)
        await epoch.look()
        looking = asyncio.create_task(epoch.keep_looking())
        stack.callback(looking.cancel)
        feed = Feed(calls, epoch, keep=settings.keep_feed)
        yield _bundle(calls, waiting, lanes, feed)


def _bundle(calls: Calls, waiting: Redis, lanes: Lanes, feed: Feed) -> Store:
    documents = Documents(calls)
    return Store(
        lanes=lanes,
        documents=documents,
        grants=Grants(documents),
        index=Index(calls),
        rank=Rank(calls),
        logs=Logs(calls),
        feed=feed,
        blobs=Blobs(calls),
        accounts=Accounts(calls),
        quotas=Quotas(calls),
        register=Register(calls),
        answers=Answers(calls, waiting),
        epoch=feed.epoch,
    )
