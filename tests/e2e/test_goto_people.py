"""Organizers and groups of a GoTo account, over HTTP; who may not, and why not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.cli.patience import one_of
from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, draft, incorporated

EVE = {"email": "eve@example.org", "first_name": "Eve", "last_name": "Raju"}


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


async def test_an_organizer_is_invited_and_pending_until_they_accept(corp: Corporation) -> None:
    path = corp.of("organizers")
    (invited,) = (await corp.api.post(path, {"people": [EVE], "group": corp.group}))["items"]

    (pending,) = (await corp.api.get(path, email=EVE["email"]))["items"]
    of_group = (await corp.api.get(path, group=corp.group))["items"]
    key = await corp.goto.accept(EVE["email"])
    (active,) = (await corp.api.get(path, email=EVE["email"]))["items"]

    assert (invited["state"], invited["key"]) == ("pending", "")
    assert (pending["state"], pending["key"]) == ("pending", "")
    assert {row["email"]: row["state"] for row in of_group}[EVE["email"]] == "pending"
    assert (active["state"], active["key"], active["group"]) == ("active", key, corp.group)
    assert len(key) == 19


@pytest.mark.parametrize(
    ("product", "given"),
    [
        ("G2M", ["G2M"]),
        ("G2W", ["G2W", "G2M"]),
        ("G2T", ["G2T", "G2M"]),
        ("OPENVOICE", ["OPENVOICE"]),
    ],
)
async def test_an_invitation_names_a_product(
    corp: Corporation, product: str, given: list[str]
) -> None:
    body = {"people": [EVE | {"product": product}]}

    (invited,) = (await corp.api.post(corp.of("organizers"), body))["items"]

    assert invited["products"] == given


async def test_several_are_invited_at_once_and_who_is_there_stays(corp: Corporation) -> None:
    bob = {"email": corp.bob_at, "first_name": "Bob", "last_name": "Raju"}

    rows = (await corp.api.post(corp.of("organizers"), {"people": [EVE, bob]}))["items"]

    assert [(row["email"], row["state"]) for row in rows] == [
        (EVE["email"], "pending"),
        (corp.bob_at, "active"),
    ]


async def test_all_organizers_are_listed_with_group_and_state(corp: Corporation) -> None:
    rows = (await corp.api.get(corp.of("organizers")))["items"]

    by_key = {row["key"]: row for row in rows}
    assert set(by_key) == {corp.ada, corp.bob}
    assert by_key[corp.bob]["group_name"] == "Sales"
    assert by_key[corp.bob]["state"] == "active"


async def test_an_organizer_is_suspended_and_activated(corp: Corporation) -> None:
    path = corp.of(f"organizers/{corp.bob}")

    suspended = await corp.api.put(path, {"suspended": True})
    _, kind, words = await corp.refused("GET", corp.of("conferences", corp.member))
    active = await corp.api.put(path, {"products": ["G2M"]})
    works = await corp.api.get(corp.of("conferences", corp.member))

    assert (suspended["state"], suspended["products"]) == ("suspended", [])
    assert kind == "organizer-suspended"
    assert "activate" in words
    assert (active["state"], active["products"]) == ("active", ["G2M"])
    assert works == {"items": []}


async def test_a_change_either_suspends_or_gives(corp: Corporation) -> None:
    path = corp.of(f"organizers/{corp.bob}")

    for body in ({}, {"suspended": True, "products": ["G2M"]}):
        assert (await corp.refused("PUT", path, body=body))[1] == "invalid-request"


async def test_an_organizer_is_deleted_by_key_or_by_address(corp: Corporation) -> None:
    await corp.api.post(corp.of("organizers"), {"people": [EVE]})

    by_key = await corp.api.delete(corp.of(f"organizers/{corp.bob}"))
    by_address = await corp.api.delete(corp.of(f"organizers?email={EVE['email']}"))

    left = {row["key"] for row in await corp.goto.people()}
    assert (by_key["code"], by_address["code"]) == (204, 204)
    assert corp.ada in left
    assert corp.bob not in left
    again = await corp.refused("DELETE", corp.of(f"organizers/{corp.bob}"))
    assert again[:2] == (404, "not-found")


async def test_an_organizer_is_read_by_key_and_anybody_reads_their_own(corp: Corporation) -> None:
    other = await corp.api.get(corp.of(f"organizers/{corp.bob}"))
    own = await corp.api.get(corp.of(f"organizers/{corp.bob}", corp.member))
    refused = await corp.refused("GET", corp.of(f"organizers/{corp.ada}", corp.member))

    assert other == own
    assert other["email"] == corp.bob_at
    assert refused[:2] == (403, "admin-only")


async def test_groups_are_listed(corp: Corporation) -> None:
    (group,) = (await corp.api.get(corp.of("groups")))["items"]

    assert (group["key"], group["name"], group["organizers"]) == (corp.group, "Sales", 2)


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("GET", "groups"),
        ("GET", "organizers"),
        ("POST", "organizers"),
        ("PUT", "organizers/{ada}"),
        ("DELETE", "organizers/{ada}"),
        ("DELETE", "organizers?email=ada@example.org"),
        ("GET", "conferences"),
    ],
)
async def test_what_is_for_administrators_is_refused_to_others_once(
    corp: Corporation, method: str, what: str
) -> None:
    await corp.house.sandbox.forget_calls()
    bodies = {"POST": {"people": [EVE]}, "PUT": {"products": ["G2M"]}}
    queries = {"conferences": {"group": corp.group}}
    path = corp.of(what.format(ada=corp.ada, group=corp.group), corp.member)

    more = {"body": bodies[method]} if method in bodies else queries.get(what, {})
    status, kind, words = await corp.refused(method, path, **more)

    assert (status, kind) == (403, "admin-only")
    assert "administrator" in words
    calls = await corp.house.sandbox.all_calls()
    assert sum(calls[name] for name in calls if name.startswith("goto.")) == 1


async def test_no_licence_left_is_a_problem_of_its_own(corp: Corporation) -> None:
    await corp.house.sandbox.do("goto/change_account", key=corp.account, licences=2)

    status, kind, words = await corp.refused("POST", corp.of("organizers"), body={"people": [EVE]})

    assert (status, kind) == (409, "no-licence")
    assert "2 out of 2 in use" in words


async def test_a_plan_that_ran_out_is_a_problem_of_its_own(corp: Corporation) -> None:
    await corp.house.sandbox.do("goto/change_account", key=corp.account, free=True)

    status, kind, words = await corp.refused("GET", corp.of("conferences"))

    assert (status, kind) == (409, "free-plan")
    assert "no paid plan" in words


async def test_what_a_link_can_be_used_for_is_told(corp: Corporation) -> None:
    admin = (await corp.api.get(corp.of("offers")))["items"]
    member = (await corp.api.get(corp.of("offers", corp.member)))["items"]

    assert {row["name"]: row["offered"] for row in admin} == {
        "conferences": True,
        "history": True,
        "attendance": True,
        "organizers": True,
    }
    because = {row["name"]: row["because"] for row in member if not row["offered"]}
    assert set(because) == {"attendance", "organizers"}
    assert "identity:" in because["attendance"]
    assert "administrator" in because["organizers"]


async def test_a_conference_for_somebody_who_is_still_invited_waits_for_them(
    corp: Corporation,
) -> None:
    """S2-18"""
    await corp.api.post(corp.of("organizers"), {"people": [EVE], "group": corp.group})
    wish = draft(co_organizers=[EVE["email"]], wait_for_organizers=True)

    asked = await corp.api.post(corp.of("conferences"), wish)
    waiting = await corp.api.get(f"/v1/requests/{asked['id']}")
    before = (await corp.api.get(corp.of("conferences")))["items"]
    key = await corp.goto.accept(EVE["email"])
    row = await one_of(corp.api, asked, "conferences")  # as the command line does
    done = await corp.api.get(f"/v1/requests/{asked['id']}")

    assert (asked["state"], waiting["state"], before) == ("waiting", "waiting", [])
    assert "not accepted" in waiting["detail"]
    assert (done["state"], row["co_organizers"]) == ("done", [key])
    assert len((await corp.api.get(corp.of("conferences")))["items"]) == 1
