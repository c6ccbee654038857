"""What the store's rooms keep: documents, indexes, ranks, logs, feed, bodies, accounts, quotas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis

from infra import keys
from infra.errors import Conflict, NewerVersion
from infra.lanes import Body, Entry, IndexSet, Item, Lane, Leases, Post, RankDrop, RankSet, Unit
from infra.settings import Settings
from infra.store import Store, open_store
from infra.store.feed import CursorReset
from infra.store.quotas import Drawn, Dry, Refused, Reserved
from tests.store.documents import Note

WEEK = timedelta(days=7)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def store(settings: Settings, client: Redis) -> AsyncIterator[Store]:
    async with open_store(settings, leases=Leases()) as store:
        yield store


async def commit(store: Store, tenant: str, unit: Unit) -> None:
    await store.lanes.post(Post(Lane(tenant, "house", "h"), Item("a")))
    [claimed] = await store.lanes.claim("house", 1, empty=True)
    unit.handled = ["a"]
    await store.lanes.commit(claimed, unit)


async def test_a_document_is_written_only_over_what_was_read(store: Store, tenant: str) -> None:
    first = await store.documents.put(tenant, Note(id="n", text="one"))
    second = await store.documents.put(tenant, first.model_copy(update={"text": "two"}))

    with pytest.raises(Conflict):
        await store.documents.put(tenant, first)
    with pytest.raises(Conflict):
        await store.documents.put(tenant, Note(id="n"))
    with pytest.raises(Conflict):
        await store.documents.drop(tenant, first)

    assert (first.rev, second.rev) == (1, 2)
    assert await store.documents.get(tenant, Note, "n") == second
    await store.documents.drop(tenant, second)
    assert await store.documents.get(tenant, Note, "n") is None


async def test_unknown_fields_survive_a_write(store: Store, tenant: str, client: Redis) -> None:
    """The last release's workers run beside today's."""
    await client.set(keys.document(tenant, "note", "n"), b'4\n{"id":"n","colour":"blue","v":1}')

    found = await store.documents.get(tenant, Note, "n")
    assert found is not None
    await store.documents.put(tenant, found.model_copy(update={"text": "new"}))

    raw = await client.get(keys.document(tenant, "note", "n"))
    assert raw.startswith(b"5\n")
    assert b'"colour":"blue"' in raw
    assert b'"text":"new"' in raw


async def test_a_newer_version_is_left_untouched(store: Store, tenant: str, client: Redis) -> None:
    """ENGINE 15."""
    await client.set(keys.document(tenant, "note", "n"), b'4\n{"id":"n","v":2}')

    with pytest.raises(NewerVersion):
        await store.documents.get(tenant, Note, "n")


async def test_many_documents_come_in_the_order_asked_for(store: Store, tenant: str) -> None:
    for id_ in ("a", "b"):
        await store.documents.put(tenant, Note(id=id_))

    found = await store.documents.get_many(tenant, Note, ["b", "gone", "a"])
    there = await store.documents.get_all(tenant, Note, ["b", "gone", "a"])

    assert [note.id if note else None for note in found] == ["b", None, "a"]
    assert [note.id for note in there] == ["b", "a"]
    assert await store.documents.get_many(tenant, Note, []) == []


async def test_documents_of_tenants_lie_apart(store: Store, tenant: str) -> None:
    await store.documents.put(tenant, Note(id="n"))

    assert await store.documents.get(f"{tenant}x", Note, "n") is None


async def test_an_index_is_read_whole_or_up_to_a_bound(store: Store, tenant: str) -> None:
    for number in range(700):
        await store.index.set(tenant, "sightings", f"{number}", f"v{number}")
    await store.index.drop(tenant, "sightings", "0")

    everything = await store.index.all(tenant, "sightings", 10_000)
    some = await store.index.all(tenant, "sightings", 20)

    assert len(everything) == await store.index.size(tenant, "sightings") == 699
    assert 20 <= len(some) < 699
    assert await store.index.get(tenant, "sightings", "5") == "v5"
    assert await store.index.get(tenant, "sightings", "0") is None


async def test_a_rank_is_paged_also_where_numbers_are_equal(store: Store, tenant: str) -> None:
    members = [f"m{number:02}" for number in range(30)]
    ranks: list[RankSet | RankDrop] = [
        RankSet("events", member, 1.0 if n < 25 else 2.5) for n, member in enumerate(members)
    ]
    await commit(store, tenant, Unit(rank=ranks))

    seen: list[str] = []
    after: tuple[float, str] | None = None
    while page := await store.rank.page(tenant, "events", after, 7):
        seen += [member for member, _ in page]
        after = (page[-1][1], page[-1][0])
    low = await store.rank.up_to(tenant, "events", 1.0, 10)

    assert seen == members
    assert low == dict.fromkeys(members[:10], 1.0)


async def test_a_log_is_read_day_by_day_and_expires_whole(
    store: Store, tenant: str, client: Redis
) -> None:
    days = [date(2026, 11, 19), date(2026, 11, 21)]
    for day in days:
        for word in ("first", "second"):
            line = f"{day.day} {word}".encode()
            await store.logs.append(tenant, Entry("timeline/m", line, WEEK), day)

    everything = await store.logs.read(tenant, "timeline/m", days[0], days[1])
    last = await store.logs.read(tenant, "timeline/m", days[1], days[1])
    life = await client.pttl(keys.log(tenant, "timeline/m", days[0]))

    assert everything == [b"19 first", b"19 second", b"21 first", b"21 second"]
    assert last == [b"21 first", b"21 second"]
    assert timedelta(milliseconds=life) > WEEK


async def test_a_commits_log_stands_under_todays_date(store: Store, tenant: str) -> None:
    await commit(store, tenant, Unit(logs=[Entry("timeline/m", b"line", WEEK)]))

    today = datetime.now(UTC).date()
    day = timedelta(days=1)
    assert await store.logs.read(tenant, "timeline/m", today - day, today + day) == [b"line"]


async def test_the_feed_is_read_behind_a_cursor(store: Store, tenant: str) -> None:
    feed = [{"callback": f"cb_{number}"} for number in range(5)]
    await commit(store, tenant, Unit(feed=list(feed)))

    first = await store.feed.read(tenant, limit=2)
    rest = await store.feed.read(tenant, after=first[-1]["cursor"])

    assert [entry["callback"] for entry in (*first, *rest)] == [f"cb_{n}" for n in range(5)]
    assert await store.feed.read(tenant, after=rest[-1]["cursor"]) == []


async def test_a_cursor_of_another_epoch_is_refused(store: Store, tenant: str) -> None:
    """ENGINE 29."""
    await commit(store, tenant, Unit(feed=[{"callback": "cb_1"}]))
    [entry] = await store.feed.read(tenant)

    await store.epoch.begin()

    with pytest.raises(CursorReset):
        await store.feed.read(tenant, after=entry["cursor"])
    with pytest.raises(CursorReset):
        await store.feed.read(tenant, after="nonsense")
    assert len(await store.feed.read(tenant)) == 1


async def test_a_body_is_written_once(store: Store, tenant: str) -> None:
    await store.blobs.put(tenant, Body("callback/1", b"first", WEEK))
    await commit(store, tenant, Unit(bodies=[Body("callback/1", b"second", WEEK)]))

    assert await store.blobs.get(tenant, "callback/1") == b"first"
    assert await store.blobs.get(tenant, "callback/2") is None


async def test_an_account_names_every_connection_linked_to_it(store: Store) -> None:
    await store.accounts.add("zoom", "acc/1", "acme", "con_1")
    await store.accounts.add("zoom", "acc/1", "other", "con_2")
    await store.accounts.add("zoom", "acc/2", "acme", "con_3")
    await store.accounts.remove("zoom", "acc/1", "other", "con_2")

    assert await store.accounts.linked("zoom", "acc/1") == {("acme", "con_1")}


async def test_a_quota_is_used_up_and_comes_back_with_its_window(store: Store, tenant: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    answers = [await store.quotas.reserve(tenant, "zoom/h", limit=2, until=soon) for _ in "abc"]
    other = await store.quotas.reserve(tenant, "zoom/other", limit=2, until=soon)
    await asyncio.sleep(0.35)
    fresh = await store.quotas.reserve(tenant, "zoom/h", limit=2, until=soon + WEEK)

    assert answers == [Reserved(1), Reserved(0), Refused(soon)]
    assert (other, fresh) == (Reserved(1), Reserved(1))


async def test_a_pace_hands_out_times_and_never_refuses(store: Store, tenant: str) -> None:
    """ENGINE 4."""
    every = timedelta(minutes=1)
    waits = [await store.quotas.pace(tenant, "zoom", every=every, burst=2) for _ in range(4)]

    assert waits[:2] == [timedelta(0)] * 2
    assert timedelta(seconds=59) < waits[2] <= timedelta(seconds=60)
    assert timedelta(seconds=119) < waits[3] <= timedelta(seconds=120)


async def test_the_register_pages_tenants_by_name(store: Store) -> None:
    for name in ("c", "a", "b"):
        await store.register.add(name)

    assert await store.register.all() == ["a", "b", "c"]
    assert await store.register.page("a", 1) == ["b"]
    await store.register.remove("b")
    assert await store.register.page("", 10) == ["a", "c"]


async def test_answers_reach_the_process_that_waits(store: Store, tenant: str) -> None:
    heard: list[str] = []

    async def follow() -> None:
        async for request in store.answers.follow(tenant):
            heard.append(request)
            if len(heard) == 3:
                return

    await store.answers.ring(tenant, "early")
    following = asyncio.create_task(follow())
    await asyncio.sleep(0.05)
    await store.answers.ring(f"{tenant}-other", "not ours")
    await store.answers.ring(tenant, "late")
    await store.answers.ring(tenant, "last")
    async with asyncio.timeout(5):
        await following

    assert heard == ["early", "late", "last"]


async def test_what_nobody_read_is_gone_after_a_minute(
    store: Store, tenant: str, client: Redis
) -> None:
    await store.answers.ring(tenant, "request")

    assert 0 < await client.pttl(keys.answers(tenant)) <= 60_000


async def test_index_values_of_a_commit_are_read_by_name(store: Store, tenant: str) -> None:
    await commit(store, tenant, Unit(index=[IndexSet("ledger:c", "85312", "mtg_1")]))

    assert await store.index.get(tenant, "ledger:c", "85312") == "mtg_1"


async def test_a_bucket_gives_what_it_holds_and_then_says_how_long_to_wait(
    store: Store, tenant: str
) -> None:
    drawn = [await store.quotas.draw(tenant, "key_1", size=3, per_second=1) for _ in range(4)]
    other = await store.quotas.draw(tenant, "key_2", size=3, per_second=1)

    assert [isinstance(one, Drawn) for one in drawn] == [True, True, True, False]
    assert isinstance(other, Drawn)
    assert isinstance(drawn[-1], Dry)
    assert timedelta(0) < drawn[-1].wait <= timedelta(seconds=1)


async def test_a_bucket_fills_again_and_never_holds_more_than_its_size(
    store: Store, tenant: str
) -> None:
    while isinstance(await store.quotas.draw(tenant, "key_1", size=2, per_second=50), Drawn):
        pass
    await asyncio.sleep(0.2)

    left = await store.quotas.draw(tenant, "key_1", size=2, per_second=50)

    assert left == Drawn(1, left.full_in) if isinstance(left, Drawn) else False
