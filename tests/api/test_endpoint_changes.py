"""An endpoint is changed field by field, and refuses what it could not keep to."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.store import Store
from schemas.endpoints import Endpoint, group_of
from tests.api.stage import MakePartner, kind_of

URL = "https://partner.example/tieline"
SAID: dict[str, Any] = {
    "url": URL,
    "types": ["meeting.provisioned"],
    "calendars": ["cal_1"],
    "connections": ["con_1"],
    "users": ["ada"],
    "external_id_prefix": "interview-",
    "description": "For the interviews",
    "metadata": {"team": "recruiting"},
    "format": "cloudevents-binary",
    "head_of_line": "block",
    "retry_s": [5, 60],
    "timeout_s": 10,
    "rate_per_s": 2.5,
    "concurrency": 3,
    "headers": {"X-Team": "recruiting"},
}


async def made(partner: httpx.AsyncClient, **facts: object) -> dict[str, Any]:
    answer = await partner.post("/v1/endpoints", json={"url": URL, **facts})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_everything_that_is_said_is_shown_but_for_what_headers_hold(
    partner: httpx.AsyncClient,
) -> None:
    shown = await made(partner, **SAID)

    said = {**SAID, "header_names": ["X-Team"]}
    del said["headers"]
    assert {name: shown[name] for name in said} == said
    assert (shown["state"], shown["waiting"], shown["held"]) == ("enabled", 0, 0)


async def test_a_change_replaces_what_it_names_and_nothing_else(
    partner: httpx.AsyncClient, store: Store
) -> None:
    before = await made(partner, **SAID)
    path = f"/v1/endpoints/{before['id']}"

    change: dict[str, Any] = {"types": [], "retry_s": None, "concurrency": 9, "headers": {}}
    answer = await partner.patch(path, json=change)
    read = (await partner.get(path)).json()

    expected = {**before, "types": [], "concurrency": 9, "header_names": [], "retry_s": []}
    expected = {name: value for name, value in expected.items() if name != "secret"}
    assert answer.json() == read
    assert {**read, "retry_s": []} == expected
    assert len(read["retry_s"]) == 9
    gate = await store.lanes.gate("acme", group_of(before["id"]))
    assert gate is not None
    assert gate.limit == 9


async def test_a_change_of_another_version_is_refused(partner: httpx.AsyncClient) -> None:
    shown = await made(partner)
    path = f"/v1/endpoints/{shown['id']}"
    read = await partner.get(path)
    await partner.patch(path, json={"description": "one"})

    late = await partner.patch(
        path, json={"description": "two"}, headers={"if-match": read.headers["etag"]}
    )

    assert (late.status_code, kind_of(late)) == (412, "changed-meanwhile")
    assert (await partner.get(path)).json()["description"] == "one"


async def test_a_change_of_nothing_makes_no_version(partner: httpx.AsyncClient) -> None:
    shown = await made(partner)
    path = f"/v1/endpoints/{shown['id']}"
    before = (await partner.get(path)).headers["etag"]

    again = await partner.patch(path, json={"description": "", "url": URL})

    assert again.headers["etag"] == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", None),
        ("url", "https://10.0.0.1/"),
        ("retry_s", [604_000, 604_000]),
        ("retry_s", []),
        ("timeout_s", 21),
        ("rate_per_s", 0),
        ("concurrency", 0),
        ("headers", {"Host": "elsewhere"}),
        ("headers", {"X-A": "line\nend"}),
        ("headers", {"x-a": "1", "X-A": "2"}),
        ("metadata", {"": "x"}),
        ("format", "xml"),
        ("head_of_line", "whatever"),
    ],
)
async def test_what_cannot_be_kept_to_is_refused_in_words(
    partner: httpx.AsyncClient, field: str, value: object
) -> None:
    shown = await made(partner)

    answer = await partner.patch(f"/v1/endpoints/{shown['id']}", json={field: value})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert answer.json()["errors"][0]["fault"]


async def test_a_tenant_has_a_thousand_endpoints_at_most(
    partner: httpx.AsyncClient, store: Store
) -> None:
    for number in range(1000):
        await store.index.set("acme", "endpoints", f"end_{number}", "")

    answer = await partner.post("/v1/endpoints", json={"url": URL})

    assert (answer.status_code, kind_of(answer)) == (422, "endpoint-refused")
    assert "1000" in answer.json()["detail"]


async def test_a_rotation_ends_the_old_secret_when_its_overlap_is_over(
    partner: httpx.AsyncClient, store: Store
) -> None:
    shown = await made(partner)
    path = f"/v1/endpoints/{shown['id']}/secret"

    rotated = (await partner.post(path, json={"overlap_s": 3600})).json()
    kept = await store.documents.get("acme", Endpoint, shown["id"])
    at_once = (await partner.post(path, json={"overlap_s": 0})).json()

    assert kept is not None
    newest, old = kept.secrets
    assert newest.until is None
    assert old.until is not None
    span = old.until - kept.created_at
    assert timedelta(minutes=59) < span < timedelta(minutes=90)
    assert (rotated["secrets"], at_once["secrets"]) == (2, 1)


async def test_more_secrets_than_a_receiver_looks_at_never_sign_at_once(
    partner: httpx.AsyncClient,
) -> None:
    shown = await made(partner)
    path = f"/v1/endpoints/{shown['id']}/secret"

    statuses = [(await partner.post(path)).status_code for _ in range(8)]

    assert statuses == [200] * 7 + [422]


async def test_public_keys_come_and_go_with_their_endpoints(
    partner: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    async def published() -> list[str]:
        answer = await stranger.get("/.well-known/jwks.json?tenant=acme")
        assert answer.headers["content-type"] == "application/jwk-set+json"
        return [key["x"] for key in answer.json()["keys"]]

    shown = await made(partner, signature="v1a")
    path = f"/v1/endpoints/{shown['id']}"
    one = await published()
    await partner.post(f"{path}/secret")
    two = await published()
    await partner.post(f"{path}/secret", json={"overlap_s": 0, "signature": "v1"})
    none = await published()

    raw = base64.b64decode(shown["public_keys"][0].removeprefix("whpk_"))
    assert one == [base64.urlsafe_b64encode(raw).rstrip(b"=").decode()]
    assert len(two) == 2
    assert none == []
    await partner.post(f"{path}/secret", json={"signature": "v1a"})
    await partner.delete(path)
    assert await published() == []


@pytest.mark.parametrize("query", ["", "?tenant=", "?tenant=%7B%7D", "?tenant=A"])
async def test_the_key_set_asks_for_a_tenant(stranger: httpx.AsyncClient, query: str) -> None:
    answer = await stranger.get(f"/.well-known/jwks.json{query}")

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")


async def test_pausing_and_enabling_twice_is_as_once(partner: httpx.AsyncClient) -> None:
    shown = await made(partner)
    path = f"/v1/endpoints/{shown['id']}"

    states = [
        (await partner.post(f"{path}/{verb}")).json()["state"]
        for verb in ("pause", "pause", "enable", "enable")
    ]

    assert states == ["paused", "paused", "enabled", "enabled"]


async def test_only_an_application_that_may_hear_all_redelivers_anothers_callback(
    make_partner: MakePartner,
) -> None:
    one, other = await make_partner("acme"), await make_partner("acme")
    mine = await made(one)
    sent = (await one.post(f"/v1/endpoints/{mine['id']}/test")).json()

    body = {"endpoint": mine["id"]}
    theirs = await other.post(f"/v1/callbacks/{sent['callback']}/redeliver", json=body)
    ours = await one.post(f"/v1/callbacks/{sent['callback']}/redeliver", json=body)

    assert (theirs.status_code, ours.status_code) == (404, 202)
