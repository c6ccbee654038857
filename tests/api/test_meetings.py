"""Meetings: idempotent by the partner's id, atomic with the item that tells of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.store import Store
from schemas.items import Asked, read_load
from schemas.meetings import Ask
from schemas.providers import Role
from tests.api.meeting_lane import provision, take_lane
from tests.api.stage import MEETING, LinkUp, kind_of

NOW = datetime(2027, 1, 1, tzinfo=UTC)


async def test_a_meeting_is_pending_until_a_worker_has_looked(
    partner: httpx.AsyncClient,
) -> None:
    put = await partner.put("/v1/meetings/interview-1", json=MEETING)
    read = await partner.get("/v1/meetings/interview-1")

    assert put.status_code == 201
    assert read.json() == put.json()
    assert read.json()["status"] == "pending"
    assert read.json()["starts_at"] == "2027-01-05T09:00:00Z"


async def test_the_wish_and_its_item_appear_together(
    partner: httpx.AsyncClient, store: Store
) -> None:
    answer = await partner.put(
        "/v1/meetings/interview-1", json=MEETING, headers={"Tieline-User": "user-7"}
    )

    claimed = await take_lane(store)
    ask = await store.documents.get("acme", Ask, answer.json()["id"])
    (item,) = claimed.items
    load = read_load(item.body)
    assert ask is not None
    assert claimed.lane.subject == ask.id
    assert isinstance(load, Asked)
    assert load.actor == ask.actor
    assert ask.actor.on_behalf_of == "user-7"
    assert load.trace == answer.headers["tieline-trace"]


async def test_a_meeting_may_be_led_by_its_conference_where_we_hear_of_changes(
    partner: httpx.AsyncClient, link_up: LinkUp
) -> None:
    zoom, jitsi = [await link_up(Role.CONFERENCING, name) for name in ("zoom", "jitsi")]
    led = {**MEETING, "source_of_truth": "conference"}

    put = await partner.put("/v1/meetings/a", json={**led, "conferencing": {"connection": zoom}})
    no = await partner.put("/v1/meetings/b", json={**led, "conferencing": {"connection": jitsi}})

    assert (put.status_code, put.json()["source_of_truth"]) == (201, "conference")
    assert (no.status_code, no.json()["errors"][0]["field"]) == (422, "source_of_truth")


async def test_the_same_put_again_writes_nothing(partner: httpx.AsyncClient, store: Store) -> None:
    first = await partner.put("/v1/meetings/interview-1", json=MEETING)
    same = {**MEETING, "starts_at": "2027-01-05T09:00:00Z"}  # another spelling of the moment
    again = await partner.put("/v1/meetings/interview-1", json=same)

    claimed = await take_lane(store)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["etag"] == again.headers["etag"] == '"1"'
    assert len(claimed.items) == 1


async def test_a_put_changes_the_meeting(partner: httpx.AsyncClient, store: Store) -> None:
    await partner.put("/v1/meetings/interview-1", json=MEETING)
    moved = {**MEETING, "ends_at": "2027-01-05T12:00:00+01:00"}
    answer = await partner.put("/v1/meetings/interview-1", json=moved)

    claimed = await take_lane(store)
    assert answer.status_code == 200
    assert answer.json()["ends_at"] == "2027-01-05T11:00:00Z"
    assert answer.headers["etag"] == '"2"'
    assert len(claimed.items) == 2


async def test_many_puts_at_once_all_succeed_and_the_last_one_stands(
    partner: httpx.AsyncClient, store: Store
) -> None:
    bodies = [{**MEETING, "title": f"Interview {n}"} for n in range(4)]

    answers = await asyncio.gather(
        *(partner.put("/v1/meetings/interview-1", json=body) for body in bodies)
    )

    ask = await store.documents.get("acme", Ask, answers[0].json()["id"])
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert ask is not None
    assert ask.rev == 4


async def test_an_outdated_put_is_refused(partner: httpx.AsyncClient) -> None:
    etag = (await partner.put("/v1/meetings/one", json=MEETING)).headers["etag"]
    other = {**MEETING, "title": "Other"}

    first = await partner.put("/v1/meetings/one", json=other, headers={"If-Match": etag})
    second = await partner.put("/v1/meetings/one", json=MEETING, headers={"If-Match": etag})
    gone = await partner.put("/v1/meetings/two", json=MEETING, headers={"If-Match": "*"})

    assert first.status_code == 200
    assert (second.status_code, kind_of(second)) == (412, "changed-meanwhile")
    assert gone.status_code == 412


async def test_a_post_with_a_known_id_is_the_same_meeting_or_refused(
    partner: httpx.AsyncClient, store: Store
) -> None:
    body = {**MEETING, "external_id": "interview-1"}

    first = await partner.post("/v1/meetings", json=body)
    again = await partner.post("/v1/meetings", json=body)
    other = await partner.post("/v1/meetings", json={**body, "title": "Other"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (other.status_code, kind_of(other)) == (409, "different-body")
    assert "PUT /v1/meetings/interview-1" in other.json()["detail"]
    assert len((await take_lane(store)).items) == 1


async def test_a_cancelled_meeting_is_cancelling_and_a_put_brings_it_back(
    partner: httpx.AsyncClient,
) -> None:
    await partner.put("/v1/meetings/interview-1", json=MEETING)

    cancelled = await partner.delete("/v1/meetings/interview-1")
    again = await partner.delete("/v1/meetings/interview-1")
    posted = await partner.post("/v1/meetings", json={**MEETING, "external_id": "interview-1"})
    back = await partner.put("/v1/meetings/interview-1", json=MEETING)

    assert cancelled.json()["status"] == again.json()["status"] == "cancelling"
    assert cancelled.headers["etag"] == again.headers["etag"]
    assert posted.json()["status"] == "cancelling"
    assert back.json()["status"] == "pending"


async def test_waiting_brings_the_join_link(partner: httpx.AsyncClient, store: Store) -> None:
    work = asyncio.create_task(provision(store))
    body = {**MEETING, "conferencing": "default"}

    answer = await partner.put(
        "/v1/meetings/interview-1", json=body, headers={"Prefer": "respond-async, wait=10"}
    )

    await work
    assert answer.headers["preference-applied"] == "wait=10"
    assert answer.json()["status"] == "provisioned"
    assert answer.json()["join_url"] == "https://zoom.test/j/85746065"
    assert (await partner.get("/v1/meetings/interview-1")).json() == answer.json()


async def test_what_was_made_for_an_older_wish_does_not_count(
    partner: httpx.AsyncClient, store: Store
) -> None:
    body = {**MEETING, "conferencing": "default"}
    await partner.put("/v1/meetings/interview-1", json=body)
    await provision(store)

    moved = await partner.put(
        "/v1/meetings/interview-1", json={**body, "starts_at": "2027-01-05T10:30:00+01:00"}
    )
    pending = (await partner.get("/v1/meetings/interview-1")).json()["status"]
    await provision(store)
    done = (await partner.get("/v1/meetings/interview-1")).json()["status"]

    assert (moved.json()["status"], pending, done) == ("pending", "pending", "provisioned")


async def test_a_cancelled_meeting_shows_no_link(partner: httpx.AsyncClient, store: Store) -> None:
    await partner.put("/v1/meetings/interview-1", json={**MEETING, "conferencing": "default"})
    await provision(store)

    answer = (await partner.delete("/v1/meetings/interview-1")).json()
    await provision(store)
    after = (await partner.get("/v1/meetings/interview-1")).json()

    assert (answer["status"], answer["join_url"]) == ("cancelling", None)
    assert (after["status"], after["join_url"]) == ("cancelled", None)


async def test_a_meeting_is_found_by_either_id(partner: httpx.AsyncClient) -> None:
    id_ = (await partner.put("/v1/meetings/interview-1", json=MEETING)).json()["id"]

    by_ours = await partner.get(f"/v1/meetings/{id_}")

    assert by_ours.json()["external_id"] == "interview-1"


async def test_ids_of_ours_cannot_be_taken(partner: httpx.AsyncClient) -> None:
    put = await partner.put("/v1/meetings/mtg_mine", json=MEETING)
    post = await partner.post("/v1/meetings", json={**MEETING, "external_id": "mtg_mine"})

    assert (put.status_code, post.status_code) == (422, 422)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("ends_at", {"ends_at": MEETING["starts_at"]}),
    ("ends_at", {"ends_at": "2027-01-05T11:00:00"}),
    ("starts_at", {"starts_at": 1_799_139_600}),
    ("starts_at", {"starts_at": "0001-01-01T00:00:00+14:00"}),
    ("timezone", {"timezone": "Mars/Olympus"}),
    ("title", {"title": ""}),
    ("title", {"title": None}),
    ("colour", {"colour": "red"}),
    ("recurrence.0", {"recurrence": ["RRULE:FREQ=DAILY\nDTSTART:1"]}),
]


@pytest.mark.parametrize(("field", "change"), WRONG)
async def test_a_field_that_cannot_be_is_named(
    partner: httpx.AsyncClient, field: str, change: dict[str, Any]
) -> None:
    answer = await partner.put("/v1/meetings/interview-1", json={**MEETING, **change})

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["fault"]


async def test_conferencing_names_a_connection_of_this_tenant(
    partner: httpx.AsyncClient, link_up: LinkUp
) -> None:
    zoom = await link_up(Role.CONFERENCING, "zoom")
    foreign = await link_up(Role.CONFERENCING, "jitsi", tenant="umbrella")

    async def ask_for(connection: str) -> httpx.Response:
        body = {**MEETING, "conferencing": {"connection": connection}}
        return await partner.put(f"/v1/meetings/{connection}", json=body)

    assert (await ask_for(zoom)).status_code == 201
    assert (await ask_for(foreign)).status_code == 422
