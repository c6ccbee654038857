"""Clients: secrets go in and never come out; addresses to register come out."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from infra.seal import KeyRing, Unsealable
from infra.store import Store
from schemas.connections import Client, Route
from schemas.seals import Sealed
from tests.api.stage import kind_of

ZOOM = {
    "provider": "zoom",
    "client_id": "our-app",
    "secret": "canary-client-secret",
    "webhook_secret": "canary-webhook-secret",
}


async def made(partner: httpx.AsyncClient, **more: str | None) -> dict[str, Any]:
    answer = await partner.post("/v1/clients", json={**ZOOM, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_client_says_what_to_register_at_the_vendor(partner: httpx.AsyncClient) -> None:
    client = await made(partner)

    read = (await partner.get(f"/v1/clients/{client['id']}")).json()

    assert read == client
    assert read["redirect_url"] == "http://api.test/connect/callback/zoom"
    assert read["notification_url"].startswith("https://hooks.test/hooks/zoom/acme.")
    assert "canary" not in str(read)


async def test_the_secret_opens_for_the_vault_alone(
    partner: httpx.AsyncClient, store: Store, vault: KeyRing, door: KeyRing
) -> None:
    client = await made(partner)

    kept = await store.documents.get("acme", Client, client["id"])

    assert kept is not None
    context = Sealed.CLIENT_SECRET.of("acme", kept.id)
    assert vault.open(kept.secret_sealed, context=context) == b"canary-client-secret"
    with pytest.raises(Unsealable):
        door.open(kept.secret_sealed, context=context)


async def test_the_webhook_secret_opens_for_the_door_at_the_route_of_the_client(
    partner: httpx.AsyncClient, store: Store, door: KeyRing
) -> None:
    client = await made(partner)
    route_id = client["notification_url"].rpartition(".")[2]

    route = await store.documents.get("acme", Route, route_id)

    assert route is not None
    assert (route.provider, route.client) == ("zoom", client["id"])
    context = Sealed.WEBHOOK_SECRET.of("acme", client["id"])
    opened = [door.open(each, context=context) for each in route.secrets_sealed]
    assert opened == [b"canary-webhook-secret"]


async def test_a_new_webhook_secret_leaves_the_one_before_in_force(
    partner: httpx.AsyncClient, store: Store, door: KeyRing
) -> None:
    client = await made(partner)
    path = f"/v1/clients/{client['id']}/webhook-secret"

    for secret in ("second", "third"):
        assert (await partner.put(path, json={"secret": secret})).status_code == 204

    route = await store.documents.get("acme", Route, client["notification_url"].rpartition(".")[2])
    assert route is not None
    context = Sealed.WEBHOOK_SECRET.of("acme", client["id"])
    opened = [door.open(each, context=context) for each in route.secrets_sealed]
    assert opened == [b"third", b"second"]
    assert (await partner.get(f"/v1/clients/{client['id']}")).json()["webhook_secrets"] == 2


async def test_a_client_that_was_made_before_its_vendor_was_heard_gets_its_address_with_a_secret(
    partner: httpx.AsyncClient, store: Store, door: KeyRing
) -> None:
    made_now = await made(partner, provider="goto", webhook_secret=None)
    stored = await store.documents.get("acme", Client, made_now["id"])
    assert stored is not None
    await store.documents.put("acme", stored.model_copy(update={"route": None}))
    path = f"/v1/clients/{made_now['id']}"
    before = (await partner.get(path)).json()

    for secret in ("first", "second"):
        answer = await partner.put(f"{path}/webhook-secret", json={"secret": secret})
        assert answer.status_code == 204

    address = (await partner.get(path)).json()["notification_url"]
    route = await store.documents.get("acme", Route, address.rpartition(".")[2])
    assert before["notification_url"] is None
    assert address.startswith("https://hooks.test/hooks/goto/acme.")
    assert route is not None
    context = Sealed.WEBHOOK_SECRET.of("acme", made_now["id"])
    opened = [door.open(each, context=context) for each in route.secrets_sealed]
    assert opened == [b"second", b"first"]


async def test_a_new_client_secret_replaces_the_old_one(
    partner: httpx.AsyncClient, store: Store, vault: KeyRing
) -> None:
    client = await made(partner)

    answer = await partner.put(f"/v1/clients/{client['id']}/secret", json={"secret": "new"})

    assert answer.status_code == 204
    kept = await store.documents.get("acme", Client, client["id"])
    assert kept is not None
    context = Sealed.CLIENT_SECRET.of("acme", kept.id)
    assert vault.open(kept.secret_sealed, context=context) == b"new"


async def test_google_signs_nothing_so_there_is_no_webhook_secret_to_set(
    partner: httpx.AsyncClient,
) -> None:
    client = await made(partner, provider="google", webhook_secret=None)

    answer = await partner.put(
        f"/v1/clients/{client['id']}/webhook-secret", json={"secret": "useless"}
    )

    assert client["notification_url"] is None
    assert answer.status_code == 422


@pytest.mark.parametrize("provider", ["jitsi", "static", "skype"])
async def test_only_vendors_with_oauth_have_clients(
    partner: httpx.AsyncClient, provider: str
) -> None:
    answer = await partner.post("/v1/clients", json={**ZOOM, "provider": provider})

    assert answer.status_code == 422
    assert "google, graph, zoom" in answer.json()["errors"][0]["fault"]


async def test_only_the_operator_says_where_else_a_provider_lives(
    partner: httpx.AsyncClient,
) -> None:
    allowed = await partner.post("/v1/clients", json={**ZOOM, "base_url": "http://zoom.test"})
    inside = await partner.post("/v1/clients", json={**ZOOM, "base_url": "https://10.0.0.7"})

    assert allowed.status_code == 201
    assert (inside.status_code, kind_of(inside)) == (422, "invalid-request")


async def test_clients_are_listed_in_pages(partner: httpx.AsyncClient) -> None:
    ids = sorted([(await made(partner))["id"] for _ in range(3)])

    first = (await partner.get("/v1/clients", params={"limit": 2})).json()
    rest = (await partner.get("/v1/clients", params={"after": first["next"]})).json()

    assert [each["id"] for each in first["items"] + rest["items"]] == ids
    assert rest["next"] is None
