"""How a subscription of Microsoft Graph is made, renewed and found again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.errors import Refused
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from tests.conformance.graph import AtGraph, at_graph


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
