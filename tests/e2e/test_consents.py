"""What a person left out at the consent page is noticed before a link is kept, and named."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.cli.moving_in import NoConsent, consent
from infra.cli.rehearsal import Rehearsal
from tests.e2e.household import Household
from tests.e2e.office import Office, opened


@pytest_asyncio.fixture(loop_scope="session")
async def office(house: Rehearsal) -> AsyncIterator[Office]:
    async with opened(house) as office:
        yield office


async def test_a_consent_without_the_events_permission_is_noticed_and_said(home: Household) -> None:
    """S3-21: the box “see, create, change, and delete events” was left empty."""
    events = "https://www.googleapis.com/auth/calendar.events"
    before = (await home.api.get("/v1/connections"))["items"]
    left = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
    await home.sandbox.google.consent(account=home.ada, scopes=left)

    with pytest.raises(NoConsent, match=f"did not grant {events}") as refused:
        await consent(home.api, home.clients["google"], back=home.partner.url)

    await home.sandbox.google.consent(scopes=None)
    assert "box" in str(refused.value)
    assert (await home.api.get("/v1/connections"))["items"] == before


async def test_a_consent_without_access_to_the_calendar_names_what_is_missing(
    office: Office,
) -> None:
    await office.sandbox.graph.consent(account=office.ada, scopes="User.Read offline_access")
    ours = {"provider": "graph", "client_id": "sandbox-graph", "secret": "graph-secret"}
    client = (await office.api.post("/v1/clients", ours))["id"]

    with pytest.raises(NoConsent, match=r"did not grant Calendars\.ReadWrite"):
        await consent(office.api, client, back=office.partner.url)

    await office.sandbox.graph.consent(scopes=None)
    linked = await consent(office.api, client, back=office.partner.url)
    assert (await office.api.get(f"/v1/connections/{linked}"))["missing_scopes"] == []
