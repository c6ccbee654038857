"""L6: work that lies aside is seen with its reason, and a person sets it going again."""

from __future__ import annotations

import httpx

from infra.lanes import Item, Lane, Post
from infra.store import Store
from tests.api.stage import MakePartner, kind_of

REASON = "three workers died of it"


async def park(store: Store, subject: str, tenant: str = "acme") -> Lane:
    lane = Lane(tenant, "meeting", subject)
    await store.lanes.post(Post(lane, Item("it_1", b"{}")))
    await store.lanes.park(lane, REASON)
    return lane


async def test_l6_parked_work_is_listed_with_its_reason_and_goes_on_when_it_is_retried(
    partner: httpx.AsyncClient, store: Store
) -> None:
    lane = await park(store, "mtg_1")

    [row] = (await partner.get("/v1/parked")).json()["items"]
    retried = await partner.post("/v1/parked/retry", json={"lane": row["lane"]})
    after = await store.lanes.state(lane)

    assert (row["kind"], row["subject"], row["reason"]) == ("meeting", "mtg_1", REASON)
    assert row["since"] is not None
    assert (retried.status_code, retried.json()["waiting"]) == (200, 1)
    assert after.parked is None
    assert after.due is not None
    assert (await partner.get("/v1/parked")).json()["items"] == []


async def test_what_is_not_parked_is_not_there_and_no_lane_is_told_so(
    partner: httpx.AsyncClient, store: Store
) -> None:
    await store.lanes.post(Post(Lane("acme", "meeting", "mtg_1"), Item("it_1", b"{}")))

    at_work = await partner.post("/v1/parked/retry", json={"lane": "meeting:mtg_1"})
    no_lane = await partner.post("/v1/parked/retry", json={"lane": "nonsense:mtg_1"})
    no_place = await partner.get("/v1/parked", params={"after": "nonsense"})

    assert (at_work.status_code, kind_of(at_work)) == (404, "not-found")
    assert (no_lane.status_code, no_place.status_code) == (422, 422)


async def test_a_long_list_comes_in_pages(partner: httpx.AsyncClient, store: Store) -> None:
    for number in range(3):
        await park(store, f"mtg_{number}")

    first = (await partner.get("/v1/parked", params={"limit": 2})).json()
    rest = (await partner.get("/v1/parked", params={"limit": 2, "after": first["next"]})).json()

    assert [len(page["items"]) for page in (first, rest)] == [2, 1]
    assert rest["next"] is None
    assert len({row["lane"] for page in (first, rest) for row in page["items"]}) == 3


async def test_nobody_sees_or_retries_what_is_parked_of_another_tenant(
    make_partner: MakePartner, store: Store
) -> None:
    lane = await park(store, "mtg_1")
    other = await make_partner("umbrella")

    seen = (await other.get("/v1/parked")).json()["items"]
    retried = await other.post("/v1/parked/retry", json={"lane": lane.name})

    assert seen == []
    assert retried.status_code == 404
    assert (await store.lanes.state(lane)).parked == REASON
