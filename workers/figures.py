"""How much is there to do, and how well does it go? Counted for `/metrics`, never a tenant's id."""

from __future__ import annotations

import time
from collections import Counter as Sums
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, assert_never

import structlog
from prometheus_client import Counter, Gauge

from infra import telemetry
from infra.errors import StoreAway
from infra.lanes import KINDS, Kind, parked_cursor
from infra.store import Store
from schemas.connections import Calendar, Connection, Reading
from schemas.coverage import Offered, calendar_state, is_silent
from schemas.providers import Role

log = structlog.get_logger("workers.figures")

TENANTS_AT_ONCE: Final = 256
LANES_AT_ONCE: Final = 500
CALENDARS_AT_ONCE: Final = 500
COUNT_CALENDARS_EVERY: Final = timedelta(minutes=5)


class Figures:
    """The figures of one worker. What the store holds is counted when somebody asks, and by every
    worker alike: take the largest, not the sum."""

    def __init__(self) -> None:
        self.registry = telemetry.new_registry("worker")
        self._due = self._gauge("tieline_lane_due", "Lanes that may be worked now.", "kind")
        self._oldest = self._gauge(
            "tieline_lane_oldest_seconds", "How long the longest waiting tenant is due.", "kind"
        )
        self._parked = self._gauge("tieline_parked_lanes", "Lanes that need a person.", "kind")
        self._calendars = self._gauge(
            "tieline_calendars", "Calendars that linked accounts can see.", "state", "reason"
        )
        self._calls = self._counter(
            "tieline_provider_calls", "Calls to providers.", "provider", "operation", "outcome"
        )
        self._callbacks = self._counter(
            "tieline_callbacks", "Attempts to deliver a callback.", "outcome"
        )
        self._contents = self._counter(
            "tieline_notification_contents",
            "Contents of notifications by what became of them.",
            "provider",
            "outcome",
        )
        self._calendars_due = 0.0

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self.registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self.registry)

    def provider_called(self, name: str, outcome: str) -> None:
        """Count a call such as `zoom.create`."""
        provider, _, operation = name.partition(".")
        self._calls.labels(provider, operation, outcome).inc()

    def partner_called(self, _name: str, outcome: str) -> None:
        """Count an attempt at an endpoint."""
        self._callbacks.labels("delivered" if outcome == "ok" else outcome).inc()

    def content_told(self, provider: str, outcome: str) -> None:
        """Count what a notification carried: `known`, `news`, or why it was not believed."""
        self._contents.labels(provider, outcome).inc()

    async def count(self, store: Store) -> None:
        """Count what is in the store. While it is away nothing is told of it, so that nobody takes
        old figures for new ones."""
        try:
            await self._count_lanes(store)
            if time.monotonic() >= self._calendars_due:
                await self._count_calendars(store)
        except StoreAway as away:
            log.warning("figures.uncounted", error=str(away))
            for gauge in (self._due, self._oldest, self._parked, self._calendars):
                gauge.clear()
            self._calendars_due = 0.0

    async def _count_lanes(self, store: Store) -> None:
        due: Sums[Kind] = Sums()
        parked: Sums[Kind] = Sums()
        async for tenants in _tenants(store):
            for kind, load in (await store.lanes.look(tenants)).items():
                due[kind] += load.due
            for tenant in tenants:
                parked += await _parked(store, tenant)
        for kind in KINDS:
            self._due.labels(kind).set(due[kind])
            self._parked.labels(kind).set(parked[kind])
            late = (await store.lanes.depth(kind)).late
            self._oldest.labels(kind).set(late.total_seconds())

    async def _count_calendars(self, store: Store) -> None:
        """Seldom: it reads a document of each calendar."""
        sums: Sums[tuple[str, str]] = Sums()
        async for tenants in _tenants(store):
            for tenant in tenants:
                sums += await _calendars(store, tenant)
        self._calendars.clear()
        for labels, many in sums.items():
            self._calendars.labels(*labels).set(many)
        self._calendars_due = time.monotonic() + COUNT_CALENDARS_EVERY.total_seconds()


async def _tenants(store: Store) -> AsyncIterator[list[str]]:
    after = ""
    while tenants := await store.register.page(after, TENANTS_AT_ONCE):
        yield tenants
        after = tenants[-1]


async def _parked(store: Store, tenant: str) -> Sums[Kind]:
    sums: Sums[Kind] = Sums()
    after = ""
    while lanes := await store.lanes.parked(tenant, after, LANES_AT_ONCE):
        sums.update(lane.kind for lane, _ in lanes)
        after = parked_cursor(*lanes[-1])
    return sums


async def _calendars(store: Store, tenant: str) -> Sums[tuple[str, str]]:
    """All that could be watched: those that somebody asked for, and those that nobody did (T15)."""
    connections, now = await _linked(store, tenant), datetime.now(UTC)
    sums: Sums[tuple[str, str]] = Sums()
    asked: set[tuple[str, str]] = set()
    async for calendar, reading in _asked(store, tenant):
        asked.add((calendar.connection, calendar.provider_id))
        sums[coverage(reading, connections.get(calendar.connection), now)] += 1
    return sums + await _unasked(store, tenant, connections, asked)


async def _linked(store: Store, tenant: str) -> dict[str, Connection]:
    names = list(await store.index.all(tenant, "connections"))
    found = await store.documents.get_all(tenant, Connection, names)
    return {one.id: one for one in found if one.role is Role.CALENDAR}


async def _asked(store: Store, tenant: str) -> AsyncIterator[tuple[Calendar, Reading | None]]:
    """Calendars that ought to be watched, with how far they were read."""
    names = list(await store.index.all(tenant, "calendars"))
    for start in range(0, len(names), CALENDARS_AT_ONCE):
        page = names[start : start + CALENDARS_AT_ONCE]
        calendars = await store.documents.get_many(tenant, Calendar, page)
        readings = await store.documents.get_many(tenant, Reading, page)
        for calendar, reading in zip(calendars, readings, strict=True):
            if calendar is not None and calendar.watched:
                yield calendar, reading


async def _unasked(
    store: Store,
    tenant: str,
    connections: Mapping[str, Connection],
    asked: Collection[tuple[str, str]],
) -> Sums[tuple[str, str]]:
    linked = [name for name, one in connections.items() if one.usable]
    sums: Sums[tuple[str, str]] = Sums()
    for offered in await store.documents.get_all(tenant, Offered, linked):
        sums["unasked", "not listed"] += offered.unlisted
        for one in offered.calendars:
            if (offered.id, one.provider_id) not in asked:
                sums["unasked", "nobody asked" if one.writable else "read-only"] += 1
    return sums


def coverage(
    reading: Reading | None, connection: Connection | None, now: datetime
) -> tuple[str, str]:
    """Whether a calendar that ought to be watched is told of changes, and why not. Pure."""
    state = calendar_state(reading, connection, now)
    match state:
        case "watched":
            return "watched", ""
        case "polled":
            if reading is not None and is_silent(reading):
                return "unwatched", "push silent"
            refused = reading is not None and reading.refusal
            return "unwatched", "push refused" if refused else "push not confirmed"
        case "unread":
            return "unwatched", "not read yet"
        case "failing":
            return "unwatched", "in trouble"
        case "unlinked":
            return "unwatched", "link is down"
        case _:
            assert_never(state)
