"""How much may a key ask? A bucket each, told in headers, refused in words."""

from __future__ import annotations

import httpx

from infra.settings import Settings
from infra.store import Store
from schemas.people import Scope
from tests.api.stage import ADMIN, MakePartner, client, kind_of
from webhooks.app import open_app


async def test_every_answer_says_what_is_left(partner: httpx.AsyncClient) -> None:
    good = await partner.get("/v1/policy")
    absent = await partner.get("/v1/meetings/none")

    assert good.headers["ratelimit-policy"].startswith('"key";q=1000000;w=')
    assert absent.status_code == 404
    assert left(good) == 999_999
    assert left(absent) in {999_998, 999_999}, "one less, or what was taken has come back by now"


def left(answer: httpx.Response) -> int:
    return int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0])


async def test_who_asks_too_fast_is_told_when_to_come_back_and_nobody_else_is(
    settings: Settings, store: Store, make_partner: MakePartner
) -> None:
    greedy, modest = await make_partner("acme"), await make_partner("acme")
    slow = settings.model_copy(update={"rate_per_s": 1, "rate_burst": 3})
    async with open_app(slow) as app, client(app, key_of(greedy)) as one:
        answers = [await one.get("/v1/policy") for _ in range(8)]
        async with client(app, key_of(modest)) as other, client(app, ADMIN) as operator:
            untouched = [await other.get("/v1/policy")]
            untouched += [await operator.get("/v1/tenants") for _ in range(8)]

    refused = [answer for answer in answers if answer.status_code != 200]
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert len(refused) >= 2
    assert {(answer.status_code, kind_of(answer)) for answer in refused} == {(429, "rate-limited")}
    assert int(refused[0].headers["retry-after"]) >= 1
    assert "r=0;t=" in refused[0].headers["ratelimit"]
    assert {answer.status_code for answer in untouched} == {200}


async def test_two_processes_share_one_bucket(
    settings: Settings, store: Store, make_partner: MakePartner
) -> None:
    partner = await make_partner("acme")
    slow = settings.model_copy(update={"rate_per_s": 1, "rate_burst": 4})

    async with (
        open_app(slow) as one,
        open_app(slow) as two,
        client(one, key_of(partner)) as first,
        client(two, key_of(partner)) as second,
    ):
        answers = [await each.get("/v1/policy") for each in [first, second] * 5]

    assert 429 in {answer.status_code for answer in answers}


async def test_without_a_rate_there_is_no_limit(
    settings: Settings, store: Store, make_partner: MakePartner
) -> None:
    partner = await make_partner("acme")
    free = settings.model_copy(update={"rate_per_s": 0, "rate_burst": 1})

    async with open_app(free) as app, client(app, key_of(partner)) as one:
        answers = [await one.get("/v1/policy") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_a_stranger_with_a_key_s_name_empties_nobody_s_bucket(
    settings: Settings, store: Store, make_partner: MakePartner
) -> None:
    partner = await make_partner("acme", Scope.MANAGE)
    key = key_of(partner)
    slow = settings.model_copy(update={"rate_per_s": 1, "rate_burst": 2})

    async with open_app(slow) as app, client(app, key[:-4] + "aaaa") as thief:
        tried = [await thief.get("/v1/policy") for _ in range(10)]
        async with client(app, key) as owner:
            answer = await owner.get("/v1/policy")

    assert {each.status_code for each in tried} == {401}
    assert answer.status_code == 200


def key_of(partner: httpx.AsyncClient) -> str:
    return str(partner.headers["authorization"]).removeprefix("Bearer ")
