"""Filters by place: calendars, connections and users, of meetings, links and endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from infra.lanes import Item, Lane, Post, Unit
from schemas.callbacks import Callback, CallbackType, Cause, ConnectionData, EndpointData
from schemas.connections import Account, Calendar, Connection
from schemas.endpoints import Endpoint
from schemas.events import Slot
from schemas.items import FanOut, write_load
from schemas.meetings import Ask, Conference, Meeting, Written
from schemas.people import Actor
from schemas.places import Subject
from schemas.providers import Role
from tests.workers.hearing import claim
from tests.workers.stage import APPLICATION, NOON, Stage, until
from workers.jobs.fire_callbacks import fire_callback
from workers.outbox import announce_into
from workers.places import PLACES

NOWHERE = "http://127.0.0.1:9/"
SLOT = Slot(title="Interview", starts_at=NOON, ends_at=NOON, timezone="UTC")


async def link(stage: Stage, name: str, *, user: str | None = None) -> Connection:
    one = Connection(
        id=name,
        provider="jitsi",
        role=Role.CONFERENCING,
        account=Account(id="a"),
        user=user,
        linked_at=NOON,
        linked_by=Actor(kind="application", id="app_1"),
    )
    await stage.keep(one)
    return one


async def standing(stage: Stage) -> Meeting:
    """A meeting in the calendar cal_1 (of bob's link con_2), over ada's link con_1."""
    await link(stage, "con_1", user="ada")
    await link(stage, "con_2", user="bob")
    await stage.keep(
        Calendar(
            id="cal_1", connection="con_2", provider="google", provider_id="p", created_at=NOON
        )
    )
    conference = Conference(
        provider="jitsi",
        connection="con_1",
        id="x",
        host="a",
        join_url="https://meet.example/x",
        reference="x",
        shown="",
        slot=SLOT,
        made_at=NOON,
    )
    return await stage.meeting(
        conference=conference, written=[Written(calendar="cal_1", event="e", join_url="u")]
    )


def ask_of(meeting: Meeting, *, host: str) -> Ask:
    return Ask(
        id=meeting.id,
        application="app_1",
        external_id="x",
        slot=SLOT,
        host=host,
        actor=APPLICATION,
        asked_at=NOON,
        body_sha256="",
    )


async def tell(stage: Stage, about: Subject, *callbacks: Callback) -> None:
    unit, now = Unit(), stage.runtime.now()
    await announce_into(unit, stage.runtime, stage.tenant, callbacks, about=about, now=now)
    await stage.runtime.store.lanes.submit(stage.tenant, unit)


def torn_down(stage: Stage, meeting: Meeting) -> Callback:
    said = stage.callback(meeting, 2)
    return said.model_copy(update={"type": CallbackType.MEETING_TORN_DOWN})


@pytest.mark.parametrize(
    ("filters", "hears"),
    [
        ({"calendars": ["cal_1"]}, True),
        ({"calendars": ["cal_2"]}, False),
        ({"connections": ["con_1"]}, True),
        ({"connections": ["con_2"]}, False),
        ({"users": ["ada"]}, True),
        ({"users": ["bob"]}, True),
        ({"users": ["cyd"]}, True),  # who hosts it
        ({"users": ["eve"]}, False),
    ],
)
async def test_an_endpoint_hears_of_what_stands_where_it_asked(
    stage: Stage, filters: dict[str, Any], hears: bool
) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, filters=filters)
    meeting = await standing(stage)
    await stage.keep(ask_of(meeting, host="cyd"))

    await stage.announce(meeting)

    assert await stage.waiting(endpoint) == int(hears)


async def test_who_heard_of_a_meeting_hears_that_it_was_torn_down(stage: Stage) -> None:
    endpoint, _ = await stage.endpoint(NOWHERE, filters={"calendars": ["cal_1"]})
    meeting = await standing(stage)
    await stage.announce(meeting)
    gone = meeting.model_copy(update={"conference": None, "written": ()})

    await tell(stage, gone, torn_down(stage, gone))
    forgotten = await stage.runtime.store.index.get(stage.tenant, PLACES, meeting.id)

    assert await stage.waiting(endpoint) == 2
    assert forgotten is None


async def test_where_nobody_asks_for_places_none_are_kept(stage: Stage) -> None:
    await stage.endpoint(NOWHERE)
    meeting = await standing(stage)

    await stage.announce(meeting)

    assert await stage.runtime.store.index.size(stage.tenant, PLACES) == 0


async def test_a_link_is_heard_of_by_its_id_and_its_user(stage: Stage) -> None:
    by_id, _ = await stage.endpoint(NOWHERE, filters={"connections": ["con_1"]})
    by_user, _ = await stage.endpoint(NOWHERE, filters={"users": ["ada"]})
    other, _ = await stage.endpoint(NOWHERE, filters={"users": ["bob"]})

    await tell(stage, await link(stage, "con_1", user="ada"), of_link(stage, "con_1"))

    assert [await stage.waiting(one) for one in (by_id, by_user, other)] == [1, 1, 0]


def of_link(stage: Stage, name: str) -> Callback:
    data = ConnectionData(
        tenant=stage.tenant,
        subject=name,
        sequence=1,
        cause=Cause(by="provider"),
        trace_id="tr_1",
        connection=name,
        provider="jitsi",
    )
    return Callback(type=CallbackType.CONNECTION_REVOKED, data=data)


def of_endpoint(stage: Stage, name: str) -> Callback:
    data = EndpointData(
        tenant=stage.tenant,
        subject=name,
        sequence=1,
        cause=Cause(by="worker"),
        trace_id="tr_1",
        endpoint=name,
        reason="no",
    )
    return Callback(type=CallbackType.ENDPOINT_FAILING, data=data)


async def many(stage: Stage) -> list[Endpoint]:
    return [(await stage.endpoint(NOWHERE))[0] for _ in range(20)]


async def fanned_out(stage: Stage, subject: str) -> None:
    lanes = stage.runtime.store.lanes
    claimed = await claim(stage, Lane(stage.tenant, "callback", f"fanout/{subject}"))
    await lanes.commit(claimed, await fire_callback(claimed, stage.runtime))


async def test_news_of_a_link_reach_more_endpoints_than_a_commit_holds(stage: Stage) -> None:
    endpoints = await many(stage)

    await tell(stage, await link(stage, "con_1"), of_link(stage, "con_1"))
    await fanned_out(stage, "con_1")

    assert [await stage.waiting(one) for one in endpoints] == [1] * 20


async def test_news_of_an_endpoint_reach_all_others(stage: Stage) -> None:
    endpoints = await many(stage)
    ailing = endpoints[0]

    await tell(stage, ailing, of_endpoint(stage, ailing.id))
    await fanned_out(stage, ailing.id)

    assert [await stage.waiting(one) for one in endpoints] == [0] + [1] * 19


@pytest.mark.parametrize(("gone", "hear"), [(False, 1), (True, 0)])
async def test_what_an_earlier_release_announced_is_told_by_where_it_stands_now(
    stage: Stage, gone: bool, hear: int
) -> None:
    endpoints = await many(stage)
    one = await link(stage, "con_1")
    unit, now = Unit(), stage.runtime.now()
    callbacks = [of_link(stage, "con_1")]
    await announce_into(unit, stage.runtime, stage.tenant, callbacks, about=one, now=now)
    unit.bodies = [body for body in unit.bodies if not body.name.startswith("about/")]
    await stage.runtime.store.lanes.submit(stage.tenant, unit)
    if gone:
        stored = await stage.connection("con_1")
        await stage.runtime.store.documents.drop(stage.tenant, stored)

    await fanned_out(stage, "con_1")

    assert [await stage.waiting(one) for one in endpoints] == [hear] * 20


async def test_many_who_heard_of_a_meeting_hear_that_it_was_torn_down(stage: Stage) -> None:
    filters = {"calendars": ["cal_1"]}
    endpoints = [(await stage.endpoint(NOWHERE, filters=filters))[0] for _ in range(20)]
    meeting = await standing(stage)
    await stage.announce(meeting)
    gone = meeting.model_copy(update={"conference": None, "written": ()})

    await tell(stage, gone, torn_down(stage, gone))
    while not await stage.idle("callback", f"fanout/{meeting.id}"):
        await fanned_out(stage, meeting.id)

    assert [await stage.waiting(one) for one in endpoints] == [2] * 20


async def test_a_fan_out_without_its_body_is_dropped(stage: Stage) -> None:
    lane = Lane(stage.tenant, "callback", "fanout/con_1")
    said = FanOut(callback="cb_gone", subject="con_1")
    item = Item("it_1", write_load(said))
    await stage.runtime.store.lanes.post(Post(lane, item))

    await fanned_out(stage, "con_1")

    assert await stage.idle("callback", lane.subject)


async def test_what_no_release_fanned_out_is_set_aside(stage: Stage) -> None:
    lane = Lane(stage.tenant, "callback", "fanout/con_1")
    await stage.runtime.store.lanes.post(Post(lane, Item("it_1", b"not ours")))

    await fanned_out(stage, "con_1")

    assert await stage.idle("callback", lane.subject)


async def test_a_room_of_the_house_that_nobody_knows_is_left_empty(stage: Stage) -> None:
    lane = Lane(stage.tenant, "house", "attic/1")
    await stage.runtime.store.lanes.post(Post(lane, Item("it_1", b"{}")))

    async with stage.at_work("house"):
        await until(lambda: stage.idle("house", lane.subject))

    state = await stage.runtime.store.lanes.state(lane)
    assert (state.depth, state.parked) == (0, None)
