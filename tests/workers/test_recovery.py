"""What was not delivered is listed, and sent again: all that fits, counted before, and no more."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Body, Lane, Post, Unit
from schemas.deliveries import Undelivered, Why
from tests.machines.peer import peer, says
from tests.workers.hearing import OK, headers
from tests.workers.partner import Partner
from tests.workers.stage import Stage, until
from workers.outbox import list_undelivered


async def given_up(partner: Partner, endpoint: str, count: int) -> list[str]:
    """So many callbacks that the endpoint asked not to be sent again."""
    callbacks = [one for [one] in await partner.told(meetings=count)]
    await partner.nothing_waits(endpoint)
    return callbacks


ABORTS = says("400 No", headers="webhook-delivery: abort-message\r\n")


async def ended(partner: Partner, recovery: str) -> dict[str, object]:
    async def over() -> bool:
        return (await partner.read(f"/v1/recoveries/{recovery}"))["state"] != "running"

    await until(over)
    return await partner.read(f"/v1/recoveries/{recovery}")


async def test_all_that_fit_are_counted_and_sent_again_under_their_old_ids(
    partner: Partner, stage: Stage
) -> None:
    async with (
        peer(ABORTS, ABORTS, ABORTS, OK) as theirs,
        peer(ABORTS) as others,
        stage.at_work("callback", "house"),
    ):
        made = await partner.endpoint(theirs.url)
        other = await partner.endpoint(others.url)
        callbacks = await given_up(partner, made["id"], 3)
        await partner.nothing_waits(other["id"])

        counted = await partner.ask("/v1/recover", endpoint=made["id"], dry_run=True)
        untouched = (await partner.read("/v1/undelivered"))["items"]
        started = await partner.ask("/v1/recover", endpoint=made["id"])
        over = await ended(partner, started["id"])
        await partner.nothing_waits(made["id"])
        left = (await partner.read("/v1/undelivered"))["items"]

    assert (counted["state"], counted["expected"], counted["id"]) == ("counted", 3, None)
    assert len(untouched) == 6
    assert (over["state"], over["expected"], over["recovered"], over["gone"]) == ("done", 3, 3, 0)
    again = [headers(theirs, place) for place in range(3, 6)]
    assert {one["webhook-id"] for one in again} == {f"{c}_{made['id']}" for c in callbacks}
    assert [one["tieline-redelivery"] for one in again] == ["true"] * 3
    assert {row["endpoint"] for row in left} == {other["id"]}


async def test_the_list_is_read_by_pages_and_filters(partner: Partner, stage: Stage) -> None:
    now = stage.runtime.now()
    rows = [
        Undelivered(
            callback=f"cb_{n}",
            endpoint="end_1" if n < 5 else "end_2",
            subject="mtg_1",
            type="meeting.updated" if n % 2 else "meeting.failed",
            why=Why.EXHAUSTED if n < 4 else Why.REFUSED,
            reason="no",
            at=now + timedelta(seconds=n),
        )
        for n in range(7)
    ]
    await keep(stage, rows)

    async def listed(**query: str | int) -> list[str]:
        page = await partner.read("/v1/undelivered", limit=2, **query)
        found = [row["callback"] for row in page["items"]]
        while page["next"]:
            page = await partner.read("/v1/undelivered", limit=2, after=page["next"], **query)
            found += [row["callback"] for row in page["items"]]
        return found

    assert await listed() == [f"cb_{n}" for n in range(7)]
    assert await listed(endpoint="end_2") == ["cb_5", "cb_6"]
    assert await listed(type="meeting.updated", endpoint="end_1") == ["cb_1", "cb_3"]
    assert await listed(reason="refused") == ["cb_4", "cb_5", "cb_6"]
    since, until_ = now + timedelta(seconds=2), now + timedelta(seconds=4)
    assert await listed(since=since.isoformat(), until=until_.isoformat()) == ["cb_2", "cb_3"]


async def walked_once(stage: Stage, recovery: str) -> bool:
    """Whether a recovery waits for its next walk."""
    lane = Lane(stage.tenant, "house", f"recovery/{recovery}")
    next_walk = (await stage.runtime.store.lanes.state(lane)).due
    return next_walk is not None and next_walk > stage.runtime.now()


async def test_a_recovery_is_cancelled_where_it_is(partner: Partner, stage: Stage) -> None:
    async with peer(ABORTS) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        await given_up(partner, made["id"], 2)
        started = await partner.ask("/v1/recover")
        await partner.ask(f"/v1/recoveries/{started['id']}/cancel")

        async with stage.at_work("house"):
            over = await ended(partner, started["id"])

        left = (await partner.read("/v1/undelivered"))["items"]
    assert (over["state"], over["recovered"], over["ended_at"] is None) == ("cancelled", 0, False)
    assert len(left) == 2


async def test_a_recovery_leaves_room_for_what_is_announced_meanwhile(
    partner: Partner, stage: Stage
) -> None:
    """Never more than a hundred and a step are put before an endpoint; the rest has its turn on the
    next walk, and in the end none is left out."""
    made = await partner.endpoint("http://127.0.0.1:9/")
    await partner.ask(f"/v1/endpoints/{made['id']}/pause")
    await list_many(stage, made["id"], 260)
    started = await partner.ask("/v1/recover")

    async with stage.at_work("house"):
        await until(lambda: walked_once(stage, started["id"]))
    halfway = await partner.read(f"/v1/endpoints/{made['id']}")

    async with peer(OK) as theirs:
        await partner.client.patch(f"/v1/endpoints/{made['id']}", json={"url": theirs.url})
        await partner.ask(f"/v1/endpoints/{made['id']}/enable")
        async with stage.at_work("house", "callback"):
            over = await ended(partner, started["id"])
            await partner.nothing_waits(made["id"])

    assert halfway["waiting"] == 100
    assert (over["state"], over["recovered"]) == ("done", 260)
    assert len({headers(theirs, place)["webhook-id"] for place in range(260)}) == 260


async def list_many(stage: Stage, endpoint: str, count: int) -> None:
    """So many undelivered callbacks of one body."""
    [callback] = await stage.announce(await stage.meeting(application="app_nobody"))
    body = await stage.runtime.store.blobs.get(stage.tenant, f"callback/{callback}")
    assert body is not None
    now, long = stage.runtime.now(), timedelta(hours=1)
    rows = [
        Undelivered(
            callback=f"cb_{n}",
            endpoint=endpoint,
            subject=f"mtg_{n}",
            reason="no",
            announced_at=now,
            at=now - timedelta(seconds=1),
        )
        for n in range(count)
    ]
    await keep(stage, rows)
    for start in range(0, count, 50):
        names = [row.callback for row in rows[start : start + 50]]
        unit = Unit(bodies=[Body(f"callback/{name}", body, long) for name in names])
        await stage.runtime.store.lanes.submit(stage.tenant, unit)


async def keep(stage: Stage, rows: list[Undelivered]) -> None:
    """Put them on the list."""
    for start in range(0, len(rows), 100):
        unit = Unit()
        for row in rows[start : start + 100]:
            list_undelivered(unit, row)
        await stage.runtime.store.lanes.submit(stage.tenant, unit)


async def test_a_recovery_is_forgotten_in_the_end(partner: Partner, stage: Stage) -> None:
    started = await partner.ask("/v1/recover")
    lane = Lane(stage.tenant, "house", f"recovery/{started['id']}")
    async with stage.at_work("house"):
        await ended(partner, started["id"])
        planned = (await stage.runtime.store.lanes.state(lane)).timers
        await stage.runtime.store.lanes.post(Post(lane, timers={"forget": timedelta(0)}))

        async def forgotten() -> bool:
            answer = await partner.client.get(f"/v1/recoveries/{started['id']}")
            return answer.status_code == 404

        await until(forgotten)

    assert [*planned] == ["forget"]


async def test_what_is_no_longer_kept_is_counted_and_not_sent(
    partner: Partner, stage: Stage
) -> None:
    made = await partner.endpoint("http://127.0.0.1:9/")
    old = stage.runtime.now() - timedelta(days=8)
    rows = [
        Undelivered(callback="cb_1", endpoint=made["id"], reason="no", announced_at=old, at=old),
        Undelivered(callback="cb_2", endpoint="end_gone", reason="no", at=stage.runtime.now()),
    ]
    await keep(stage, rows)

    started = await partner.ask("/v1/recover")
    async with stage.at_work("house"):
        over = await ended(partner, started["id"])

    assert (over["recovered"], over["gone"]) == (0, 2)


async def test_rows_leave_the_list_when_their_bodies_are_gone(
    partner: Partner, stage: Stage
) -> None:
    now = stage.runtime.now()
    old, fresh = now - timedelta(days=8), now
    rows = [
        Undelivered(callback=f"cb_{n}", endpoint="end_1", reason="no", at=old if n else fresh)
        for n in range(250)
    ]
    await keep(stage, rows)
    lane = Lane(stage.tenant, "house", "undelivered")
    await stage.runtime.store.lanes.post(Post(lane, timers={"trim-1": timedelta(0)}))

    async def trimmed() -> bool:
        return await stage.idle("house", "undelivered")

    async with stage.at_work("house"):
        await until(trimmed)

    left = (await partner.read("/v1/undelivered"))["items"]
    assert [row["callback"] for row in left] == ["cb_0"]
