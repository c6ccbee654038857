"""How does a lane stand? For explain, doctor, the console and the figures; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra import keys
from infra.functions.calls import Answer, Calls
from infra.lanes.words import Kind, Lane, LaneState


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far behind a kind is, over all tenants."""

    tenants_due: int
    late: timedelta
    """How long the tenant that waits longest has been due."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A group's gate that is closed or narrowed."""

    closed_until: datetime | None
    """None if it is open; the end of time if it is closed until somebody opens it."""
    limit: int | None
    reason: str


class States:
    """Reads of lanes, gates and turns."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def lane(self, lane: Lane) -> LaneState:
        """The lane as it stands; an unknown one is an empty one."""
        tenant, name = lane.tenant, lane.name
        read = self._calls.read
        flat, depth, due, held = await asyncio.gather(
            read("state", "HGETALL", keys.lane(tenant, name)),
            read("state", "LLEN", keys.items(tenant, name)),
            read("state", "ZSCORE", keys.waiting(tenant, lane.kind), name),
            read("state", "ZSCORE", keys.held(tenant, lane.kind), name),
        )
        fields = {key.decode(): value for key, value in zip(flat[::2], flat[1::2], strict=True)}
        member = fields.get("s")
        shut = keys.shut(tenant, lane.kind)
        waits = member is not None and await read("state", "ZSCORE", shut, member) is not None
        return _read_state(lane, fields, depth=depth, due=due, held=held, waits_at_gate=waits)

    async def parked(self, tenant: str, after: str, limit: int) -> list[tuple[Lane, datetime]]:
        """Parked lanes, longest first, behind the cursor `after` ("" from the start).

        The cursor is `<ms>/<lane name>` of the last one seen (see `parked_cursor`).
        """
        score, _, last = after.partition("/")
        found: list[tuple[Lane, datetime]] = []
        offset = 0
        while len(found) < limit:
            words = (keys.parked(tenant), score or "-inf", "+inf", "WITHSCORES", "LIMIT", offset)
            page = await self._calls.read("parked", "ZRANGEBYSCORE", *words, limit)
            for raw, when in zip(page[::2], page[1::2], strict=True):
                name = raw.decode()
                if not score or (int(when), name) > (int(score), last):
                    found.append((Lane.parse(tenant, name), moment(when)))
            offset += limit
            if len(page) < 2 * limit:
                break
        return found[:limit]

    async def depth(self, kind: Kind) -> Backlog:
        """How many tenants are due, and for how long the first of them."""
        read = self._calls.read
        seconds, micros = await read("depth", "TIME")
        now = int(seconds) * 1_000_000 + int(micros)
        due, first = await asyncio.gather(
            read("depth", "ZCOUNT", keys.turn(kind), "-inf", now),
            read("depth", "ZRANGE", keys.turn(kind), 0, 0, "WITHSCORES"),
        )
        behind = max(0, now - int(float(first[1]))) if first else 0
        return Backlog(due, timedelta(microseconds=behind))

    async def gate(self, tenant: str, group: str) -> Gate | None:
        """The gate of a group, if it was ever closed or narrowed and not opened since."""
        row = await self._calls.read("gate", "HGET", keys.gates(tenant), group)
        if row is None:
            return None
        closed, limit, reason = row.decode().split("\n", 2)
        end = datetime.max.replace(tzinfo=UTC) if closed == "-1" else moment(closed)
        return Gate(None if closed == "0" else end, int(limit) if limit else None, reason)


def parked_cursor(lane: Lane, since: datetime) -> str:
    """Where to go on after this one."""
    return f"{round(since.timestamp() * 1000)}/{lane.name}"


def moment(milliseconds: str | bytes) -> datetime:
    """The store's moment."""
    return datetime.fromtimestamp(int(float(milliseconds)) / 1000, UTC)


def _read_state(
    lane: Lane,
    fields: Mapping[str, bytes],
    *,
    depth: int,
    due: Answer,
    held: Answer,
    waits_at_gate: bool,
) -> LaneState:
    def text(name: str) -> str | None:
        return fields[name].decode() if name in fields else None

    mark = int(fields.get("m", 0))
    return LaneState(
        lane=lane,
        depth=depth,
        due=None if due is None else moment(due),
        held_until=None if held is None else moment(held),
        parked=text("p"),
        group=text("g"),
        waits_at_gate=waits_at_gate,
        failures=int(fields.get("f", 0)),
        not_before=moment(fields["nb"]) if "nb" in fields else None,
        mark=0 if mark == int(fields.get("z", 0)) else mark,
        timers={name[2:]: moment(at) for name, at in fields.items() if name.startswith("t:")},
    )
