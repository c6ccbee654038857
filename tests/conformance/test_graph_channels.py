"""How a subscription of Microsoft Graph is made, renewed and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra import certificates
from infra.certificates import Certificates
from infra.errors import Refused
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from tests.conformance.graph import AtGraph, at_graph
from workers.providers import calendars


@pytest.fixture
async def graph(sandbox: Sandbox, wire: Wire) -> AtGraph:
    return await at_graph(sandbox, wire)


async def test_a_channel_is_renewed_and_one_that_is_gone_is_not(graph: AtGraph) -> None:
    name = await graph.watch()

    renewed = await graph.port.renew(graph.access, channel="c", resource=name)
    await graph.sandbox.graph.drop_subscription(name)
    gone = await graph.port.renew(graph.access, channel="c", resource=name)

    assert renewed is not None
    assert renewed.expires_at - datetime.now(UTC) > timedelta(days=6)
    assert gone is None


async def test_where_a_week_is_too_long_three_days_are_asked_for(graph: AtGraph) -> None:
    await graph.sandbox.graph.settings(subscription_life_s=4_230 * 60.0)

    opened = await graph.port.watch(
        graph.access, graph.calendar, channel="c", address="http://127.0.0.1:9/", token="t"
    )

    assert opened.expires_at - datetime.now(UTC) < timedelta(days=3)


async def test_a_twin_of_somebody_else_is_left_alone(graph: AtGraph) -> None:
    ours, theirs = "http://127.0.0.1:9/hooks/graph/us.1", "http://127.0.0.1:9/hooks/graph/them.1"
    await graph.port.watch(graph.access, graph.calendar, channel="c", address=theirs, token="t")

    with pytest.raises(Refused) as raised:
        await graph.port.watch(graph.access, graph.calendar, channel="c", address=ours, token="t")

    assert "already" in raised.value.reason
    (left,) = await graph.sandbox.graph.subscriptions()
    assert left["notificationUrl"] == theirs


@pytest.fixture
async def telling(sandbox: Sandbox, wire: Wire, tmp_path: Path) -> AtGraph:
    """A client whose subscriptions ask for content."""
    certificates.make(tmp_path / "content.pem", now=datetime.now(UTC))
    return await at_graph(sandbox, wire, Certificates.load(tmp_path / "content.pem"))


def again(graph: AtGraph, wire: Wire, certified: Certificates | None) -> AtGraph:
    """The same mailbox after a restart with these certificates."""
    other = calendars(wire, lambda: datetime.now(UTC), certified)["graph"]
    return replace(graph, port=other)


async def test_content_is_asked_for_by_the_version_alone_and_for_a_day(telling: AtGraph) -> None:
    await telling.watch()

    (made,) = await telling.sandbox.graph.subscriptions()
    left = datetime.fromisoformat(str(made["expirationDateTime"])) - datetime.now(UTC)
    assert made["includeResourceData"] is True
    assert str(made["resource"]).endswith("/events?$select=id,changeKey")
    assert timedelta(hours=23) < left <= timedelta(hours=24)


async def test_a_twin_that_asks_for_content_is_found_by_listing(telling: AtGraph) -> None:
    address = "http://127.0.0.1:9/hooks/graph/us."
    for number in (1, 2):
        await telling.port.watch(
            telling.access, telling.calendar, channel="c", address=f"{address}{number}", token="t"
        )

    (left,) = await telling.sandbox.graph.subscriptions()
    assert left["notificationUrl"] == f"{address}2"


async def test_a_new_certificate_is_named_when_a_channel_is_renewed(
    telling: AtGraph, wire: Wire, tmp_path: Path
) -> None:
    name = await telling.watch()
    made = certificates.make(tmp_path / "content.pem", now=datetime.now(UTC))
    restarted = again(telling, wire, Certificates.load(tmp_path / "content.pem"))

    renewed = await restarted.port.renew(restarted.access, channel="c", resource=name)
    calls = await telling.sandbox.calls("graph.renew")
    await restarted.port.renew(restarted.access, channel="c", resource=name)

    (now,) = await telling.sandbox.graph.subscriptions()
    assert renewed is not None
    assert now["encryptionCertificateId"] == made.id
    assert (calls, await telling.sandbox.calls("graph.renew")) == (2, 3)  # once it is known, one


async def test_the_switch_is_seen_at_the_next_renewal_whichever_way_it_goes(
    telling: AtGraph, wire: Wire, tmp_path: Path
) -> None:
    name = await telling.watch()
    off = again(telling, wire, None)

    kept = await off.port.renew(off.access, channel="c", resource=name)
    await telling.sandbox.graph.drop_subscription(name)
    plain = await off.watch()
    on = await telling.port.renew(telling.access, channel="c", resource=plain)

    assert (kept, on) == (None, None)
