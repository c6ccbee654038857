"""A POST under an Idempotency-Key: done once, answered alike, through repeats, races and kills."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra import valkey
from infra.settings import Settings
from infra.store import Store
from schemas.keyed import KeyedCall
from schemas.people import Actor
from tests.api.stage import MEETING, DeskWorker, MakePartner, kind_of
from webhooks.api.auth import Caller
from webhooks.api.keyed import Asked
from webhooks.api.openapi import document
from webhooks.api.table import ROWS

KEY = {"Idempotency-Key": "0c6f6f0e-5b1e-4d9e-9f57-2d7b9a3f7f10"}
ENDPOINT = {"url": "https://partner.example/hook"}
ZOOM = {"provider": "zoom", "client_id": "x", "secret": "one-secret"}
LINK = {"provider": "jitsi", "room_url": "https://meet.example"}


def record_of(caller: Caller, operation: str, path: str, body: bytes = b"") -> str:
    return Asked(caller, operation, path, body, KEY["Idempotency-Key"]).id


async def test_the_same_key_and_body_make_one_thing_and_the_secret_is_told_once(
    partner: httpx.AsyncClient,
) -> None:
    first = await partner.post("/v1/endpoints", json=ENDPOINT, headers=KEY)
    again = await partner.post("/v1/endpoints", json=ENDPOINT, headers=KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["secret"].startswith("whsec_")
    assert again.json() == {**first.json(), "secret": None}
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await partner.get("/v1/endpoints")).json()["items"]) == 1


async def test_the_order_of_a_body_s_fields_means_nothing(partner: httpx.AsyncClient) -> None:
    one = await partner.post("/v1/clients", json=ZOOM, headers=KEY)
    same = await partner.post("/v1/clients", json=dict(reversed(list(ZOOM.items()))), headers=KEY)

    assert same.json() == one.json()


@pytest.mark.parametrize("other", [{**ZOOM, "secret": "another"}, {**ZOOM, "client_id": "y"}])
async def test_the_same_key_with_another_body_is_refused_in_words(
    partner: httpx.AsyncClient, other: dict[str, str]
) -> None:
    await partner.post("/v1/clients", json=ZOOM, headers=KEY)

    answer = await partner.post("/v1/clients", json=other, headers=KEY)

    assert (answer.status_code, kind_of(answer)) == (409, "different-body")
    assert "choose a new key" in answer.json()["detail"]
    assert len((await partner.get("/v1/clients")).json()["items"]) == 1


async def test_a_key_is_bound_to_the_operation_and_to_the_application(
    make_partner: MakePartner,
) -> None:
    one, two, stranger = [await make_partner(name) for name in ("acme", "acme", "umbrella")]

    made = [await each.post("/v1/endpoints", json=ENDPOINT, headers=KEY) for each in (one, two)]
    made += [await stranger.post("/v1/endpoints", json=ENDPOINT, headers=KEY)]
    elsewhere = await one.post("/v1/clients", json=ZOOM, headers=KEY)

    assert {answer.status_code for answer in (*made, elsewhere)} == {201}
    assert len({answer.json()["id"] for answer in made}) == 3


async def test_for_another_user_it_is_another_request(partner: httpx.AsyncClient) -> None:
    body = {**MEETING, "external_id": "one"}
    await partner.post("/v1/meetings", json=body, headers={**KEY, "Tieline-User": "ada"})

    answer = await partner.post("/v1/meetings", json=body, headers={**KEY, "Tieline-User": "bob"})

    assert (answer.status_code, kind_of(answer)) == (409, "different-body")


async def test_of_many_at_once_one_does_the_work_and_all_hear_of_it(
    partner: httpx.AsyncClient, store: Store
) -> None:
    many = [partner.post("/v1/clients", json=ZOOM, headers=KEY) for _ in range(20)]

    answers = await asyncio.gather(*many)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await store.index.all("acme", "clients", 100)) == 1


async def test_what_goes_to_a_worker_is_asked_once(
    partner: httpx.AsyncClient, worker: DeskWorker
) -> None:
    worker.reply = lambda request, tenant: {
        "state": "refused",
        "problem": "link-refused",
        "detail": "The room is locked.",
    }
    refused = await partner.post("/v1/connections", json=LINK, headers=KEY)
    asked = len(worker.asked)
    await partner.post("/v1/connections", json=LINK, headers=KEY)

    assert (refused.status_code, asked) == (409, 1)
    assert len(worker.asked) == 2, "a refusal frees the key: it can be tried again"


async def test_a_refused_request_frees_its_key(partner: httpx.AsyncClient) -> None:
    wrong = await partner.post("/v1/clients", json={**ZOOM, "provider": "none"}, headers=KEY)
    right = await partner.post("/v1/clients", json=ZOOM, headers=KEY)

    assert (wrong.status_code, right.status_code) == (422, 201)


@pytest.mark.parametrize("key", ["", "a" * 256, "with space", "ümlaut"])
async def test_a_key_that_is_none_is_refused(partner: httpx.AsyncClient, key: str) -> None:
    headers = {b"idempotency-key": key.encode()}
    answer = await partner.post(
        "/v1/clients", json=ZOOM, headers=httpx.Headers(headers, encoding="utf-8")
    )

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_operators_have_it_too(operator: httpx.AsyncClient) -> None:
    tenant = {"id": "acme", "name": "Acme"}
    first = await operator.post("/v1/tenants", json=tenant, headers=KEY)
    again = await operator.post("/v1/tenants", json=tenant, headers=KEY)
    path = "/v1/tenants/acme/applications"
    apps = [await operator.post(path, json={"name": "app"}, headers=KEY) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 201)
    assert apps[0].json() == apps[1].json()


async def test_no_secret_is_kept_with_the_answer(partner: httpx.AsyncClient, store: Store) -> None:
    made = (await partner.post("/v1/endpoints", json=ENDPOINT, headers=KEY)).json()
    caller = Caller(Actor(kind="application"), "acme", made["application"])

    kept = await store.documents.get(
        "acme", KeyedCall, record_of(caller, "createEndpoint", "/v1/endpoints")
    )

    assert kept is not None
    assert kept.said is not None
    assert made["id"] in kept.said.body
    assert made["secret"] not in kept.model_dump_json()


async def test_the_answer_is_kept_for_a_day(
    partner: httpx.AsyncClient, store: Store, settings: Settings
) -> None:
    await partner.post("/v1/clients", json=ZOOM, headers=KEY)

    raw = valkey.connect(settings)
    (place,) = [key async for key in raw.scan_iter("{acme}:doc:keyed_call:*")]
    left = await raw.ttl(place)
    await raw.aclose()

    assert 0 < left <= timedelta(hours=24).total_seconds()


async def test_what_expires_is_written_by_units_only(store: Store) -> None:
    call = KeyedCall(id="x", request="", desk="dr_x", begun_at=datetime(2027, 1, 1, tzinfo=UTC))

    with pytest.raises(ValueError, match="expires"):
        await store.documents.put("acme", call)


def test_every_post_of_the_table_says_that_it_takes_a_key() -> None:
    described = document(ROWS, "http://api.test")["paths"]
    posts = [path["post"] for path in described.values() if "post" in path]

    assert len(posts) > 8
    assert all(KEY.keys() <= {each["name"] for each in post["parameters"]} for post in posts)
