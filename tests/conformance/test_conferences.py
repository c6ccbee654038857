"""Each provider in the role `conferencing` joins the suite, and what only it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from typing_extensions import override

from infra.errors import RateLimited, TryLater, Unknown, Vanished
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.meetings import Conference
from schemas.providers import ZOOM
from tests.conformance.conferences import (
    MOVED,
    NOW,
    REFERENCE,
    SERIES,
    SLOT,
    STARTS,
    at,
)
from tests.conformance.conferences_elsewhere import Elsewhere, RoomsElsewhere
from workers.providers import conferences
from workers.providers.zoom.client import PAGES_AT_MOST

HOST = "ada@example.org"


@dataclass
class AtZoom(Elsewhere):
    """Zoom as the sandbox plays it."""

    user: str

    @override
    async def made(self) -> int:
        return len(await self.sandbox.zoom.meetings(self.user))

    @override
    async def delete_there(self, conference: Conference) -> None:
        await self.sandbox.zoom.delete_meeting(int(conference.id))

    @override
    async def move_there(self, conference: Conference) -> None:
        later = f"{MOVED.starts_at:%Y-%m-%dT%H:%M:%SZ}"
        await self.sandbox.zoom.change_meeting(int(conference.id), start_time=later)

    @override
    async def start_there(self, conference: Conference) -> None:
        await self.sandbox.zoom.start_meeting(int(conference.id))

    @override
    async def lose_scopes(self) -> None:
        await self.sandbox.zoom.set_scopes(self.user, "user:read:user")

    @override
    async def expire(self) -> None:
        await self.sandbox.zoom.expire_access(self.user)


async def at_zoom(sandbox: Sandbox, wire: Wire, *, plan: str = "pro") -> AtZoom:
    user = await sandbox.zoom.add_account(HOST, plan=plan)
    scopes = " ".join(ZOOM.oauth.scopes) if ZOOM.oauth else ""
    tokens = await sandbox.zoom.sign_in(user, scopes=scopes)
    access = at(f"{sandbox.url}/zoom/v2", token=tokens.access, host=user)
    port = conferences(wire, lambda: NOW)["zoom"]
    return AtZoom(port, access, sandbox=sandbox, name="zoom", user=user)


class TestZoom(RoomsElsewhere):
    """Zoom joins with the least scopes that the product asks for."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> AtZoom:
        return await at_zoom(sandbox, wire)


@pytest.fixture
async def zoom(sandbox: Sandbox, wire: Wire) -> AtZoom:
    return await at_zoom(sandbox, wire)


async def test_zoom_is_sent_what_it_can_read(zoom: AtZoom) -> None:
    made = await zoom.create(slot=MOVED)

    doc = (await zoom.sandbox.zoom.meeting(int(made.id))).doc
    assert doc["type"] == 2
    assert doc["start_time"] == f"{MOVED.starts_at:%Y-%m-%dT%H:%M:%SZ}"
    assert (doc["timezone"], doc["duration"], doc["topic"]) == ("America/New_York", 60, "Interview")
    assert str(doc["agenda"]).splitlines()[0] == f"ref {REFERENCE}"


async def test_an_instant_goes_out_in_the_one_form_that_zoom_reads_rightly(zoom: AtZoom) -> None:
    """An offset is silently read as UTC (cal.diy#3238)."""
    start = f'"start_time":"{STARTS:%Y-%m-%dT%H:%M:%S}Z"'
    seen = await zoom.sandbox.fault("zoom.create", "after", status=500, match={"body": start})

    with pytest.raises(Unknown):
        await zoom.create()

    assert await zoom.sandbox.hits(seen) == 1


async def test_a_list_without_an_end_is_given_up(zoom: AtZoom) -> None:
    endless = {"meetings": [], "next_page_token": "again"}
    await zoom.sandbox.fault("zoom.list", "before", status=200, body=endless, times=500)

    with pytest.raises(TryLater):
        await zoom.find()

    assert await zoom.sandbox.calls("zoom.list") == PAGES_AT_MOST


async def test_a_series_has_no_fixed_time_at_zoom(zoom: AtZoom) -> None:
    made = await zoom.create(slot=SERIES)

    doc = (await zoom.sandbox.zoom.meeting(int(made.id))).doc
    assert doc["type"] == 3
    assert "start_time" not in doc


async def test_titles_and_spans_that_zoom_would_refuse_are_fitted(zoom: AtZoom) -> None:
    long = SLOT.model_copy(update={"title": "x" * 300, "ends_at": STARTS + timedelta(seconds=90)})
    nameless = SLOT.model_copy(update={"title": "", "ends_at": STARTS})

    one, two = await zoom.create(slot=long), await zoom.create(slot=nameless)

    first = (await zoom.sandbox.zoom.meeting(int(one.id))).doc
    second = (await zoom.sandbox.zoom.meeting(int(two.id))).doc
    assert (len(str(first["topic"])), first["duration"]) == (200, 2)
    assert (second["topic"], second["duration"]) == ("Meeting", 1)
    assert await zoom.port.read(zoom.access, one) == one


@pytest.mark.parametrize(("plan", "said"), [("free", "basic"), ("pro", "licensed")])
async def test_zoom_tells_the_plan_and_the_organisation(
    sandbox: Sandbox, wire: Wire, plan: str, said: str
) -> None:
    joined = await at_zoom(sandbox, wire, plan=plan)

    account = await joined.port.account(joined.access)

    assert (account.plan, account.id) == (said, joined.user)
    assert account.account_id
    assert account.account_id != account.id


async def test_a_used_up_day_at_zoom_ends_at_midnight_utc(zoom: AtZoom) -> None:
    await zoom.sandbox.zoom.use_writes(zoom.user, 100)

    with pytest.raises(RateLimited) as raised:
        await zoom.create()

    until = raised.value.until
    assert (until.hour, until.minute, until.second) == (0, 0, 0)
    assert timedelta(0) < until - datetime.now(UTC) <= timedelta(days=1)
    assert raised.value.scope == f"zoom/{zoom.user}"


async def test_more_meetings_than_a_page_holds_are_looked_through(zoom: AtZoom) -> None:
    for number in range(305):
        await zoom.sandbox.zoom.add_meeting(
            zoom.user, topic=f"{number}", start_time=f"{STARTS:%Y-%m-%dT%H:%M:%SZ}", duration=5
        )
    made = await zoom.create()

    assert await zoom.find() == [made]
    assert await zoom.sandbox.calls("zoom.list") == 2


async def test_a_note_that_only_mentions_a_reference_is_not_ours(zoom: AtZoom) -> None:
    made = await zoom.create()
    await zoom.sandbox.zoom.change_meeting(int(made.id), agenda=f"see ref {REFERENCE} please")

    assert await zoom.find() == []


async def test_a_note_that_somebody_wrote_above_our_line_does_not_hide_it(zoom: AtZoom) -> None:
    made = await zoom.create()
    await zoom.sandbox.zoom.change_meeting(int(made.id), agenda=f"Bring a pen\nref {REFERENCE}")

    assert await zoom.find() == [made]


async def test_a_new_passcode_brings_a_new_join_link(zoom: AtZoom) -> None:
    made = await zoom.create()
    await zoom.sandbox.zoom.change_meeting(int(made.id), password="other1")

    read = await zoom.port.read(zoom.access, made)
    updated = await zoom.port.update(zoom.access, made, MOVED)

    assert read is not None
    assert updated is not None
    assert read.join_url == updated.join_url != made.join_url
    assert read.shown == made.shown


async def test_our_updates_keep_the_line_we_are_found_by(zoom: AtZoom) -> None:
    made = await zoom.create()

    await zoom.port.update(zoom.access, made, MOVED)

    assert [one.id for one in await zoom.find(slot=MOVED)] == [made.id]


async def test_a_meeting_that_has_ended_counts_as_deleted(zoom: AtZoom) -> None:
    made = await zoom.create()
    ended = {"code": 3007, "message": "Sorry, you cannot delete this meeting since it has ended."}
    await zoom.sandbox.fault("zoom.delete", "before", status=400, body=ended)

    await zoom.port.delete(zoom.access, made)


async def test_nobody_starts_what_is_gone(zoom: AtZoom) -> None:
    made = await zoom.create()
    await zoom.delete_there(made)

    with pytest.raises(Vanished):
        await zoom.port.host_link(zoom.access, made)


async def test_a_meeting_without_a_passcode_is_a_meeting(zoom: AtZoom) -> None:
    made = await zoom.create()
    bare = {"id": int(made.id), "join_url": "https://zoom.us/j/1"}
    await zoom.sandbox.fault("zoom.get", "before", status=200, body=bare)

    read = await zoom.port.read(zoom.access, made)

    assert read is not None
    assert read.join_url == "https://zoom.us/j/1"


async def test_a_topic_that_somebody_gave_it_is_another_title(zoom: AtZoom) -> None:
    made = await zoom.create()
    await zoom.sandbox.zoom.change_meeting(int(made.id), topic="Renamed", duration=90)

    read = await zoom.port.read(zoom.access, made)

    ends_at = SLOT.starts_at + timedelta(minutes=90)
    renamed = SLOT.model_copy(update={"title": "Renamed", "ends_at": ends_at})
    assert read is not None
    assert (read.slot, read.shown) == (renamed, renamed.fingerprint)


async def test_a_title_that_zoom_cuts_is_not_another_one(zoom: AtZoom) -> None:
    long = SLOT.model_copy(update={"title": "so long " * 40})
    made = await zoom.create(slot=long)

    read = await zoom.port.read(zoom.access, made)

    assert read == made
    assert made.title == ("so long " * 40)[:200]


async def test_a_series_that_was_given_a_time_shows_no_slot(zoom: AtZoom) -> None:
    made = await zoom.create(slot=SERIES)
    start = f"{STARTS:%Y-%m-%dT%H:%M:%SZ}"
    await zoom.sandbox.zoom.change_meeting(int(made.id), type=2, start_time=start, duration=30)

    read = await zoom.port.read(zoom.access, made)

    assert read is not None
    assert (read.slot, read.shown) == (SERIES, "")


async def test_the_hosts_meetings_are_listed_with_the_references_they_carry(zoom: AtZoom) -> None:
    made = await zoom.create()
    theirs = await zoom.sandbox.zoom.add_meeting(zoom.user, topic="Theirs", type=3)

    listed = {one.id: one for one in await zoom.port.listed(zoom.access) or []}

    ours, foreign = listed[made.id], listed[str(theirs.id)]
    assert (ours.reference, foreign.reference) == (REFERENCE, "")
    assert (ours.title, ours.starts_at, ours.ends_at) == (SLOT.title, SLOT.starts_at, SLOT.ends_at)
    assert (foreign.title, foreign.starts_at, foreign.ends_at) == ("Theirs", None, None)
