"""Zones of Microsoft 365 have Windows' names, ours the IANA's: read and written, both ways."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.windows_zones import IANA, iana_of, windows_of
from tests.conformance.graph import AtGraph, at_graph


@pytest.fixture
async def graph(sandbox: Sandbox, wire: Wire) -> AtGraph:
    return await at_graph(sandbox, wire)


@pytest.mark.parametrize(
    ("made_in", "read", "written"),
    [
        ("Romance Standard Time", "Europe/Paris", "Romance Standard Time"),
        ("Europe/Madrid", "Europe/Madrid", "Romance Standard Time"),
        ("UTC", "UTC", "UTC"),
    ],
)
async def test_an_event_is_moved_in_its_own_zone_under_windows_name(
    graph: AtGraph, made_in: str, read: str, written: str
) -> None:
    event = await graph.add(zone=made_in)
    slot = (await graph.event(event)).slot
    later = {"starts_at": slot.starts_at + timedelta(days=200), "ends_at": slot.ends_at}
    later["ends_at"] += timedelta(days=200)

    await graph.show_slot(event, slot.model_copy(update=later))

    shown = await graph.sandbox.graph.event(graph.mailbox, event)
    now = (await graph.event(event)).slot
    assert (slot.timezone, shown.doc["originalStartTimeZone"]) == (read, written)
    assert (now.starts_at, now.ends_at) == (later["starts_at"], later["ends_at"])


def test_each_name_of_windows_comes_back_as_it_went() -> None:
    assert [windows_of(iana_of(name)) for name in IANA] == [*IANA]


def test_a_zone_that_windows_does_not_know_stays_what_it_is() -> None:
    assert windows_of("Mars/Olympus") == "Mars/Olympus"
