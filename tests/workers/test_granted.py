"""Who hears by a grant: of what stands in its place, from when it is given until it is taken."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from infra.lanes import Claimed, IndexSet, Lane, Unit
from schemas.connections import Calendar, LinkState
from schemas.grants import (
    GRANTEES,
    GRANTS,
    Allows,
    Grant,
    Grantees,
    Place,
    PlaceKind,
    grant_id,
    write_row,
)
from schemas.items import UnlinkAsked
from schemas.meetings import Meeting
from schemas.people import Actor, Scope
from tests.api.stage import kind_of
from tests.workers.doors import partner
from tests.workers.hearing import claim
from tests.workers.stage import APPLICATION, NOON, Stage, until
from tests.workers.test_places import ask_of, link, of_link, standing, tell, torn_down
from workers.jobs.fire_callbacks import fire_callback

NOWHERE = "http://127.0.0.1:9/"


async def give(stage: Stage, application: str, kind: PlaceKind, id_: str, **facts: object) -> Grant:
    """Store a grant as the API does."""
    place = Place(kind=kind, id=id_)
    given = {
        "id": grant_id(application, place),
        "application": application,
        "place": place,
        "allows": (Allows.HEAR,),
        "given_by": APPLICATION,
        "given_at": NOON,
    }
    grant = Grant.model_validate({**given, **facts})
    row = IndexSet(GRANTS, grant.id, write_row(grant))
    documents = stage.runtime.store.documents
    known = await documents.get(stage.tenant, Grantees, GRANTEES) or Grantees(id=GRANTEES)
    applications = (*known.applications, application)
    grantees = known.model_copy(update={"applications": applications})
    unit = Unit(puts=[grant, grantees], index=[row])
    await stage.runtime.store.lanes.submit(stage.tenant, unit)
    return grant


async def take(stage: Stage, grant: Grant) -> None:
    stored = await stage.runtime.store.documents.get(stage.tenant, Grant, grant.id)
    assert stored is not None
    await stage.runtime.store.documents.drop(stage.tenant, stored)


async def told(stage: Stage, application: str) -> list[str]:
    """The subjects of the callbacks that a grant lets the application read in the feed."""
    entries = await stage.runtime.store.feed.read(stage.tenant)
    return [one["subject"] for one in entries if application in one.get("granted", "").split()]


@pytest.mark.parametrize(
    ("kind", "id_", "hears"),
    [
        ("calendar", "cal_1", True),
        ("calendar", "cal_2", False),
        ("connection", "con_1", True),
        ("connection", "con_2", True),  # that of its calendar
        ("connection", "con_3", False),
        ("user", "ada", True),
        ("user", "bob", True),
        ("user", "cyd", True),  # who hosts it
        ("user", "eve", False),
        ("calendar", "con_1", False),  # an id is an id of its kind only
    ],
)
async def test_a_meeting_is_heard_of_wherever_it_stands(
    stage: Stage, kind: PlaceKind, id_: str, hears: bool
) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, application="app_2")
    other, _ = await stage.endpoint(NOWHERE, application="app_3")
    meeting = await standing(stage)
    await stage.keep(ask_of(meeting, host="cyd"))
    await give(stage, "app_2", kind, id_)

    await stage.announce(meeting)

    assert [await stage.waiting(one) for one in (endpoint, other)] == [int(hears), 0]
    assert await told(stage, "app_2") == [meeting.id] * hears


@pytest.mark.parametrize(("kind", "id_"), [("connection", "con_1"), ("user", "ada")])
async def test_a_link_is_heard_of_by_a_grant_for_it_or_its_user(
    stage: Stage, kind: PlaceKind, id_: str
) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, application="app_2")
    await give(stage, "app_2", kind, id_)

    await tell(stage, await link(stage, "con_1", user="ada"), of_link(stage, "con_1"))
    await tell(stage, await link(stage, "con_2", user="bob"), of_link(stage, "con_2"))

    assert await stage.waiting(endpoint) == 1
    assert await told(stage, "app_2") == ["con_1"]


@pytest.mark.parametrize(
    "facts",
    [{"allows": (Allows.USE,)}, {"until": NOON}],
    ids=["that allows something else", "that has ended"],
)
async def test_a_grant_lets_nobody_hear(stage: Stage, facts: dict[str, Any]) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, application="app_2")
    await give(stage, "app_2", "connection", "con_1", **facts)

    await stage.announce(await standing(stage))

    assert await stage.waiting(endpoint) == 0
    assert await told(stage, "app_2") == []


async def test_it_is_heard_from_the_grant_until_it_is_taken_away(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, application="app_2")
    meeting = await standing(stage)

    await stage.announce(meeting)
    before = await stage.waiting(endpoint)
    grant = await give(stage, "app_2", "connection", "con_1")
    await stage.announce(meeting)
    during = await stage.waiting(endpoint)
    await take(stage, grant)
    await stage.announce(meeting)

    assert [before, during, await stage.waiting(endpoint)] == [0, 1, 1]
    assert await told(stage, "app_2") == [meeting.id]


async def test_who_heard_of_a_meeting_by_a_grant_hears_that_it_has_gone(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, application="app_2")
    meeting = await standing(stage)
    await give(stage, "app_2", "user", "ada")
    await stage.announce(meeting)
    gone = meeting.model_copy(update={"conference": None, "written": ()})

    await tell(stage, gone, torn_down(stage, gone))

    assert await stage.waiting(endpoint) == 2


async def test_whoever_was_to_hear_does_though_many_do_and_the_meeting_has_gone(
    stage: Stage,
) -> None:
    endpoints = [(await stage.endpoint(NOWHERE, application="app_2"))[0] for _ in range(20)]
    other, _ = await stage.endpoint(NOWHERE, application="app_3")
    meeting = await standing(stage)
    grant = await give(stage, "app_2", "calendar", "cal_1")
    await stage.announce(meeting)
    await take(stage, grant)
    stored = await stage.runtime.store.documents.get(stage.tenant, Meeting, meeting.id)
    assert stored is not None
    await stage.runtime.store.documents.drop(stage.tenant, stored)

    lane = Lane(stage.tenant, "callback", f"fanout/{meeting.id}")
    claimed: Claimed = await claim(stage, lane)
    await stage.runtime.store.lanes.commit(claimed, await fire_callback(claimed, stage.runtime))

    assert [await stage.waiting(one) for one in endpoints] == [1] * 20
    assert await stage.waiting(other) == 0


async def test_the_feed_and_the_callbacks_of_a_grant_stay_when_it_is_taken_away(
    app: Starlette, stage: Stage
) -> None:
    one, mine = await partner(app, stage, Scope.MEETINGS, Scope.MANAGE)
    other, _ = await partner(app, stage, Scope.MEETINGS, Scope.MANAGE)
    meeting = await standing(stage)
    grant = await give(stage, mine, "connection", "con_1")
    [first] = await stage.announce(meeting)
    await take(stage, grant)
    [second] = await stage.announce(meeting)

    async with one, other:
        heard = [await _feed(each) for each in (one, other)]
        kept = await one.get(f"/v1/callbacks/{first}")
        not_told = await one.get(f"/v1/callbacks/{second}")
        not_theirs = await other.get(f"/v1/callbacks/{first}")

    assert heard == [[first], []]
    assert (kept.status_code, kept.json()["id"]) == (200, first)
    assert (not_told.status_code, kind_of(not_told)) == (404, "not-found")
    assert (not_theirs.status_code, kind_of(not_theirs)) == (404, "not-found")


async def _feed(one: httpx.AsyncClient) -> list[str]:
    page = (await one.get("/v1/feed")).json()
    return [item["callback"]["id"] for item in page["items"]]


async def test_a_link_that_is_taken_away_takes_its_grants_along(stage: Stage) -> None:
    """Also those for a calendar of it that is no longer watched."""
    endpoint, _ = await stage.endpoint(NOWHERE, application="app_2")
    connection = await link(stage, "con_1", user="ada")
    facts = {"provider": "google", "provider_id": "p", "watched": False, "created_at": NOON}
    for name, over in (("cal_1", "con_1"), ("cal_2", "con_2")):
        await stage.keep(Calendar.model_validate({"id": name, "connection": over, **facts}))
    gone = [
        await give(stage, "app_2", "connection", "con_1"),
        await give(stage, "app_3", "calendar", "cal_1"),
    ]
    left = [
        await give(stage, "app_2", "connection", "con_2"),
        await give(stage, "app_2", "calendar", "cal_2"),
        await give(stage, "app_2", "user", "eve"),
    ]

    async with stage.at_work("connection"):
        await stage.post("connection", connection.id, UnlinkAsked(actor=Actor(kind="operator")))
        await until(lambda: stage.idle("connection", connection.id))

    found = await stage.runtime.store.documents.get_many(
        stage.tenant, Grant, [one.id for one in (*gone, *left)]
    )
    assert (await stage.connection("con_1")).state is LinkState.UNLINKED
    assert [one is not None for one in found] == [False, False, True, True, True]
    assert set(await stage.runtime.store.index.all(stage.tenant, GRANTS)) == {g.id for g in left}
    assert await stage.waiting(endpoint) == 1  # that it was unlinked
