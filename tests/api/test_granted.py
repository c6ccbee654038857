"""What a grant opens: meetings to read and to start, connections to use; and nothing else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from infra.store import Store
from schemas.desk import DeskRequest
from schemas.events import Slot
from schemas.grants import Grant
from schemas.meetings import Conference, Meeting, Written
from schemas.people import Actor, Scope
from tests.api.granting import (
    CALENDAR,
    CONNECTION,
    NOON,
    PLACES,
    Tenant,
    relink,
    settled,
)
from tests.api.stage import MEETING, DeskWorker, MakePartner, kind_of


@pytest.fixture
async def tenant(make_partner: MakePartner, store: Store) -> Tenant:
    return await settled(make_partner, store)


async def standing(store: Store) -> str:
    """A calendar's meeting that stands over the connection; its id."""
    meeting = Meeting(
        id="mtg_" + "0" * 24,
        origin="calendar",
        identity="uid",
        conference=Conference(
            provider="zoom",
            connection=CONNECTION,
            id="x",
            host="a",
            join_url="https://zoom.example/x",
            reference="x",
            shown="",
            slot=Slot(title="Interview", starts_at=NOON, ends_at=NOON, timezone="UTC"),
            made_at=NOON,
        ),
        created_at=NOON,
        changed_at=NOON,
    )
    await store.documents.put("acme", meeting)
    return meeting.id


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(*place))
@pytest.mark.parametrize("allows", ["hear", "use"])
async def test_a_grant_opens_a_meeting_to_reading_only(
    tenant: Tenant, worker: DeskWorker, store: Store, place: dict[str, str], allows: str
) -> None:
    """Starting it needs `use`; whoever did not make it cannot cancel it."""
    meeting = await standing(store)
    await stands_in_calendar(store, meeting)
    worker.reply = refuses
    path = f"/v1/meetings/{meeting}"

    before = [await tenant.other.get(path), await tenant.other.get(f"{path}/start")]
    grant = (await tenant.give(**place, allows=[allows])).json()["id"]
    read = [await tenant.other.get(f"{path}{more}") for more in ("", "/timeline", "/explain")]
    started = await tenant.other.get(f"{path}/start")
    cancelled = await tenant.other.delete(path)
    await tenant.chief.delete(f"/v1/grants/{grant}")
    after = await tenant.other.get(path)

    assert [each.status_code for each in before] == [404, 404]
    assert [each.status_code for each in read] == [200, 200, 200]
    assert started.status_code == (502 if allows == "use" else 404)
    assert (cancelled.status_code, kind_of(cancelled)) == (404, "not-found")
    assert after.status_code == 404


async def stands_in_calendar(store: Store, name: str) -> None:
    meeting = await store.documents.get("acme", Meeting, name)
    assert meeting is not None
    written = (Written(calendar=CALENDAR, event="e", join_url="u"),)
    await store.documents.put("acme", meeting.model_copy(update={"written": written}))


def refuses(request: DeskRequest, tenant: str) -> dict[str, Any]:
    return {"state": "refused", "problem": "provider-refused", "detail": "not today"}


@pytest.mark.parametrize("place", [PLACES[0], PLACES[2]], ids=lambda place: str(*place))
async def test_a_connection_is_used_by_a_grant_only(tenant: Tenant, place: dict[str, str]) -> None:
    wish = {**MEETING, "conferencing": {"connection": CONNECTION}}

    async def asked(external_id: str) -> httpx.Response:
        return await tenant.other.put(f"/v1/meetings/{external_id}", json=wish)

    without = await asked("one")
    unknown = await tenant.other.put(
        "/v1/meetings/one", json={**MEETING, "conferencing": {"connection": "con_nowhere"}}
    )
    await tenant.give(**place, allows=["hear"])
    hearing = await asked("one")
    grant = (await tenant.give(**place, allows=["use"])).json()["id"]
    using = await asked("one")
    await tenant.chief.delete(f"/v1/grants/{grant}")
    again, new = await asked("one"), await asked("two")
    own = await tenant.other.get("/v1/meetings/one")
    cancelled = await tenant.other.delete("/v1/meetings/one")

    assert [each.status_code for each in (without, unknown, hearing)] == [422, 422, 422]
    assert without.json()["errors"] == unknown.json()["errors"]
    assert "has a grant" in without.json()["errors"][0]["fault"]
    assert using.status_code == 201
    assert (again.status_code, new.status_code) == (200, 422)
    assert (own.status_code, cancelled.status_code) == (200, 200)


async def test_who_linked_it_and_who_manages_need_no_grant(
    tenant: Tenant, make_partner: MakePartner, store: Store
) -> None:
    wish = {**MEETING, "conferencing": {"connection": CONNECTION}}
    manager = await make_partner("acme", Scope.MEETINGS, Scope.MANAGE)

    managed = await manager.put("/v1/meetings/one", json=wish)
    default = await tenant.other.put(
        "/v1/meetings/one", json={**MEETING, "conferencing": {"connection": "default"}}
    )
    await relink(store, linked_by=Actor(kind="application", id=tenant.application))
    linked = await tenant.other.put("/v1/meetings/two", json=wish)

    assert [each.status_code for each in (managed, default, linked)] == [201, 201, 201]


async def test_an_ended_grant_opens_nothing_and_is_listed_as_ended(
    tenant: Tenant, store: Store
) -> None:
    meeting = await standing(store)
    name = (await tenant.give(user="ada", allows=["hear", "use"])).json()["id"]
    grant = await store.documents.get("acme", Grant, name)
    assert grant is not None
    await store.documents.put("acme", grant.model_copy(update={"until": NOON.replace(year=2020)}))
    wish = {**MEETING, "conferencing": {"connection": CONNECTION}}

    read = await tenant.other.get(f"/v1/meetings/{meeting}")
    used = await tenant.other.put("/v1/meetings/one", json=wish)
    [listed] = (await tenant.other.get("/v1/grants")).json()["items"]

    assert (read.status_code, used.status_code) == (404, 422)
    assert listed["in_force"] is False


async def test_only_who_made_a_meeting_cancels_it(tenant: Tenant, store: Store) -> None:
    made = await tenant.chief.put("/v1/meetings/theirs", json={**MEETING, "host": "ada"})
    path = f"/v1/meetings/{made.json()['id']}"
    meeting = Meeting(
        id=made.json()["id"],
        origin="application",
        identity="x/theirs",
        application="x",
        created_at=NOON,
        changed_at=NOON,
    )
    await store.documents.put("acme", meeting)
    await tenant.give(user="ada", allows=["hear", "use"])

    read = await tenant.other.get(path)
    cancelled = await tenant.other.delete(path)

    assert (read.status_code, read.json()["host"]) == (200, "ada")
    assert (cancelled.status_code, kind_of(cancelled)) == (404, "not-found")
    assert "meeting of yours" in cancelled.json()["detail"]
    assert (await tenant.chief.get(path)).json()["status"] == "provisioned"
