"""ENGINE 4: a group's gate holds a thousand lanes with one write."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from infra.lanes import Item, Lanes, Post
from tests.store.claims import claim, claim_one, finish, lane_of, post, turn_comes

LATER = timedelta(hours=1)


async def work_off(lanes: Lanes, client: Redis, tenant: str) -> list[str]:
    """Subjects in the order in which they were worked."""
    worked: list[str] = []
    for _ in range(50):
        await turn_comes(client, tenant)
        found = await claim(lanes, 64)
        worked += [claimed.lane.subject for claimed in found]
        for claimed in found:
            await finish(lanes, claimed)
    return worked


async def test_claim_skips_closed_groups(lanes: Lanes, client: Redis, tenant: str) -> None:
    await post(lanes, lane_of(tenant, "shut"), "a", group="endpoint:1")
    await post(lanes, lane_of(tenant, "free"), "b", group="endpoint:2")

    await lanes.close_gate(tenant, "endpoint:1", None, "a person paused it")
    [claimed] = await claim(lanes)
    gate = await lanes.gate(tenant, "endpoint:1")
    state = await lanes.state(lane_of(tenant, "shut"))

    assert claimed.lane.subject == "free"
    assert gate is not None
    assert gate.reason == "a person paused it"
    assert (state.waits_at_gate, state.group) == (True, "endpoint:1")


async def test_an_opening_gate_wakes_all_its_lanes(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    subjects = [f"s{number:03}" for number in range(150)]
    await lanes.close_gate(tenant, "g", LATER, "429")
    await lanes.post_many(
        tenant, [Post(lane_of(tenant, subject), Item("a"), group="g") for subject in subjects]
    )
    closed = await work_off(lanes, client, tenant)

    await lanes.open_gate(tenant, "g")
    opened = await work_off(lanes, client, tenant)

    assert closed == []
    assert sorted(opened) == subjects
    assert await lanes.gate(tenant, "g") is None


async def test_a_gate_opens_by_itself(lanes: Lanes, client: Redis, tenant: str) -> None:
    await lanes.close_gate(tenant, "g", timedelta(milliseconds=60), "429")
    await post(lanes, lane_of(tenant), "a", group="g")
    early = await claim(lanes)

    async with asyncio.timeout(20):
        while not (found := await claim(lanes)):
            await lanes.wait("meeting", timedelta(seconds=1))

    assert early == []
    assert len(found) == 1


async def test_posts_to_a_lane_behind_a_gate_only_append(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    await lanes.close_gate(tenant, "g", LATER, "429")
    await post(lanes, lane_of(tenant), "a", group="g")
    await claim(lanes)

    await post(lanes, lane_of(tenant), "b")
    state = await lanes.state(lane_of(tenant))
    await lanes.open_gate(tenant, "g")
    await turn_comes(client, tenant)

    assert (state.waits_at_gate, state.due) == (True, None)
    assert [item.id for item in (await claim_one(lanes)).items] == ["a", "b"]


async def test_a_lane_that_leaves_its_group_leaves_its_gate(lanes: Lanes, tenant: str) -> None:
    await lanes.close_gate(tenant, "old", None, "a person")
    await post(lanes, lane_of(tenant), "a", group="old")
    shut = await claim(lanes)

    await lanes.post(Post(lane_of(tenant), timers={"poll": LATER}, group="new"))

    assert shut == []
    assert [item.id for item in (await claim_one(lanes)).items] == ["a"]


async def test_a_limit_holds_and_the_next_comes_when_one_is_let_go(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    await lanes.limit_gate(tenant, "host", 2)
    for number in range(5):
        await post(lanes, lane_of(tenant, str(number)), "a", group="host")

    first = await claim(lanes)
    full = await claim(lanes)
    await finish(lanes, first[0])
    third = await claim(lanes)
    for claimed in (first[1], *third):
        await finish(lanes, claimed)
    rest = await work_off(lanes, client, tenant)

    assert (len(first), full, len(third)) == (2, [], 1)
    assert len(rest) == 2


@pytest.mark.parametrize("slots", [10, 1])
async def test_lanes_behind_a_limit_come_in_the_order_they_came(
    lanes: Lanes, client: Redis, tenant: str, slots: int
) -> None:
    """With one slot most are laid aside without having been taken."""
    await lanes.limit_gate(tenant, "host", 1)
    for subject in "zyxwca":
        await post(lanes, lane_of(tenant, subject), "a", group="host")
        await asyncio.sleep(0.002)  # the store's clock has milliseconds
    [held] = await claim(lanes, slots)  # the others meet the limit, one after the other
    for _ in range(3):
        await claim(lanes, slots)
    waits = [(await lanes.state(lane_of(tenant, subject))).waits_at_gate for subject in "yxwca"]
    await finish(lanes, held)

    assert waits == [True] * 5
    assert await work_off(lanes, client, tenant) == ["y", "x", "w", "c", "a"]


async def test_what_is_glanced_at_before_an_open_gate_keeps_its_turn(
    lanes: Lanes, tenant: str
) -> None:
    await lanes.close_gate(tenant, "shut", LATER, "429")
    await post(lanes, lane_of(tenant, "first"), "a", group="shut")
    await post(lanes, lane_of(tenant, "second"), "a", group="open")
    await post(lanes, lane_of(tenant, "third"), "a", group="open")
    await asyncio.sleep(0.002)  # lanes of one millisecond come in the order of their names
    await lanes.post(Post(lane_of(tenant, "fourth"), timers={"poll": timedelta(0)}, group="shut"))

    early = await claim(lanes, 1)
    taken = [await claim_one(lanes, slots=1) for _ in range(2)]
    states = [await lanes.state(lane_of(tenant, name)) for name in ("first", "fourth")]

    assert early == []
    assert [one.lane.subject for one in taken] == ["second", "third"]
    assert [state.waits_at_gate for state in states] == [True, True]


async def test_lifting_a_limit_lets_all_through(lanes: Lanes, client: Redis, tenant: str) -> None:
    await lanes.limit_gate(tenant, "host", 1)
    for number in range(4):
        await post(lanes, lane_of(tenant, str(number)), "a", group="host")
    held = await claim(lanes)

    await lanes.limit_gate(tenant, "host", None)
    await turn_comes(client, tenant)
    rest = await claim(lanes)

    assert (len(held), len(rest)) == (1, 3)


async def test_the_limit_counts_no_lane_that_is_gone(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    await lanes.limit_gate(tenant, "host", 1)
    for subject in ("released", "parked"):
        await post(lanes, lane_of(tenant, subject), "a", group="host")
    first = await claim_one(lanes)
    await lanes.park(first.lane, "a person")
    second = await claim_one(lanes)
    await lanes.release(second)

    assert len(await claim(lanes)) == 1
