"""Drift is reported on both sides and mended within limits, and only what the ledger holds is
touched (B-10): each test loses what the vendors push, so that nobody was told."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.e2e.household import Household, until
from tests.e2e.test_two_way import goto_led_by


async def reconciled(home: Household, connection: str, **wish: object) -> dict[str, Any]:
    told: dict[str, Any] = await home.api.post(f"/v1/connections/{connection}/reconcile", wish)
    return told


def kinds(report: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["kind"] for one in report["items"]}


@asynccontextmanager
async def unheard(home: Household) -> AsyncIterator[None]:
    """No push arrives while the block lasts."""
    await _lose(home, 1.0)
    try:
        yield
    finally:
        await _lose(home, 0.0)


async def _lose(home: Household, part: float) -> None:
    await home.sandbox.manners("google", drop=part)
    await home.sandbox.manners("zoom", drop=part)


async def writes(home: Household) -> tuple[int, int]:
    return await home.sandbox.writes("google"), await home.sandbox.writes("zoom")


async def test_drift_at_zoom_is_reported_and_mended_and_the_foreign_is_left(
    home: Household,
) -> None:
    made: dict[str, int] = {}
    for title in ("Kept", "Deleted", "Renamed"):
        await home.provisioned(title)
        made = {one.topic: one.id for one in await home.conferences()}
    theirs = await home.sandbox.zoom.add_meeting(home.ada, topic="Theirs", type=3)
    copied = await home.sandbox.zoom.add_meeting(
        home.ada, topic="Copied", type=3, agenda="ref tl-ofsomebodyelseentirelyxyz"
    )
    async with unheard(home):
        await home.sandbox.zoom.delete_meeting(made["Deleted"])
        await home.sandbox.zoom.change_meeting(made["Renamed"], topic="Talk")
    before = await writes(home)

    dry = await reconciled(home, home.zoom)
    after = await writes(home)
    await reconciled(home, home.zoom, apply=True)

    async def mended() -> bool:
        topics = sorted(one.topic for one in await home.conferences())
        return topics == ["Copied", "Deleted", "Kept", "Renamed", "Theirs"]

    await until(mended, "the repair")
    await home.rests()
    again = await reconciled(home, home.zoom)
    assert kinds(dry) == {
        str(made["Deleted"]): "missing",
        str(made["Renamed"]): "stale",
        str(theirs.id): "foreign",
        str(copied.id): "orphaned",
    }
    assert dry["counts"] == {"missing": 1, "stale": 1, "foreign": 1, "orphaned": 1}
    assert before == after, "a dry run writes nothing"
    assert kinds(again) == {str(theirs.id): "foreign", str(copied.id): "orphaned"}
    for untouched in (theirs, copied):
        assert await home.sandbox.calls("zoom.delete", str(untouched.id)) == 0
        assert await home.sandbox.calls("zoom.update", str(untouched.id)) == 0


async def test_an_orphan_that_could_not_be_torn_down_is_listed_and_removed(
    home: Household,
) -> None:
    event, meeting = await home.provisioned()
    (conference,) = await home.conferences()
    no = {"code": 300, "message": "not today"}
    await home.sandbox.fault("zoom.delete", "before", status=400, body=no)
    await home.sandbox.google.cancel_event(home.calendar, event.id)
    await home.hears("meeting.failed")

    dry = await reconciled(home, home.zoom)
    there = len(await home.conferences())
    await reconciled(home, home.zoom, apply=True)

    async def gone() -> bool:
        return await home.conferences() == []

    await until(gone, "the orphan's end")
    await home.hears("meeting.torn_down")
    (row,) = dry["items"]
    assert (row["kind"], row["id"], row["meeting"]) == ("orphaned", str(conference.id), meeting)
    assert (row["held"], row["mended"], there) == (True, False, 1)
    assert (await reconciled(home, home.zoom))["items"] == []
    assert "meeting.drifted" in [one["what"] for one in await home.timeline(meeting)]


async def test_no_more_is_mended_than_was_allowed(home: Household) -> None:
    for title in ("One", "Two"):
        await home.provisioned(title)
    async with unheard(home):
        for one in await home.conferences():
            await home.sandbox.zoom.delete_meeting(one.id)

    report = await reconciled(home, home.zoom, apply=True, limit=1)

    async def one_is_back() -> bool:
        return len(await home.conferences()) == 1

    await until(one_is_back, "the repair")
    await home.rests()
    assert [one["mended"] for one in report["items"]] == [True, False]
    assert len(await home.conferences()) == 1


async def test_drift_in_a_calendar_is_reported_and_mended_and_copies_are_left(
    home: Household,
) -> None:
    event, _ = await home.provisioned()
    shown = await home.shown(event)
    written = ("location", "description", "extendedProperties")
    kept: dict[str, Any] = {name: shown.doc[name] for name in written}
    google = home.sandbox.google
    async with unheard(home):
        copied = await google.add_event(home.calendar, title="Copy", **kept)
        theirs = await google.add_event(
            home.calendar, title="Theirs", location="https://meet.goto.com/123456789"
        )
        await google.change_event(
            home.calendar, event.id, location="Zoom", description="", extendedProperties=None
        )

    dry = await reconciled(home, home.google)
    await reconciled(home, home.google, apply=True)

    async def back() -> bool:
        return await home.join_link_resolves(event)

    await until(back, "the link")
    assert kinds(dry) == {event.id: "missing", copied.id: "orphaned", theirs.id: "foreign"}
    assert [one["held"] for one in dry["items"]] == [True, False, False]
    assert (await home.shown(theirs)).location == "https://meet.goto.com/123456789"


async def test_drift_at_goto_is_reported_and_mended(home: Household) -> None:
    there = await goto_led_by(home, "calendar")
    await home.provisioned(location="GoTo")
    number, subject, at = await there.conference()
    await home.sandbox.goto.rename_meeting(number, "Talk")

    dry = await reconciled(home, there.connection)
    await reconciled(home, there.connection, apply=True)

    async def back() -> bool:
        return await there.conference() == (number, subject, at)

    await until(back, "the title")
    assert kinds(dry) == {str(number): "stale"}
    assert (await reconciled(home, there.connection))["items"] == []


async def test_the_terminal_reports_and_mends(home: Household) -> None:
    await home.provisioned()
    (conference,) = await home.conferences()
    async with unheard(home):
        await home.sandbox.zoom.delete_meeting(conference.id)

    _, dry = await tieline(home, "reconcile", home.zoom)
    code, told = await tieline(home, "reconcile", home.zoom, "--apply", "--limit", "5")
    wrong, _ = await tieline(home, "reconcile", "con_000000000000000000000000")

    async def back() -> bool:
        return len(await home.conferences()) == 1

    await until(back, "the conference")
    assert [(one["kind"], one["mended"]) for one in dry["items"]] == [("missing", False)]
    assert (code, [one["mended"] for one in told["items"]]) == (0, [True])
    assert wrong == 1


async def tieline(home: Household, *words: str) -> tuple[int, Any]:
    """Run a command as a process; its exit code and what it printed."""
    where = ["--address", home.house.api, "--key", home.key, "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from infra.cli import main; main()", *where, *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out) if out else None
