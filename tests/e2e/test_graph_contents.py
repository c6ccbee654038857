"""A house whose operator switched contents on: from the certificate to what need not be read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from infra.cli import app
from infra.cli.rehearsal import Rehearsal, rehearsing
from tests.e2e.office import opened
from tests.e2e.tenancy import tomorrow, until


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def telling(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rehearsal]:
    """Everything up, with a certificate for contents."""
    home = tmp_path_factory.mktemp("telling")
    made = CliRunner().invoke(app, ["certificate", str(home / "content.pem")])
    assert made.exit_code == 0
    settings = {"TIELINE_CONTENT_KEY_FILE": str(home / "content.pem")}
    async with rehearsing(home, settings=settings) as house:
        yield house


async def outcomes(house: Rehearsal) -> dict[str, int]:
    """What became of contents, as the worker counts it."""
    async with httpx.AsyncClient(trust_env=False) as http:
        figures = (await http.get(f"{house.worker}/metrics")).text
    return {
        sample.labels["outcome"]: int(sample.value)
        for family in text_string_to_metric_families(figures)
        for sample in family.samples
        if sample.name == "tieline_notification_contents_total"
    }


async def test_a_meeting_lives_by_contents_and_what_is_known_is_not_read_again(
    telling: Rehearsal,
) -> None:
    async with opened(telling) as office:
        event, meeting = await office.provisioned()
        (subscription,) = await office.sandbox.graph.subscriptions()
        told = await outcomes(telling)
        await office.sandbox.manners("graph", drop=1.0)
        await office.sandbox.graph.move_event(office.mailbox, event.id, starts=tomorrow(3))
        await office.sandbox.settled()
        await office.sandbox.manners("graph", drop=0.0)
        await office.sandbox.graph.lifecycle(str(subscription["id"]), "missed")
        moved = await office.hears("meeting.rescheduled")
        await office.rests()
        before = await outcomes(telling)

        await office.sandbox.graph.notify(office.mailbox)

        async def known() -> bool:
            return (await outcomes(telling)).get("known", 0) > before.get("known", 0)

        await until(known, "what is known")
        after = await outcomes(telling)

    assert subscription["includeResourceData"] is True
    assert told["news"] >= 1
    assert moved["meeting"]["id"] == meeting
    assert set(after) == {"known", "news"}
    assert after["news"] == before["news"]


async def test_what_is_not_believed_moves_the_conference_all_the_same(telling: Rehearsal) -> None:
    async with opened(telling) as office:
        event, _ = await office.provisioned()
        await office.sandbox.graph.settings(spoilt="signature")
        try:
            await office.sandbox.graph.move_event(office.mailbox, event.id, starts=tomorrow(5))
            await office.hears("meeting.rescheduled")
        finally:
            await office.sandbox.graph.settings(spoilt="")
        (conference,) = await office.at_zoom()

    assert conference.doc["start_time"] == f"{tomorrow(5):%Y-%m-%dT%H:%M:%SZ}"
    assert (await outcomes(telling))["bad_signature"] >= 1
