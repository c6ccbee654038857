"""ENGINE 2, 3, 6: what lies in a lane, when it is due, and what is left when it is empty."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from infra import keys
from infra.errors import ClaimLost, Conflict
from infra.lanes import (
    Body,
    Entry,
    IndexSet,
    Item,
    Lane,
    Lanes,
    Post,
    Posted,
    RankSet,
    TooMuch,
    Unit,
)
from infra.lanes.committing import Words, say_post
from tests.store.claims import claim, claim_one, finish, lane_of, post, turn_comes
from tests.store.documents import Note

SOON = timedelta(milliseconds=40)
LATER = timedelta(hours=1)


async def test_items_of_a_lane_come_in_order_and_leave_by_id(lanes: Lanes, tenant: str) -> None:
    lane = lane_of(tenant)
    posts = [Post(lane, Item(id_, b"body\nof " + id_.encode())) for id_ in "abcd"]

    await lanes.post_many(tenant, posts)
    first = await claim_one(lanes)
    await lanes.commit(first, Unit(handled=["b", "a", "d"]))
    second = await claim_one(lanes)

    assert [item.id for item in first.items] == ["a", "b", "c", "d"]
    assert first.items[0].body == b"body\nof a"
    assert [item.id for item in second.items] == ["c"]


async def test_an_item_that_came_since_stays_though_its_id_is_handled(
    lanes: Lanes, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a", "b")
    claimed = await claim_one(lanes)
    await post(lanes, lane_of(tenant), "a", "a")

    await lanes.commit(claimed, Unit(handled=["b", "a", "never there"]))

    assert [item.id for item in (await claim_one(lanes)).items] == ["a", "a"]


async def test_a_lane_shows_its_64_oldest_items(lanes: Lanes, tenant: str) -> None:
    await lanes.post_many(tenant, [Post(lane_of(tenant), Item(str(n))) for n in range(100)])

    first = await claim_one(lanes)
    held = await lanes.commit(first, Unit(handled=[item.id for item in first.items], hold=True))

    assert [item.id for item in first.items] == [str(n) for n in range(64)]
    assert [item.id for item in held.items] == [str(n) for n in range(64, 100)]


async def test_a_post_to_a_held_lane_only_appends(lanes: Lanes, tenant: str) -> None:
    await post(lanes, lane_of(tenant), "a")

    first = await claim_one(lanes)
    await post(lanes, lane_of(tenant), "b")
    others = await claim(lanes)
    await lanes.commit(first, Unit(handled=["a"]))
    after = await claim_one(lanes)

    assert others == []
    assert [item.id for item in after.items] == ["b"]


async def test_post_never_lowers_not_before(client: Redis, lanes: Lanes, tenant: str) -> None:
    await post(lanes, lane_of(tenant), "a")
    await lanes.commit(await claim_one(lanes), Unit(failed=True, not_before=LATER))

    await lanes.post(Post(lane_of(tenant), Item("b"), mark=True, timers={"poll": SOON}))
    await turn_comes(client, tenant)

    assert await claim(lanes) == []
    assert (await lanes.state(lane_of(tenant))).failures == 1


async def test_not_before_outlives_the_work_it_was_set_for(
    client: Redis, lanes: Lanes, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a")
    await lanes.commit(await claim_one(lanes), Unit(handled=["a"], not_before=LATER))

    await post(lanes, lane_of(tenant), "b")
    await turn_comes(client, tenant)

    assert await claim(lanes) == []


async def test_release_and_a_persons_retry_lower_not_before(lanes: Lanes, tenant: str) -> None:
    await post(lanes, lane_of(tenant), "a")
    await lanes.release(await claim_one(lanes), not_before=LATER)
    waiting = await lanes.state(lane_of(tenant))

    await lanes.retry(lane_of(tenant))
    claimed = await claim_one(lanes)

    assert waiting.not_before is not None
    assert (claimed.failures, claimed.apart) == (0, False)


async def test_timers_are_set_again_cleared_and_consumed(
    client: Redis, lanes: Lanes, tenant: str
) -> None:
    lane = lane_of(tenant)
    await lanes.post(Post(lane, timers={"poll": timedelta(0), "renew": LATER}))

    first = await claim_one(lanes)
    await lanes.commit(first, Unit(timers={"sweep": timedelta(0)}))
    second = await claim_one(lanes)
    await lanes.commit(second, Unit(timers={"sweep": LATER, "renew": None}))
    await turn_comes(client, tenant)

    assert set(first.fired) == {"poll"}
    assert set(second.fired) == {"sweep"}
    assert set((await lanes.state(lane)).timers) == {"sweep"}
    assert await claim(lanes) == []


async def test_a_timer_fires_when_its_time_has_come(lanes: Lanes, tenant: str) -> None:
    await lanes.post(Post(lane_of(tenant), timers={"poll": SOON}))
    early = await claim(lanes)

    async with asyncio.timeout(5):
        while not (found := await claim(lanes)):
            await lanes.wait("meeting", timedelta(seconds=1))

    assert early == []
    assert set(found[0].fired) == {"poll"}


async def test_fired_timers_of_a_failed_run_fire_again(lanes: Lanes, tenant: str) -> None:
    await lanes.post(Post(lane_of(tenant), timers={"poll": timedelta(0)}))

    await lanes.commit(await claim_one(lanes), Unit(failed=True))
    again = await claim_one(lanes)

    assert set(again.fired) == {"poll"}


async def test_a_hint_after_the_claim_stays(lanes: Lanes, tenant: str) -> None:
    """ENGINE 19: hints are one mark and a count."""
    await lanes.post_many(tenant, [Post(lane_of(tenant), mark=True)] * 2)

    first = await claim_one(lanes)
    await lanes.post(Post(lane_of(tenant), mark=True))
    await lanes.commit(first, Unit(mark=first.mark))
    second = await claim_one(lanes)
    await lanes.commit(second, Unit(mark=second.mark))

    assert (first.mark, second.mark) == (2, 3)
    assert await claim(lanes) == []


async def test_a_commit_writes_everything_or_nothing(
    client: Redis, lanes: Lanes, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a")
    claimed = await claim_one(lanes)
    week = timedelta(days=7)
    unit = Unit(
        handled=["a"],
        puts=[Note(id="n")],
        posts=[Post(lane_of(tenant, "other"), Item("x"))],
        logs=[Entry("timeline/m", b"line", week)],
        feed=[{"type": "meeting.updated"}],
        index=[IndexSet("ledger:c", "1", "m")],
        rank=[RankSet("parked-meetings", "m", 1.5)],
        bodies=[Body("callback/1", b"{}", week)],
    )

    unit.puts.append(Note(id="late", rev=3))
    with pytest.raises(Conflict):
        await lanes.commit(claimed, unit)
    untouched = [name async for name in client.scan_iter(match=f"{{{tenant}}}:*")]
    unit.puts.pop()
    await lanes.commit(claimed, unit)
    written = {name.decode() async for name in client.scan_iter(match=f"{{{tenant}}}:*")}

    assert not [name for name in untouched if b"doc" in name or b"other" in name]
    assert {name.split(":")[1] for name in written} == {
        *("calls", "doc", "items", "wait", "log", "feed", "index", "rank", "blob")
    }


async def test_a_lost_claim_writes_nothing(lanes: Lanes, tenant: str) -> None:
    """ENGINE 7: commit demands the claim id."""
    await post(lanes, lane_of(tenant), "a")
    claimed = await claim_one(lanes)
    await finish(lanes, claimed)

    with pytest.raises(ClaimLost):
        await lanes.commit(claimed, Unit(posts=[Post(lane_of(tenant), Item("b"))]))

    assert await claim(lanes) == []


async def test_empty_lanes_leave_nothing(client: Redis, lanes: Lanes, tenant: str) -> None:
    await lanes.post(Post(lane_of(tenant), Item("a"), mark=True, group="g"))

    await finish(lanes, await claim_one(lanes))

    left = {name.decode() async for name in client.scan_iter(match=f"{{{tenant}}}:*")}
    assert left <= set(keys.calls(tenant))


async def test_a_waiting_lane_without_state_has_no_record(
    client: Redis, lanes: Lanes, tenant: str
) -> None:
    await post(lanes, lane_of(tenant), "a")

    assert not await client.exists(keys.lane(tenant, "meeting:m"))


async def test_reports_are_deduplicated_per_element(lanes: Lanes, tenant: str) -> None:
    """ENGINE 20."""
    posts = [Post(lane_of(tenant), Item(f"i{n}"), once=f"proof{n % 2}") for n in range(4)]

    answers = await lanes.post_many(tenant, posts)
    later = await lanes.post(Post(lane_of(tenant, "other"), Item("i"), once="proof1"))

    assert answers == [Posted.NEW, Posted.NEW, Posted.SEEN, Posted.SEEN]
    assert later is Posted.SEEN
    assert [item.id for item in (await claim_one(lanes)).items] == ["i0", "i1"]


async def test_a_dedupe_key_is_remembered_for_95_minutes_at_least(
    client: Redis, lanes: Lanes, tenant: str
) -> None:
    await lanes.post(Post(lane_of(tenant), Item("a"), once="proof"))

    lives = [await client.pttl(name) for name in keys.seen(tenant)]

    [minutes] = [life / 60_000 for life in lives if life > 0]
    assert 95 < minutes <= 105  # a bucket takes new keys for 10 minutes


async def test_more_than_a_call_may_carry_is_refused_before_it_is_sent(
    lanes: Lanes, tenant: str
) -> None:
    """ENGINE 10."""
    await post(lanes, lane_of(tenant), "a")
    claimed = await claim_one(lanes)
    many = [Post(lane_of(tenant), Item(str(n))) for n in range(65)]

    with pytest.raises(TooMuch):
        await lanes.commit(claimed, Unit(posts=many))
    with pytest.raises(TooMuch):
        await lanes.commit(claimed, Unit(puts=[Note(id="n", text="x" * 300_000)]))
    with pytest.raises(TooMuch):
        await lanes.post(Post(lane_of(tenant), Item("big", b"x" * 300_000)))

    await lanes.commit(claimed, Unit(handled=["a"], posts=many[:64]))


async def test_post_many_splits_what_is_too_much_for_one_call(lanes: Lanes, tenant: str) -> None:
    body = b"x" * 10_000
    posts = [Post(lane_of(tenant), Item(str(n), body)) for n in range(130)]

    answers = await lanes.post_many(tenant, posts)

    assert answers == [Posted.NEW] * 130
    assert (await lanes.state(lane_of(tenant))).depth == 130


async def test_documents_are_opaque_bytes(lanes: Lanes, tenant: str, client: Redis) -> None:
    """ENGINE 10: cjson would turn the number into 8.5e18 and the list into an object."""
    await post(lanes, lane_of(tenant), "a")

    note = Note.model_validate({"id": "n", "number": 8531234567890123456, "empty": []})
    await lanes.commit(await claim_one(lanes), Unit(handled=["a"], puts=[note]))

    stored = await client.get(keys.document(tenant, "note", "n"))
    assert b'"number":8531234567890123456' in stored
    assert b'"empty":[]' in stored


def test_names_that_cannot_be_part_of_a_key_are_refused() -> None:
    for name in ("", "a\nb", "{a}", "a\x00"):
        with pytest.raises(keys.InvalidName):
            Lane("t", "meeting", name)
    with pytest.raises(ValueError, match="not a lane"):
        Lane.parse("t", "unknown:x")


async def test_a_timer_is_never_set_to_the_moment_it_has(
    lanes: Lanes, client: Redis, tenant: str
) -> None:
    """Who was shown the first would consume the second with it."""
    lane = lane_of(tenant)
    words = Words()
    say_post(words, Post(lane, timers={"poll": timedelta(0)}))
    places = [*keys.calls(tenant), *keys.seen(tenant), *words.keys]
    async with client.pipeline() as at_once:
        for call in ("first", "second"):
            at_once.execute_command(
                "FCALL", "tieline_1_post", len(places), *places, call, 1, *words.args
            )
            at_once.hget(keys.lane(tenant, lane.name), "t:poll")
        _, first, _, second = await at_once.execute()

    assert first != second
