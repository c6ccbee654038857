"""Tenants, applications and keys: who may come in at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
from starlette.applications import Starlette

from infra.settings import Settings
from infra.store import Store
from schemas.people import ApiKey, Application, Scope
from tests.api.stage import ADMIN, MakePartner, client, kind_of
from webhooks.api.uses import Uses
from webhooks.app import open_app


async def test_a_key_opens_the_door_of_its_tenant(partner: httpx.AsyncClient) -> None:
    answer = await partner.get("/v1/policy")

    assert answer.status_code == 200


async def test_without_a_key_the_answer_says_what_to_send(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/v1/policy")

    assert (answer.status_code, kind_of(answer)) == (401, "unauthenticated")
    assert "Bearer" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_secret_that_is_one_letter_off_opens_nothing(
    app: Starlette, partner: httpx.AsyncClient
) -> None:
    key = partner.headers["authorization"].removeprefix("Bearer ")
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")

    async with client(app, wrong) as thief:
        answer = await thief.get("/v1/policy")

    assert answer.status_code == 401


async def test_a_key_says_its_tenant_and_is_worth_nothing_for_another(
    app: Starlette, make_partner: MakePartner
) -> None:
    ours = await make_partner("acme")
    await make_partner("umbrella")
    key = ours.headers["authorization"].removeprefix("Bearer ")

    async with client(app, key.replace("acme", "umbrella")) as thief:
        answer = await thief.get("/v1/policy")

    assert answer.status_code == 401


async def test_a_revoked_key_opens_nothing_from_the_next_call_on(
    app: Starlette, operator: httpx.AsyncClient
) -> None:
    await operator.post("/v1/tenants", json={"id": "acme", "name": "Acme"})
    made = await operator.post("/v1/tenants/acme/applications", json={"name": "app"})
    keys = f"/v1/tenants/acme/applications/{made.json()['id']}/keys"
    key = (await operator.post(keys, json={"scopes": ["manage"]})).json()

    async with client(app, key["secret"]) as partner:
        before = await partner.get("/v1/policy")
        revoked = await operator.delete(f"{keys}/{key['id']}")
        again = await operator.delete(f"{keys}/{key['id']}")
        after = await partner.get("/v1/policy")

    assert (before.status_code, after.status_code) == (200, 401)
    assert (revoked.status_code, again.status_code) == (204, 204)


async def test_a_key_without_the_scope_is_told_which_one(make_partner: MakePartner) -> None:
    reader = await make_partner("acme", Scope.MEETINGS)

    answer = await reader.get("/v1/policy")

    assert (answer.status_code, kind_of(answer)) == (403, "forbidden")
    assert "manage" in answer.json()["detail"]


async def test_an_application_s_key_is_no_admin_key(partner: httpx.AsyncClient) -> None:
    answer = await partner.get("/v1/tenants")

    assert answer.status_code == 401


async def test_the_admin_key_is_no_application_s_key(operator: httpx.AsyncClient) -> None:
    answer = await operator.get("/v1/meetings/some")

    assert answer.status_code == 401


async def test_without_an_admin_key_in_the_settings_nobody_is_the_operator(
    settings: Settings, store: Store
) -> None:
    bare = settings.model_copy(update={"admin_key": None})

    async with open_app(bare) as app, client(app, ADMIN) as nobody:
        answer = await nobody.get("/v1/tenants")

    assert answer.status_code == 401
    assert "TIELINE_ADMIN_KEY" in answer.json()["detail"]


async def test_only_the_hash_of_a_secret_is_kept(operator: httpx.AsyncClient, store: Store) -> None:
    await operator.post("/v1/tenants", json={"id": "acme", "name": "Acme"})
    made = await operator.post("/v1/tenants/acme/applications", json={"name": "app"})
    keys = f"/v1/tenants/acme/applications/{made.json()['id']}/keys"
    shown = (await operator.post(keys, json={"scopes": ["manage", "manage"]})).json()

    kept = await store.documents.get("acme", ApiKey, shown["id"])

    assert kept is not None
    assert shown["secret"].rpartition("_")[2] not in kept.model_dump_json()
    assert kept.scopes == (Scope.MANAGE,)


async def test_making_a_tenant_twice_is_harmless_and_renaming_it_by_accident_is_refused(
    operator: httpx.AsyncClient,
) -> None:
    acme = {"id": "acme", "name": "Acme"}
    first = await operator.post("/v1/tenants", json=acme)
    again = await operator.post("/v1/tenants", json=acme)
    other = await operator.post("/v1/tenants", json={**acme, "name": "Umbrella"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (other.status_code, kind_of(other)) == (409, "different-body")


async def test_tenants_are_listed_page_by_page(operator: httpx.AsyncClient) -> None:
    for name in ("one", "two", "three"):
        await operator.post("/v1/tenants", json={"id": name, "name": name})

    first = (await operator.get("/v1/tenants", params={"limit": 2})).json()
    rest = (await operator.get("/v1/tenants", params={"after": first["next"]})).json()

    assert [each["id"] for each in first["items"]] == ["one", "three"]
    assert [each["id"] for each in rest["items"]] == ["two"]
    assert rest["next"] is None


async def test_an_application_belongs_to_a_tenant_that_exists(
    operator: httpx.AsyncClient,
) -> None:
    answer = await operator.post("/v1/tenants/nobody/applications", json={"name": "app"})

    assert (answer.status_code, kind_of(answer)) == (404, "not-found")


async def test_a_key_belongs_to_the_application_in_its_path(
    operator: httpx.AsyncClient, store: Store
) -> None:
    await operator.post("/v1/tenants", json={"id": "acme", "name": "Acme"})
    listed = "/v1/tenants/acme/applications"
    one = (await operator.post(listed, json={"name": "one"})).json()["id"]
    two = (await operator.post(listed, json={"name": "two"})).json()["id"]
    key = (await operator.post(f"{listed}/{one}/keys", json={"scopes": ["start"]})).json()

    answer = await operator.delete(f"{listed}/{two}/keys/{key['id']}")

    assert answer.status_code == 404
    found = (await operator.get(listed)).json()["items"]
    assert {each["id"] for each in found} == {one, two}
    assert await store.documents.get("acme", Application, one) is not None


async def test_two_keys_alike_may_be_active_to_change_over_in_peace(
    app: Starlette, make_partner: MakePartner
) -> None:
    old = await make_partner("acme", Scope.MANAGE)
    made = (await old.post("/v1/keys")).json()
    third = await old.post("/v1/keys")

    async with client(app, made["secret"]) as new:
        both = [(await each.get("/v1/policy")).status_code for each in (old, new)]
        first = next(
            key["id"]
            for key in (await new.get("/v1/keys")).json()["items"]
            if key["id"] != made["id"]
        )
        revoked = await new.delete(f"/v1/keys/{first}")
        after = [(await each.get("/v1/policy")).status_code for each in (old, new)]
        fourth = await new.post("/v1/keys")

    assert made["scopes"] == ["manage"]
    assert (third.status_code, kind_of(third)) == (409, "too-many-keys")
    assert first in third.json()["detail"]
    assert both == [200, 200]
    assert (revoked.status_code, after) == (204, [401, 200])
    assert fourth.status_code == 201


async def test_keys_of_other_scopes_are_not_counted(operator: httpx.AsyncClient) -> None:
    await operator.post("/v1/tenants", json={"id": "acme", "name": "Acme"})
    made = await operator.post("/v1/tenants/acme/applications", json={"name": "app"})
    keys = f"/v1/tenants/acme/applications/{made.json()['id']}/keys"

    answers = [
        await operator.post(keys, json={"scopes": scopes})
        for scopes in (["manage"], ["start"], ["manage"], ["start"], ["manage"])
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 409]


async def test_a_key_tells_when_it_was_last_used_to_the_minute(
    partner: httpx.AsyncClient, operator: httpx.AsyncClient, store: Store
) -> None:
    (app,) = (await operator.get("/v1/tenants/acme/applications")).json()["items"]
    listed = f"/v1/tenants/acme/applications/{app['id']}/keys"
    (before,) = (await operator.get(listed)).json()["items"]

    await partner.get("/v1/policy")
    (used,) = (await operator.get(listed)).json()["items"]
    await partner.get("/v1/policy")
    (again,) = (await operator.get(listed)).json()["items"]

    assert before["last_used_at"] is None
    assert used["last_used_at"] is not None
    assert again["last_used_at"] == used["last_used_at"], "one write a minute, not one a request"
    assert "secret" not in used


async def test_a_use_after_a_minute_is_noted_again_by_any_process(store: Store) -> None:
    now = datetime(2027, 1, 1, 9, 0, tzinfo=UTC)
    one, two = Uses(store), Uses(store)

    await one.note("acme", "key_1", now)
    await two.note("acme", "key_1", now + timedelta(seconds=30))
    early = await one.last("acme", ["key_1", "key_2"])
    await two.note("acme", "key_1", now + timedelta(seconds=100))

    assert early == [now, None]
    assert await one.last("acme", ["key_1"]) == [now + timedelta(seconds=100)]
