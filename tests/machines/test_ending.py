"""A task that is told to end has time for its last words, and ends though it did not listen."""

from __future__ import annotations

import asyncio

from infra.ending import end


async def test_a_task_has_time_for_its_last_words() -> None:
    """What redis-py does on its way out of a `WATCH`, with a store that takes its time."""
    said: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)
            said.append("UNWATCH")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end(task)

    assert said == ["UNWATCH"]


async def test_a_task_that_dropped_its_cancellation_is_told_again() -> None:
    told = 0

    async def work() -> None:
        nonlocal told
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end(task)

    assert (told, task.cancelled()) == (1, True)
