"""Commits of one turn of the loop travel together, and each stands or falls alone."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from infra import keys
from infra.errors import ClaimLost, Conflict
from infra.functions.calls import Calls
from infra.lanes import Claimed, IndexSet, Item, Lane, Lanes, Post, Unit
from infra.lanes.commits import MOST_LANES
from tests.store.claims import claim, lane_of, post, turn_comes
from tests.store.cutter import Cutter
from tests.store.documents import Note


async def claimed_in_turn(lanes: Lanes, tenant: str, *subjects: str) -> list[Claimed]:
    """A lane for each subject, with one item in it, all of them ours."""
    for subject in subjects:
        await post(lanes, lane_of(tenant, subject), f"of {subject}")
    claimed = {each.lane.subject: each for each in await claim(lanes, len(subjects) + 2)}
    return [claimed[subject] for subject in subjects]


def handled(claimed: Claimed) -> Unit:
    return Unit(handled=[item.id for item in claimed.items])


def telling(claimed: Claimed, lane: Lane) -> Unit:
    return Unit(handled=handled(claimed).handled, posts=[Post(lane, Item("told"))])


async def calls_made(client: Redis) -> int:
    commands = await client.info("commandstats")
    return int(commands.get("cmdstat_fcall", {"calls": 0})["calls"])


@pytest.mark.parametrize(("count", "made"), [(3, 1), (MOST_LANES + 1, 2)])
async def test_commits_of_one_turn_are_one_call_of_64_lanes_at_most(
    lanes: Lanes, client: Redis, tenant: str, count: int, made: int
) -> None:
    await lanes.post_many(tenant, [Post(lane_of(tenant, f"m{n}"), Item("a")) for n in range(count)])
    held = await claim(lanes, count)
    while len(held) < count:
        await turn_comes(client, tenant)
        held += await claim(lanes, count)
    before = await calls_made(client)

    await asyncio.gather(*(lanes.commit(each, handled(each)) for each in held))

    assert (len(held), await calls_made(client) - before) == (count, made)
    assert await client.zcard(keys.held(tenant, "meeting")) == 0


@pytest.mark.parametrize("when", [None, "before", "after"])
async def test_each_commit_has_its_own_answer_though_the_line_is_cut(
    cut: tuple[Cutter, Lanes, Calls],
    lanes: Lanes,
    tenant: str,
    when: Literal["before", "after"] | None,
) -> None:
    cutter, through, _ = cut
    lost, stale, held, gone = await claimed_in_turn(
        through, tenant, "lost", "stale", "held", "gone"
    )
    await lanes.park(lost.lane, "a person did")
    if when:
        cutter.words, cutter.when = b"tieline_1_commit", when

    answers = await asyncio.gather(
        through.commit(lost, handled(lost)),
        through.commit(stale, Unit(handled=["of stale"], puts=[Note(id="n", rev=7)])),
        through.commit(held, Unit(handled=["of held"], hold=True)),
        through.commit(gone, telling(gone, lane_of(tenant, "s", "callback"))),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [ClaimLost, Conflict, Claimed, Claimed]
    depths = [(await lanes.state(each.lane)).depth for each in (lost, stale, held, gone)]
    assert depths == [1, 1, 0, 0]
    [callback] = await lanes.claim("callback", 9, empty=False)
    assert [item.id for item in callback.items] == ["told"]
    assert (await lanes.state(held.lane)).held_until is not None


async def test_a_lane_that_is_let_go_is_told_by_the_next_one_of_the_same_call(
    lanes: Lanes, tenant: str
) -> None:
    first, second = await claimed_in_turn(lanes, tenant, "first", "second")

    await asyncio.gather(
        lanes.commit(first, handled(first)), lanes.commit(second, telling(second, first.lane))
    )

    [again] = await claim(lanes)
    assert (again.lane, [item.id for item in again.items]) == (first.lane, ["told"])


async def test_a_claim_that_is_let_go_twice_in_one_call_is_lost_the_second_time(
    lanes: Lanes, tenant: str
) -> None:
    [ours] = await claimed_in_turn(lanes, tenant, "ours")

    first, second = await asyncio.gather(
        lanes.commit(ours, handled(ours)),
        lanes.commit(ours, Unit(posts=[Post(lane_of(tenant, "other"), Item("told"))])),
        return_exceptions=True,
    )

    assert isinstance(first, Claimed)
    assert isinstance(second, ClaimLost)
    assert await claim(lanes) == []


async def test_items_behind_those_that_were_handled_keep_their_order(
    lanes: Lanes, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a", "b", "c", "d")
    [ours] = await claim(lanes)

    after = await lanes.commit(ours, Unit(handled=["a"], hold=True))
    strange = await lanes.commit(after, Unit(handled=["c", "nowhere"], hold=True))

    assert [item.id for item in after.items] == ["b", "c", "d"]
    assert [item.id for item in strange.items] == ["b", "d"]


async def test_a_commit_that_the_store_refuses_is_the_mistake_of_its_lane_alone(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    wrong, fine = await claimed_in_turn(lanes, tenant, "wrong", "fine")
    await client.set(keys.index(tenant, "broken"), "no hash")

    refused, _ = await asyncio.gather(
        lanes.commit(wrong, Unit(index=[IndexSet("broken", "a", "b")])),
        lanes.commit(fine, handled(fine)),
        return_exceptions=True,
    )

    assert isinstance(refused, ResponseError)
    assert "WRONGTYPE" in str(refused)
    assert (await lanes.state(wrong.lane)).held_until is not None
    assert (await lanes.state(fine.lane)).depth == 0
