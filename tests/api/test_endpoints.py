"""Endpoints: where callbacks go, and the secrets that sign them."""

from __future__ import annotations

import base64

import httpx
import pytest

from infra.seal import KeyRing
from infra.store import Store
from schemas.endpoints import Endpoint
from schemas.people import Scope
from schemas.seals import Sealed
from tests.api.stage import MakePartner, kind_of

URL = "https://partner.example/tieline"


async def secrets_of(store: Store, vault: KeyRing, id_: str) -> list[str]:
    kept = await store.documents.get("acme", Endpoint, id_)
    assert kept is not None
    context = Sealed.ENDPOINT_SECRET.of("acme", id_)
    return [vault.open(each.sealed, context=context).decode() for each in kept.secrets]


async def test_the_secret_is_shown_once_and_opens_for_the_vault(
    partner: httpx.AsyncClient, store: Store, vault: KeyRing
) -> None:
    made = (await partner.post("/v1/endpoints", json={"url": URL})).json()
    read = (await partner.get(f"/v1/endpoints/{made['id']}")).json()

    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"), validate=True)) == 32
    assert "secret" not in read
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert await secrets_of(store, vault, made["id"]) == [made["secret"]]


async def test_a_rotation_lets_the_old_secret_sign_beside_the_new_one(
    partner: httpx.AsyncClient, store: Store, vault: KeyRing
) -> None:
    made = (await partner.post("/v1/endpoints", json={"url": URL})).json()
    path = f"/v1/endpoints/{made['id']}/secret"

    second = (await partner.post(path)).json()["secret"]
    between = await secrets_of(store, vault, made["id"])
    third = (await partner.post(path)).json()["secret"]

    assert between == [second, made["secret"]]
    assert await secrets_of(store, vault, made["id"]) == [third, second, made["secret"]]


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest",
        "https://user:pass@partner.example/",
        "https://partner.example:22/",
        "https://0x7f.1/",
        "ftp://partner.example/",
        "not an address",
        "https://",
    ],
)
async def test_an_address_we_must_not_call_is_refused_in_words(
    partner: httpx.AsyncClient, url: str
) -> None:
    answer = await partner.post("/v1/endpoints", json={"url": url})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "url"
    assert kind_of(answer) in {"endpoint-refused", "invalid-request"}


async def test_only_a_key_with_the_scope_makes_an_endpoint_that_hears_everything(
    partner: httpx.AsyncClient, make_partner: MakePartner
) -> None:
    wide = {"url": URL, "tenant_wide": True}
    everything = await make_partner("acme", Scope.MANAGE, Scope.TENANT_WIDE)

    refused = await partner.post("/v1/endpoints", json=wide)
    made = await everything.post("/v1/endpoints", json=wide)

    assert refused.status_code == 403
    assert "scope `tenant`" in refused.json()["detail"]
    assert made.json()["tenant_wide"] is True


async def test_an_unknown_type_is_refused(partner: httpx.AsyncClient) -> None:
    answer = await partner.post("/v1/endpoints", json={"url": URL, "types": ["meeting.danced"]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "types.0"


async def test_a_deleted_endpoint_is_gone(partner: httpx.AsyncClient) -> None:
    made = (await partner.post("/v1/endpoints", json={"url": URL})).json()
    path = f"/v1/endpoints/{made['id']}"

    deleted = await partner.delete(path)

    assert deleted.status_code == 204
    assert (await partner.get(path)).status_code == 404
    assert (await partner.delete(path)).status_code == 404
    assert (await partner.get("/v1/endpoints")).json()["items"] == []
