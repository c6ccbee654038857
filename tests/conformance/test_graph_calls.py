"""What every call to Microsoft Graph asks for, whoever answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.errors import Vanished
from infra.http.wire import Wire
from tests.machines.peer import peer, says
from workers.ports import Access
from workers.providers.graph.client import Graph

NOW = datetime(2026, 11, 29, tzinfo=UTC)
NOBODY = says("404 Not Found", body=b'{"error": {"code": "ErrorItemNotFound", "message": ""}}')

CALLS: dict[str, Callable[[Graph, Access], Awaitable[Any]]] = {
    "a delta": lambda graph, access: graph.read_page(
        access, "primary", cursor=None, page=None, since=NOW
    ),
    "another calendar": lambda graph, access: graph.read_page(
        access, "team", cursor=None, page=None, since=NOW
    ),
    "a subscription": lambda graph, access: graph.watch(
        access, "primary", channel="c", address="https://tieline.test/hooks/graph/t.r", token="t"
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_ids_that_outlive_a_move_and_times_in_utc_are_asked_for(
    wire: Wire, call: Callable[[Graph, Access], Awaitable[Any]]
) -> None:
    """An id that is not immutable changes when its event is moved to another folder."""
    async with peer(NOBODY) as theirs:
        api = f"http://127.0.0.1:{theirs.port}/v1.0"
        access = Access(connection="con_1", api=api, host="ada", token="token", serial=1)
        with pytest.raises(Vanished):
            await call(Graph(wire, lambda: NOW), access)

    (head,) = theirs.heads
    (asked,) = [line for line in head.splitlines() if line.lower().startswith("prefer:")]
    assert 'IdType="ImmutableId"' in asked
    assert 'outlook.timezone="UTC"' in asked
