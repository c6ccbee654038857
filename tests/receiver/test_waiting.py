"""Do answers grow old, are questions asked once, and does patience end for those who wait?"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from webhooks.patience import Patience
from webhooks.remembering import Remembered


class Oracle:
    """Counts what it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.now = 0.0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fails = False

    async def ask(self, key: str) -> str:
        self.asked[key] += 1
        await self.may_answer.wait()
        if self.fails:
            raise ConnectionError("not now")
        return f"{key} {self.asked[key]}"

    def remembered(self, at_most: int = 10) -> Remembered[str, str]:
        return Remembered(self.ask, at_most=at_most, clock=lambda: self.now)


async def test_an_answer_is_good_for_two_seconds() -> None:
    oracle = Oracle()
    remembered = oracle.remembered()

    told = []
    for moment in (0.0, 1.9, 2.0):
        oracle.now = moment
        told.append(await remembered.get("a"))

    assert told == ["a 1", "a 1", "a 2"]


async def test_many_who_ask_at_once_ask_once_and_one_may_leave() -> None:
    oracle = Oracle()
    oracle.may_answer.clear()
    remembered = oracle.remembered()
    asking = [asyncio.create_task(remembered.get("a")) for _ in range(5)]
    await asyncio.sleep(0)

    asking[0].cancel()
    await asyncio.sleep(0)
    oracle.may_answer.set()

    assert await asyncio.gather(*asking[1:]) == ["a 1"] * 4
    assert asking[0].cancelled()


async def test_a_failure_is_not_remembered() -> None:
    oracle = Oracle()
    remembered = oracle.remembered()
    oracle.fails = True
    with pytest.raises(ConnectionError):
        await remembered.get("a")
    oracle.fails = False

    assert await remembered.get("a") == "a 2"


async def test_what_is_often_asked_is_asked_anew_before_it_is_too_old() -> None:
    oracle = Oracle()
    remembered = oracle.remembered()
    await remembered.get("a")

    told = []
    for moment in (0.4, 1.6, 1.7, 2.0, 4.6):
        oracle.now = moment
        told.append((remembered.known("a"), oracle.asked["a"]))
        await asyncio.sleep(0.001)

    assert told == [("a 1", 1), ("a 1", 1), ("a 2", 2), ("a 2", 2), (None, 2)]


async def test_what_came_together_is_not_asked_anew_together() -> None:
    oracle = Oracle()
    remembered = oracle.remembered(at_most=100)
    keys = [str(number) for number in range(100)]
    for key in keys:
        await remembered.get(key)

    anew = []
    for moment in (0.4, 0.75, 1.0, 1.25, 1.6):
        oracle.now = moment
        assert all(remembered.known(key) for key in keys)
        await asyncio.sleep(0.001)
        anew.append(sum(times > 1 for times in oracle.asked.values()))

    assert anew[0] == 0
    assert 0 < anew[1] < anew[2] < anew[3] < anew[4] == 100


async def test_asking_anew_in_vain_leaves_what_was_known_for_its_time() -> None:
    oracle = Oracle()
    remembered = oracle.remembered()
    await remembered.get("a")
    oracle.fails = True

    told = []
    for moment in (1.6, 1.9, 2.0):
        oracle.now = moment
        told.append(remembered.known("a"))
        await asyncio.sleep(0.001)

    assert told == ["a 1", "a 1", None]
    assert oracle.asked["a"] == 2


async def test_whoever_asks_for_ever_new_things_pushes_out_the_oldest_only() -> None:
    oracle = Oracle()
    remembered = oracle.remembered(at_most=3)

    for key in ("a", "b", "c", "d", "b", "c", "d", "a"):
        await remembered.get(key)

    assert oracle.asked == {"a": 2, "b": 1, "c": 1, "d": 1}


async def test_patience_ends_for_each_who_waits_too_long_and_for_nobody_else() -> None:
    patience = Patience(timedelta(milliseconds=20), lambda: ConnectionError("too long"))
    released = asyncio.Event()

    async def wait() -> str:
        with patience:
            await released.wait()
        return "in time"

    late = [asyncio.create_task(wait()) for _ in range(3)]
    told = await asyncio.gather(*late, return_exceptions=True)
    soon = [asyncio.create_task(wait()) for _ in range(3)]
    released.set()

    assert [str(each) for each in told] == ["too long"] * 3
    assert await asyncio.gather(*soon) == ["in time"] * 3
    assert await wait() == "in time"


async def test_patience_ends_for_an_answer_that_no_task_waits_for() -> None:
    patience = Patience(timedelta(milliseconds=20), lambda: ConnectionError("too long"))
    late, soon = (asyncio.get_running_loop().create_future() for _ in range(2))
    patience.watch(soon)
    soon.set_result("in time")
    patience.watch(late)

    await asyncio.wait([late])

    assert late.cancelled()
    assert await soon == "in time"


async def test_a_failed_answer_is_not_at_hand_and_a_good_one_grows_old() -> None:
    oracle = Oracle()
    remembered = oracle.remembered()
    oracle.fails = True
    with pytest.raises(ConnectionError):
        await remembered.get("a")
    failed = remembered.known("a")
    oracle.fails = False
    await remembered.get("a")

    young = remembered.known("a")
    oracle.now = 2.0

    assert (failed, young, remembered.known("a")) == (None, "a 2", None)


async def test_another_ones_cancellation_is_not_taken_for_the_end_of_patience() -> None:
    patience = Patience(timedelta(seconds=60), lambda: ConnectionError("too long"))

    async def wait() -> None:
        with patience:
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
