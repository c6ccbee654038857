"""Writing without a lane: all or nothing, once, and refused where a lane is needed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra.errors import Conflict
from infra.lanes import Entry, IndexSet, Item, Lane, Post, Unit
from infra.store import Store
from schemas.people import Application, Tenant

CREATED = "2027-01-01T00:00:00Z"
TENANT = Tenant.model_validate({"id": "acme", "name": "Acme", "created_at": CREATED})
APP = Application.model_validate({"id": "app_1", "name": "App", "created_at": CREATED})
LANE = Lane("acme", "meeting", "mtg_1")


async def test_documents_items_and_index_appear_together(store: Store) -> None:
    unit = Unit(
        puts=[TENANT, APP],
        posts=[Post(lane=LANE, item=Item("one", b"asked"))],
        index=[IndexSet("applications", "app_1", "")],
        logs=[Entry("timeline/mtg_1", b"{}", timedelta(days=1))],
    )

    await store.lanes.submit("acme", unit)

    stored = await store.documents.get("acme", Tenant, "acme")
    (claimed,) = await store.lanes.claim("meeting", 1, empty=True)
    assert stored is not None
    assert (stored.name, stored.rev) == ("Acme", 1)
    assert [(item.id, item.body) for item in claimed.items] == [("one", b"asked")]


async def test_if_one_document_was_written_by_another_nothing_is_written(store: Store) -> None:
    await store.documents.put("acme", APP)
    unit = Unit(puts=[TENANT, APP], posts=[Post(lane=LANE, item=Item("one", b"asked"))])

    with pytest.raises(Conflict):
        await store.lanes.submit("acme", unit)

    assert await store.documents.get("acme", Tenant, "acme") is None
    assert await store.lanes.claim("meeting", 1, empty=True) == []


async def test_a_second_write_demands_the_revision_of_the_first(store: Store) -> None:
    await store.lanes.submit("acme", Unit(puts=[TENANT]))
    stored = await store.documents.get("acme", Tenant, "acme")
    assert stored is not None

    await store.lanes.submit("acme", Unit(puts=[stored.model_copy(update={"name": "New"})]))
    with pytest.raises(Conflict):
        await store.lanes.submit("acme", Unit(puts=[stored]))

    now = await store.documents.get("acme", Tenant, "acme")
    assert now is not None
    assert (now.name, now.rev) == ("New", 2)


async def test_what_only_a_lane_s_holder_may_do_is_refused(store: Store) -> None:
    for unit in (Unit(handled=["x"]), Unit(timers={"t": None}), Unit(mark=1), Unit(hold=True)):
        with pytest.raises(ValueError, match="holder"):
            await store.lanes.submit("acme", unit)
