"""Who sees which meeting, why it stands as it does, and what happened to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from infra.lanes import Entry, Unit
from infra.store import Store
from schemas.events import Slot
from schemas.meetings import Meeting, meeting_id
from schemas.people import Scope
from schemas.policy import Wish
from schemas.timeline import TimelineEntry
from tests.api.meeting_lane import NOW, provision, take_lane
from tests.api.stage import MEETING, MakePartner, kind_of


async def test_applications_do_not_see_each_other_s_meetings(make_partner: MakePartner) -> None:
    one, two = await make_partner(), await make_partner()
    whole = await make_partner("acme", *Scope)
    id_ = (await one.put("/v1/meetings/interview-1", json=MEETING)).json()["id"]

    for name in (id_, "interview-1"):
        answer = await two.get(f"/v1/meetings/{name}")
        assert (answer.status_code, kind_of(answer)) == (404, "not-found")
    assert (await two.delete(f"/v1/meetings/{id_}")).status_code == 404
    assert (await two.get(f"/v1/meetings/{id_}/explain")).status_code == 404
    assert (await two.get(f"/v1/meetings/{id_}/timeline")).status_code == 404
    assert (await whole.get(f"/v1/meetings/{id_}")).json()["external_id"] == "interview-1"


async def test_the_same_external_id_of_two_applications_is_two_meetings(
    make_partner: MakePartner,
) -> None:
    one, two = await make_partner(), await make_partner()

    ids = [(await app.put("/v1/meetings/x", json=MEETING)).json()["id"] for app in (one, two)]

    assert ids[0] != ids[1]


async def test_a_calendar_s_meeting_is_seen_tenant_wide_only(
    make_partner: MakePartner, store: Store
) -> None:
    own, whole = await make_partner(), await make_partner("acme", *Scope)
    id_ = meeting_id("acme", "calendar", "uid-1@google.com")
    slot = Slot(title="Team", starts_at=NOW, ends_at=NOW.replace(hour=1))
    meeting = Meeting(
        id=id_,
        origin="calendar",
        identity="uid-1@google.com",
        wish=Wish(slot=slot, connection="con_zoom"),
        created_at=NOW,
        changed_at=NOW,
    )
    await store.documents.put("acme", meeting)

    answer = await whole.get(f"/v1/meetings/{id_}")

    assert (await own.get(f"/v1/meetings/{id_}")).status_code == 404
    assert (answer.json()["ical_uid"], answer.json()["title"]) == ("uid-1@google.com", "Team")
    assert (await whole.delete(f"/v1/meetings/{id_}")).status_code == 404


async def test_explain_says_where_a_meeting_stands_and_why(
    partner: httpx.AsyncClient, store: Store
) -> None:
    await partner.put("/v1/meetings/interview-1", json={**MEETING, "conferencing": "default"})
    waiting = (await partner.get("/v1/meetings/interview-1/explain")).json()
    await provision(store)
    done = (await partner.get("/v1/meetings/interview-1/explain")).json()

    assert waiting["facts"]["lane"]["waiting"] == 1
    assert waiting["sentences"][0] == "The meeting is pending: no worker has looked at it yet."
    assert "The meeting is provisioned: the application asks for it." in done["sentences"]
    assert any("85746065" in sentence for sentence in done["sentences"])
    assert done["facts"]["wanted"] == done["facts"]["conference"]["shown"]
    assert MEETING["title"] not in str(done)
    assert "https://" not in str(done)


async def test_explain_tells_of_work_that_fails(partner: httpx.AsyncClient, store: Store) -> None:
    await partner.put("/v1/meetings/interview-1", json=MEETING)
    claimed = await take_lane(store)
    await store.lanes.commit(claimed, Unit(failed=True, not_before=timedelta(minutes=5)))

    said = (await partner.get("/v1/meetings/interview-1/explain")).json()

    assert said["facts"]["lane"]["failures"] == 1
    assert any(each.startswith("Work on it failed 1 times") for each in said["sentences"])


async def test_a_timeline_is_read_in_order_and_in_pages(
    partner: httpx.AsyncClient, store: Store
) -> None:
    id_ = (await partner.put("/v1/meetings/interview-1", json=MEETING)).json()["id"]
    claimed = await take_lane(store)
    names = ["event.seen", "conference.provisioned", "callback.attempted"]
    entries = [TimelineEntry(at=datetime.now(UTC), what=name) for name in names]
    logs = [
        Entry(f"timeline/{id_}", entry.model_dump_json().encode(), timedelta(days=1))
        for entry in entries
    ]
    await store.lanes.commit(claimed, Unit(handled=[claimed.items[0].id], logs=logs))

    path = "/v1/meetings/interview-1/timeline"
    first = (await partner.get(path, params={"limit": 2})).json()
    rest = (await partner.get(path, params={"after": first["next"]})).json()

    assert [each["what"] for each in first["items"] + rest["items"]] == names
    assert rest["next"] is None
    assert (await partner.get(path, params={"after": "x"})).status_code == 422
