"""Grants over HTTP: who may give, see and take them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.store import Store
from schemas.connections import LinkState
from schemas.grants import GRANTEES, Grantees
from schemas.people import Actor, Scope
from tests.api.granting import (
    CALENDAR,
    CONNECTION,
    PLACES,
    Tenant,
    application_of,
    relink,
    settled,
)
from tests.api.stage import MakePartner, kind_of


@pytest.fixture
async def tenant(make_partner: MakePartner, store: Store) -> Tenant:
    return await settled(make_partner, store)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(*place))
async def test_a_grant_is_given_seen_and_taken_away(tenant: Tenant, place: dict[str, str]) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    chief = tenant.chief
    chief.headers["tieline-user"] = "ada"

    given = await tenant.give(**place, allows=["use", "hear"], until=until.isoformat())
    grant = given.json()
    path = f"/v1/grants/{grant['id']}"
    read = await chief.get(path)
    listed = (await chief.get("/v1/grants")).json()["items"]
    own = (await tenant.other.get("/v1/grants")).json()["items"]
    taken = await chief.delete(path, headers={"if-match": read.headers["etag"]})
    gone = await chief.get(path)

    named = {kind: grant[kind] for kind in ("connection", "calendar", "user") if grant[kind]}
    assert (given.status_code, named, grant["in_force"]) == (201, place, True)
    assert grant["allows"] == ["hear", "use"]
    assert datetime.fromisoformat(grant["until"]) == until
    assert grant["given_by"]["on_behalf_of"] == "ada"
    assert (read.json(), given.headers["etag"]) == (grant, read.headers["etag"])
    assert listed == own == [grant]
    assert (taken.status_code, gone.status_code) == (204, 404)
    assert (await chief.get("/v1/grants")).json()["items"] == []


async def test_given_again_it_has_the_terms_that_are_said_now(tenant: Tenant) -> None:
    first = await tenant.give(user="ada")
    same = await tenant.give(user="ada")
    other = await tenant.give(user="ada", allows=["use"])
    late = await tenant.chief.post(
        "/v1/grants",
        json={"application": tenant.application, "user": "ada"},
        headers={"if-match": first.headers["etag"]},
    )

    assert [each.status_code for each in (first, same, other)] == [201, 200, 200]
    assert same.json() == first.json()
    assert same.headers["etag"] == first.headers["etag"] != other.headers["etag"]
    assert (other.json()["id"], other.json()["allows"]) == (first.json()["id"], ["use"])
    assert (late.status_code, kind_of(late)) == (412, "changed-meanwhile")


async def test_an_idempotency_key_gives_once(tenant: Tenant) -> None:
    body = {"application": tenant.application, "user": "ada"}
    key = {"idempotency-key": "k-1"}

    first = await tenant.chief.post("/v1/grants", json=body, headers=key)
    again = await tenant.chief.post("/v1/grants", json=body, headers=key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"


async def test_grants_given_at_once_are_all_found(
    tenant: Tenant, make_partner: MakePartner, store: Store
) -> None:
    for _ in range(3):
        await make_partner("acme", Scope.MEETINGS)
    applications = await store.index.all("acme", "applications", 100)

    answers = await asyncio.gather(
        *(
            tenant.chief.post("/v1/grants", json={"application": one, "user": "ada"})
            for one in applications
        )
    )

    grantees = await store.documents.get("acme", Grantees, GRANTEES)
    given = {each.json()["application"] for each in answers if each.status_code == 201}
    assert grantees is not None
    assert {each.status_code for each in answers} <= {201, 412}
    assert given == set(grantees.applications)
    assert given


async def test_lists_are_filtered_and_come_in_pages(
    tenant: Tenant, make_partner: MakePartner, store: Store
) -> None:
    known = set(await store.index.all("acme", "applications", 100))
    await make_partner("acme", Scope.MEETINGS)
    third = await application_of(store, known)
    for one in (tenant.application, third):
        for place in PLACES:
            body = {"application": one, **place}
            assert (await tenant.chief.post("/v1/grants", json=body)).status_code == 201

    async def listed(one: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
        answer = await one.get("/v1/grants", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    everything = await listed(tenant.chief)
    first = (await tenant.chief.get("/v1/grants", params={"limit": 4})).json()
    rest = (await tenant.chief.get("/v1/grants", params={"after": first["next"]})).json()
    of_user = await listed(tenant.chief, user="ada")
    exact = await listed(tenant.chief, application=third, calendar=CALENDAR)
    two = await listed(tenant.chief, user="ada", calendar=CALENDAR)

    assert len(everything) == 6
    assert (first["items"] + rest["items"], rest["next"]) == (everything, None)
    assert {each["application"] for each in of_user} == {tenant.application, third}
    assert {each["user"] for each in of_user} == {"ada"}
    assert [(each["application"], each["calendar"]) for each in exact] == [(third, CALENDAR)]
    assert two == []
    assert {each["application"] for each in await listed(tenant.other)} == {tenant.application}
    assert await listed(tenant.other, application=third) == []


async def test_anothers_grant_is_not_there_and_cannot_be_taken(
    tenant: Tenant, make_partner: MakePartner
) -> None:
    grant = (await tenant.give(user="ada")).json()["id"]
    third = await make_partner("acme", Scope.MEETINGS)

    seen = [await one.get(f"/v1/grants/{grant}") for one in (tenant.other, third)]
    taken = await tenant.other.delete(f"/v1/grants/{grant}")

    assert [each.status_code for each in seen] == [200, 404]
    assert (taken.status_code, kind_of(taken)) == (403, "forbidden")


async def test_nobody_gives_what_is_not_theirs(
    tenant: Tenant, make_partner: MakePartner, store: Store
) -> None:
    """An application that manages, but does not see all, would else grant itself the rest."""
    known = set(await store.index.all("acme", "applications", 100))
    manager = await make_partner("acme", Scope.MANAGE)
    own = await application_of(store, known)
    body = {"application": own, "connection": CONNECTION}

    refused = [
        await manager.post("/v1/grants", json={"application": own, **place}) for place in PLACES
    ]
    await relink(store, linked_by=Actor(kind="application", id=own))
    allowed = [
        await manager.post("/v1/grants", json={"application": tenant.application, **place})
        for place in PLACES
    ]

    assert {(each.status_code, kind_of(each)) for each in refused} == {(403, "forbidden")}
    assert "the scope `tenant`" in refused[0].json()["detail"]
    assert [each.status_code for each in allowed] == [201, 201, 403]
    assert (await tenant.other.post("/v1/grants", json=body)).status_code == 403


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"connection": "con_" + "z" * 20}, "connection"),
        ({"calendar": "cal_" + "z" * 20}, "calendar"),
        ({"user": "ada", "application": "app_" + "z" * 20}, "application"),
        ({"user": "ada", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"user": "ada", "until": "9999-12-31T23:59:59-12:00"}, "until"),
        ({"user": "ada", "allows": []}, "allows"),
        ({"user": "ada", "allows": ["everything"]}, "allows.0"),
        ({"user": "a da"}, "user"),
        ({"user": "ada", "calendar": CALENDAR}, ""),
        ({}, ""),
    ],
)
async def test_what_cannot_be_given_is_named(
    tenant: Tenant, facts: dict[str, Any], field: str
) -> None:
    answer = await tenant.give(**facts)

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
    assert field in {fault["field"] for fault in answer.json()["errors"]}
    assert (await tenant.chief.get("/v1/grants")).json()["items"] == []


async def test_nothing_is_given_of_a_link_that_was_taken_away(tenant: Tenant, store: Store) -> None:
    await relink(store, state=LinkState.UNLINKED)

    answers = [await tenant.give(**place) for place in PLACES[:2]]

    assert [each.status_code for each in answers] == [422, 422]


async def test_anothers_connection_or_application_cannot_be_named(
    tenant: Tenant, make_partner: MakePartner
) -> None:
    neighbour = await make_partner("umbrella", *Scope)
    key = (await neighbour.get("/v1/keys")).json()["items"][0]
    bodies = [{"application": key["application"], **place} for place in PLACES[:2]]
    bodies.append({"application": tenant.application, "user": "ada"})

    answers = [await neighbour.post("/v1/grants", json=body) for body in bodies]

    assert [each.status_code for each in answers] == [422, 422, 422]
    assert (await neighbour.get("/v1/grants")).json()["items"] == []
