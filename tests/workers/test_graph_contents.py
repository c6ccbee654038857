"""Does the content of a notification spare a reading, and only one that would show nothing?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.lanes import Item, Lane, Post
from infra.sandbox.client import Sandbox
from schemas.items import ContentTold, WatchChanged, write_load
from schemas.meetings import Written
from tests.workers.stage import Stage, until
from tests.workers.telling import PLACE, Told, Watched, switched_on, untold, watching
from tests.workers.test_graph_lane import watch
from tests.workers.watching import mark, reading_of, was_read
from workers.runtime import Runtime


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def runtime(runtime: Runtime, told: Told, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with switched_on(runtime, told, tmp_path) as telling:
        yield telling


@pytest.fixture
async def watched(stage: Stage, sandbox: Sandbox, told: Told) -> AsyncIterator[Watched]:
    async with watching(stage, sandbox, told) as watched:
        yield watched


async def test_a_version_that_we_hold_is_not_read_again(watched: Watched) -> None:
    before = await watched.readings()

    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles("known")

    assert watched.told.outcomes == {"known": 1}
    assert await watched.readings() == before
    lane = Lane(watched.stage.tenant, "calendar", watched.calendar.id)
    state = await watched.stage.runtime.store.lanes.state(lane)
    assert "look_again" not in state.timers


async def test_a_version_that_is_new_is_read(watched: Watched) -> None:
    await watched.sandbox.graph.change_event(watched.mailbox, watched.event, subject="Another")

    async def seen() -> bool:
        return (await watched.sighting()).event.slot.title == "Another"

    await until(seen)
    await watched.settles("news")
    assert watched.told.outcomes == {"news": 1}


async def test_an_event_that_we_never_saw_is_read(watched: Watched) -> None:
    marked = (await reading_of(watched.stage, watched.calendar)).marked

    await watched.sandbox.graph.add_event(watched.mailbox, title="Standup", location=PLACE)
    await watched.settles("news")

    reading = await reading_of(watched.stage, watched.calendar)
    assert reading.marked == marked  # nothing but the content led there
    (one,) = reading.subscriptions
    assert one.heard_at is not None


async def test_the_echo_of_our_own_write_is_not_read(watched: Watched) -> None:
    sighting, before = await watched.sighting(), await watched.readings()
    async with untold(watched):
        await watched.sandbox.graph.change_event(watched.mailbox, watched.event, subject="Ours")
        written = Written(
            calendar=watched.calendar.id,
            event=watched.event,
            join_url="https://zoom.us/j/1",
            etags=(sighting.event.etag, await watched.etag()),
        )
        await watched.stage.meeting(id=sighting.meeting, written=(written,))

    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles("known")

    assert watched.told.outcomes == {"known": 1}
    assert await watched.readings() == before


async def test_a_write_of_ours_over_what_we_did_not_see_is_read(watched: Watched) -> None:
    sighting = await watched.sighting()
    async with untold(watched):
        await watched.sandbox.graph.change_event(watched.mailbox, watched.event, subject="Theirs")
        theirs = await watched.etag()
        await watched.sandbox.graph.change_event(watched.mailbox, watched.event, categories=["a"])
        written = Written(
            calendar=watched.calendar.id,
            event=watched.event,
            join_url="https://zoom.us/j/1",
            etags=(theirs, await watched.etag()),
        )
        await watched.stage.meeting(id=sighting.meeting, written=(written,))

    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles("news")

    assert (await watched.sighting()).event.slot.title == "Theirs"


async def test_a_hint_beside_it_is_read_without_a_look_at_the_content(
    stage: Stage, sandbox: Sandbox, told: Told
) -> None:
    calendar, mailbox = await watch(stage, sandbox)
    await sandbox.graph.add_event(mailbox, title="Interview", location=PLACE)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
    before = await sandbox.calls("graph.list")

    await sandbox.graph.notify(mailbox)
    await sandbox.settled()
    await mark(stage, calendar)
    async with stage.at_work("calendar"):
        await until(lambda: stage.idle("calendar", calendar.id))

    assert await sandbox.calls("graph.list") == before + 1
    assert told.outcomes == {}


@pytest.mark.parametrize(
    "load",
    [
        b"no load of ours",
        write_load(ContentTold(sealed="sealed by nobody")),
        write_load(WatchChanged()),
    ],
)
async def test_whatever_else_lies_there_has_it_read(watched: Watched, load: bytes) -> None:
    before = await watched.readings()
    lane = Lane(watched.stage.tenant, "calendar", watched.calendar.id)

    await watched.stage.runtime.store.lanes.post(Post(lane, Item("it_1", load)))

    await watched.is_read(since=before)
