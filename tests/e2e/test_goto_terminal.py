"""A linked account from the command line, as a process, over the API."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, draft, incorporated


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


async def tieline(corp: Corporation, *words: str) -> tuple[int, Any, str]:
    """Run a command; its exit code, what it printed and what it complained about."""
    where = ["--address", corp.house.api, "--key", corp.key, "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from infra.cli import main; main()", *where, *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, json.loads(out) if out else None, err.decode()


async def test_an_organizers_key_is_found_by_address(corp: Corporation) -> None:
    code, told, _ = await tieline(corp, "organizers", "list", corp.admin, "--email", corp.bob_at)

    assert code == 0
    assert [row["key"] for row in told] == [corp.bob]


async def test_organizers_are_suspended_and_activated(corp: Corporation) -> None:
    _, suspended, _ = await tieline(corp, "organizers", "suspend", corp.admin, corp.bob)
    _, active, _ = await tieline(corp, "organizers", "activate", corp.admin, corp.bob)

    assert (suspended["state"], active["state"]) == ("suspended", "active")


async def test_conferences_are_listed_shown_and_deleted(corp: Corporation) -> None:
    made = await corp.api.post(corp.of("conferences"), draft())

    _, listed, _ = await tieline(corp, "conferences", "list", corp.admin)
    _, shown, _ = await tieline(corp, "conferences", "show", corp.admin, made["id"])
    _, removed, _ = await tieline(corp, "conferences", "delete", corp.admin, made["id"])
    code, _, words = await tieline(corp, "conferences", "show", corp.admin, made["id"])

    assert [row["id"] for row in listed] == [made["id"]]
    assert shown["title"] == made["title"]
    assert removed["code"] == 204
    assert (code, "no more" in words) == (1, True)


async def test_history_is_asked_for_between_two_moments(corp: Corporation) -> None:
    await corp.held(corp.ada)
    span = ["2026-01-01T00:00:00Z", "2027-12-31T00:00:00Z"]

    code, told, _ = await tieline(corp, "conferences", "history", corp.admin, *span)

    assert (code, len(told)) == (0, 1)
