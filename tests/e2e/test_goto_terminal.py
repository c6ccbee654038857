"""A linked account from the command line, over the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from typer.testing import CliRunner

from infra.cli import app
from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, incorporated
from tests.e2e.tenancy import tomorrow, until


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


async def tieline(corp: Corporation, *words: str) -> tuple[int, Any, str]:
    """Run a command; its exit code, what it printed and what it complained about."""
    code, out, err = await run(corp, "--json", *words)
    return code, json.loads(out) if out else None, err


async def printed(corp: Corporation, *words: str) -> str:
    """What a command shows to people."""
    code, out, err = await run(corp, *words)
    assert (code, err) == (0, "")
    return out


async def run(corp: Corporation, *words: str) -> tuple[int, str, str]:
    """Exit code, output and complaints."""
    where = ["--address", corp.house.api, "--key", corp.key]
    ran = await asyncio.to_thread(CliRunner().invoke, app, [*where, *words])
    return ran.exit_code, ran.stdout, ran.stderr


def span() -> tuple[str, str]:
    """From a week ago until tomorrow."""
    now = datetime.now(UTC)
    since, until = now - timedelta(days=7), now + timedelta(days=1)
    return f"{since:%Y-%m-%dT%H:%M:%SZ}", f"{until:%Y-%m-%dT%H:%M:%SZ}"


def hour(days: int) -> tuple[str, str]:
    """Beginning and end of an hour so many days from now."""
    starts = tomorrow(24 * days)
    ends = starts + timedelta(hours=1)
    return f"{starts:%Y-%m-%dT%H:%M:%SZ}", f"{ends:%Y-%m-%dT%H:%M:%SZ}"


async def test_an_organizers_key_is_found_by_address(corp: Corporation) -> None:
    code, told, _ = await tieline(corp, "organizers", "list", corp.admin, "--email", corp.bob_at)
    _, own, _ = await tieline(corp, "organizers", "show", corp.member, corp.bob)

    assert code == 0
    assert [row["key"] for row in told] == [corp.bob]
    assert own == told[0]


async def test_organizers_are_suspended_and_activated(corp: Corporation) -> None:
    _, suspended, _ = await tieline(corp, "organizers", "suspend", corp.admin, corp.bob)
    _, active, _ = await tieline(corp, "organizers", "activate", corp.admin, corp.bob)

    assert (suspended["state"], active["state"]) == ("suspended", "active")


async def test_people_are_invited_into_a_group_and_deleted(corp: Corporation) -> None:
    both = ["Eve Raju <eve@example.org>", "Fay von Raju <fay@example.org>"]
    _, groups, _ = await tieline(corp, "organizers", "groups", corp.admin)

    into = ("--group", groups[0]["key"], "--product", "G2W")
    _, invited, _ = await tieline(corp, "organizers", "invite", corp.admin, *both, *into)
    _, by_key, _ = await tieline(corp, "organizers", "delete", corp.admin, corp.bob)
    _, by_address, _ = await tieline(corp, "organizers", "delete", corp.admin, "eve@example.org")
    code, _, words = await tieline(corp, "organizers", "invite", corp.admin, "gus@example.org")

    assert [(row["email"], row["state"]) for row in invited] == [
        ("eve@example.org", "pending"),
        ("fay@example.org", "pending"),
    ]
    assert (invited[1]["first_name"], invited[1]["last_name"]) == ("Fay", "von Raju")
    assert {tuple(row["products"]) for row in invited} == {("G2W", "G2M")}
    assert (by_key["code"], by_address["code"]) == (204, 204)
    everybody = await corp.goto.people()
    left = {row["email"]: row["group"] for row in everybody if row["account"] == corp.account}
    assert left["fay@example.org"] == corp.group
    assert left.keys() == {corp.ada_at, "fay@example.org"}
    assert (code, "first name" in words) == (1, True)


async def test_a_conference_is_made_changed_started_and_deleted(corp: Corporation) -> None:
    with_bob = ("--co-organizer", corp.bob_at, "--password", "--call-info", "Free")
    _, made, _ = await tieline(
        corp, "conferences", "create", corp.admin, "Review", *hour(1), *with_bob
    )
    there = await corp.goto.meeting(int(made["id"]))

    later = hour(2)
    path = ("conferences", "update", corp.admin, made["id"], "Second review", *later)
    _, changed, _ = await tieline(corp, *path, "--kind", "scheduled")
    _, listed, _ = await tieline(corp, "conferences", "list", corp.admin)
    _, shown, _ = await tieline(corp, "conferences", "show", corp.admin, made["id"])
    _, link, _ = await tieline(corp, "conferences", "start", corp.admin, made["id"])
    _, removed, _ = await tieline(corp, "conferences", "delete", corp.admin, made["id"])
    code, _, words = await tieline(corp, "conferences", "show", corp.admin, made["id"])

    assert (there["coorganizers"], there["password"], there["call_info"]) == (
        [corp.bob],
        True,
        "Free",
    )
    assert (changed["title"], changed["starts_at"]) == ("Second review", later[0])
    assert [row["id"] for row in listed] == [made["id"]]
    assert shown["title"] == "Second review"
    assert "authorizationCode=" in link["url"]
    assert removed["code"] == 204
    assert (code, "no more" in words) == (1, True)


async def test_a_meeting_of_ours_is_started_and_nobody_was_there_yet(corp: Corporation) -> None:
    starts, ends = hour(1)
    wish = {"title": "Interview", "starts_at": starts, "ends_at": ends}
    await corp.api.put("/v1/meetings/m1", {**wish, "conferencing": {"connection": corp.admin}})
    await corp.partner.waits_for("meeting.provisioned", seconds=60)

    _, link, _ = await tieline(corp, "meetings", "start", "m1")
    code, _, words = await tieline(corp, "meetings", "attendees", "m1")

    assert "authorizationCode=" in link["url"]
    assert (code, "not-found" in words) == (1, True)


async def test_a_conference_waits_for_who_has_not_accepted_yet(corp: Corporation) -> None:
    await corp.goto.add_organizer("eve@example.org", account=corp.account, accepted=False)
    wish = ("conferences", "create", corp.admin, "Review", *hour(1), "--co-organizer")

    refused = await tieline(corp, *wish, "eve@example.org")
    asked, before = corp.house.sandbox.calls, await corp.house.sandbox.calls("goto.organizers")
    async with asyncio.TaskGroup() as together:
        waiting = together.create_task(tieline(corp, *wish, "eve@example.org", "--wait"))

        async def looked_up() -> bool:
            return await asked("goto.organizers") > before

        await until(looked_up, "the question who she is")
        key = await corp.goto.accept("eve@example.org")
    code, made, _ = waiting.result()

    assert (refused[0], "has not accepted" in refused[2]) == (1, True)
    assert (code, made["co_organizers"]) == (0, [key])


async def test_what_was_held_and_who_was_there_is_told_of_anybody(corp: Corporation) -> None:
    mine, bobs = await corp.held(corp.ada), await corp.held(corp.bob, "Standup")
    since, until = span()
    between = ["--since", since, "--until", until]

    code, told, _ = await tieline(corp, "conferences", "history", corp.admin, *span())
    of_bob = ("--organizer", corp.bob)
    _, his, _ = await tieline(corp, "conferences", "history", corp.admin, *span(), *of_bob)
    _, present, _ = await tieline(corp, "conferences", "attendees", corp.admin, str(mine))
    of_all = ("--group", corp.group)
    _, all_, _ = await tieline(corp, "conferences", "attendees", corp.admin, *between, *of_all)

    assert (code, [row["id"] for row in told["items"]]) == (0, [str(mine)])
    assert told["complete_from"] is not None
    assert [row["id"] for row in his["items"]] == [str(bobs)]
    assert [row["name"] for row in present["items"]] == ["Cyd"]
    assert {row["conference"] for row in all_["items"]} == {str(mine), str(bobs)}


async def test_people_read_what_is_known_what_runs_and_what_works(corp: Corporation) -> None:
    runs = await corp.goto.add_meeting(corp.ada, "Running")
    await corp.goto.start_meeting(runs)

    history = await printed(corp, "conferences", "history", corp.admin, *span())
    offers = await printed(corp, "conferences", "offers", corp.member)
    theirs = await printed(corp, "conferences", "list", corp.admin, "--group", corp.group)

    assert "Nothing is missing from" in history
    assert f"{runs} still runs: ask again later." in history
    assert "administrator role" in offers
    assert "Running" in theirs
