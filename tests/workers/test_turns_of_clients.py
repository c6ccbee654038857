"""GoTo takes ten calls a second of a client: its calls leave in turns that all workers share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from infra.errors import TryLater
from infra.settings import Settings
from infra.store import open_store
from schemas.providers import PROVIDERS
from tests.workers.stage import Stage
from workers.ports import Turn
from workers.runtime import Runtime
from workers.turns import TURN_WITHIN, turn_of


@pytest.fixture
async def another(runtime: Runtime, settings: Settings) -> AsyncIterator[Runtime]:
    """Another worker, with lines of its own to the store."""
    async with open_store(settings) as store:
        yield replace(runtime, store=store)


def turn(runtime: Runtime, stage: Stage, client: str = "c") -> Turn:
    """The turn of one call."""
    return turn_of(runtime, stage.tenant, PROVIDERS["goto"], client=client, host="ada")


async def crowd(runtime: Runtime, stage: Stage) -> tuple[int, list[asyncio.Task[None]]]:
    """More calls than can leave while one waits for its turn: how many had left when the first was
    refused, and those that were waiting then."""

    async def call() -> None:
        async with turn(runtime, stage)():
            pass

    far = int(TURN_WITHIN.total_seconds() * (PROVIDERS["goto"].calls_a_second or 0)) * 2
    calls = [asyncio.create_task(call()) for _ in range(far)]
    over, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_EXCEPTION)
    return sum(one.exception() is None for one in over), [*waiting]


async def test_who_would_wait_long_is_told_to_come_again_by_every_worker(
    stage: Stage, another: Runtime
) -> None:
    left, waiting = await crowd(stage.runtime, stage)
    try:
        with pytest.raises(TryLater, match="10 calls a second") as refused:
            async with turn(another, stage)():
                raise AssertionError("it went out before its turn")
        async with turn(another, stage, client="of somebody else")():
            pass
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert left < 30, "as many as have their turn within five seconds would be forty"
    assert refused.value.after is not None
    assert refused.value.after > TURN_WITHIN
