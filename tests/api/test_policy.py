"""The rules: read, replaced, and never overwritten unseen."""

from __future__ import annotations

import httpx
import pytest

from schemas.providers import Role
from tests.api.stage import LinkUp, kind_of

RULE = {"keyword": "zoom", "conferencing": "default", "source_of_truth": "calendar"}


async def test_a_tenant_begins_without_rules(partner: httpx.AsyncClient) -> None:
    answer = await partner.get("/v1/policy")

    assert answer.json() == {"rules": [], "default": None}
    assert answer.headers["etag"] == '"0"'


async def test_rules_are_kept_in_their_order(partner: httpx.AsyncClient, link_up: LinkUp) -> None:
    zoom = await link_up(Role.CONFERENCING, "zoom")
    rules = [
        {"keyword": "zoom", "conferencing": zoom, "source_of_truth": "conference"},
        {"keyword": "online", "conferencing": "default", "source_of_truth": "calendar"},
    ]

    put = await partner.put("/v1/policy", json={"rules": rules, "default": zoom})
    read = await partner.get("/v1/policy")

    assert put.status_code == 200
    assert read.json() == put.json() == {"rules": rules, "default": zoom}
    assert read.headers["etag"] == put.headers["etag"] == '"1"'


@pytest.mark.parametrize("named", ["jitsi", "default"])
async def test_a_conference_that_tells_us_nothing_is_no_source_of_truth(
    partner: httpx.AsyncClient, link_up: LinkUp, named: str
) -> None:
    jitsi = await link_up(Role.CONFERENCING, "jitsi")
    rule = {"keyword": "a", "conferencing": jitsi, "source_of_truth": "conference"}
    if named == "default":
        rule["conferencing"] = "default"

    refused = await partner.put("/v1/policy", json={"rules": [rule], "default": jitsi})

    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["field"] == "rules.0.source_of_truth"
    assert "Jitsi" in fault["fault"]


async def test_an_outdated_change_is_refused(partner: httpx.AsyncClient) -> None:
    etag = (await partner.get("/v1/policy")).headers["etag"]
    body = {"rules": [RULE]}

    first = await partner.put("/v1/policy", json=body, headers={"If-Match": etag})
    second = await partner.put("/v1/policy", json={}, headers={"If-Match": etag})

    assert first.status_code == 200
    assert (second.status_code, kind_of(second)) == (412, "changed-meanwhile")
    assert (await partner.get("/v1/policy")).json()["rules"] == body["rules"]


async def test_others_rules_are_not_written_over_unseen(partner: httpx.AsyncClient) -> None:
    body = {"rules": [RULE]}
    await partner.put("/v1/policy", json=body)

    answer = await partner.put("/v1/policy", json={})

    assert (answer.status_code, kind_of(answer)) == (428, "read-first")
    assert "If-Match" in answer.json()["detail"]
    assert (await partner.get("/v1/policy")).json()["rules"] == body["rules"]


async def test_the_same_rules_again_are_the_same_version(partner: httpx.AsyncClient) -> None:
    body = {"rules": [RULE]}

    etags = [(await partner.put("/v1/policy", json=body)).headers["etag"] for _ in range(2)]

    assert etags == ['"1"', '"1"']


@pytest.mark.parametrize("keyword", ["", "two words", "a,b", "a;b", "x" * 61])
async def test_a_keyword_that_could_never_match_is_refused(
    partner: httpx.AsyncClient, keyword: str
) -> None:
    rules = [{"keyword": keyword, "conferencing": "default"}]

    answer = await partner.put("/v1/policy", json={"rules": rules})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "rules.0.keyword"


async def test_rules_name_conferencing_connections_of_this_tenant(
    partner: httpx.AsyncClient, link_up: LinkUp
) -> None:
    foreign = await link_up(Role.CONFERENCING, "zoom", tenant="umbrella")
    calendar = await link_up(Role.CALENDAR, "google")

    for named in (foreign, calendar, "con_nobody"):
        answer = await partner.put("/v1/policy", json={"default": named})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "default"
