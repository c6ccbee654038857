"""What is kept of held conferences before their provider forgets them? Rows, and who was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from infra.errors import Refused, Vanished
from infra.lanes import Lane, RankSet
from schemas.account_asks import Span, Whose
from schemas.accounts import AccountConference, Attendance
from schemas.connections import Connection
from schemas.items import Happened
from schemas.tending import Harvest, Held
from workers.access import access_of
from workers.jobs.account_desk import lacks
from workers.jobs.tending import Tending
from workers.ports import Access, History
from workers.providers import histories
from workers.runtime import Runtime

T = TypeVar("T")

EVERY: Final = timedelta(days=1)
AGAIN: Final = timedelta(days=2)
"""Looked at twice: what ran over the end of the last look was not in it (S1-31)."""
CLOCKS: Final = timedelta(minutes=5)
"""How far ahead of ours the provider's clock may be."""
A_PAGE: Final = 200
FEW: Final = 20
"""Rows a commit: with who was there they stay far below what one may hold."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """Rows that were harvested, and from where on none is missing."""

    rows: Sequence[T] = ()
    complete_from: datetime | None = None


async def harvest(tending: Tending) -> None:
    """Keep what was held since the last harvest, or since as long as the provider remembers.

    A second run finds what is kept, and keeps the rest. Raises TryLater, NeedsReauth, TokenExpired.
    """
    connection, now = tending.connection, tending.runtime.now()
    port = histories(tending.runtime.providers_wire).get(connection.provider)
    window = tending.provider.history
    if port is None or window is None:
        return
    stored = await tending.runtime.store.documents.get(tending.tenant, Harvest, connection.id)
    oldest = now - window
    lacking = lacks(connection, port.attendance_needs)
    gap = stored is None or stored.reached < oldest
    since = _since(stored, oldest, lacking=lacking)
    access = access_of(tending.runtime, tending.tenant, connection, tending.tokens)
    rows = await port.held(access, Span(since=since, until=now + CLOCKS), Whose())
    for start in range(0, len(rows), FEW):
        await _keep_new(tending, port, access, rows[start : start + FEW])
        await tending.save()
    complete = oldest if gap or stored is None else stored.complete_from
    tending.unit.puts.append(
        Harvest(
            id=connection.id,
            rev=stored.rev if stored else 0,
            complete_from=complete,
            reached=now,
            people_unknown=lacking,
        )
    )


def _since(stored: Harvest | None, oldest: datetime, *, lacking: bool) -> datetime:
    """From the beginning again when who was there may be asked at last."""
    if stored is None or (stored.people_unknown and not lacking):
        return oldest
    return max(oldest, stored.reached - AGAIN)


async def kept_conferences(
    runtime: Runtime, tenant: str, connection: Connection, span: Span
) -> Kept[AccountConference]:
    """What was harvested of a span."""
    found = await _kept(runtime, tenant, connection, span)
    rows = [one.conference for one in found]
    return Kept(rows, await _complete_from(runtime, tenant, connection))


async def kept_attendance(
    runtime: Runtime, tenant: str, connection: Connection, span: Span
) -> Kept[Attendance]:
    """Who was there, of what was harvested of a span."""
    found = await _kept(runtime, tenant, connection, span)
    rows = [row for one in found for row in one.attendance or ()]
    return Kept(rows, await _complete_from(runtime, tenant, connection))


def held_id(connection: str, row: AccountConference) -> str:
    """One session of one conference is kept once."""
    when = row.session or (row.starts_at.isoformat() if row.starts_at else "")
    return f"{connection}/{row.id}/{when}"


async def _keep_new(
    tending: Tending, port: History, access: Access, rows: Sequence[AccountConference]
) -> None:
    names = [held_id(tending.connection.id, row) for row in rows]
    documents = tending.runtime.store.documents
    known = await documents.get_many(tending.tenant, Held, names)
    for name, row, before in zip(names, rows, known, strict=True):
        present = None
        if before is None or before.attendance is None:
            present = await _attendance(tending, port, access, row)
        if before is None:
            await _keep(tending, name, row, present)
        elif present is not None:
            held = before.model_copy(update={"attendance": present})
            tending.unit.puts.append(held)
            _tell(tending, held)


async def _keep(
    tending: Tending, name: str, row: AccountConference, present: tuple[Attendance, ...] | None
) -> None:
    """The row, its place in time, and word to its meeting if it is one of ours."""
    ledger = f"ledger:{tending.connection.id}"
    meeting = await tending.runtime.store.index.get(tending.tenant, ledger, row.id) or ""
    began = row.starts_at or tending.runtime.now()
    held = Held(id=name, conference=row, attendance=present, meeting=meeting)
    tending.unit.puts.append(held)
    rank = f"held:{tending.connection.id}"
    tending.unit.rank.append(RankSet(rank, name, began.timestamp()))
    _tell(tending, held)


def _tell(tending: Tending, held: Held) -> None:
    """Who was there is known, once: a second run posts it under the same id."""
    if held.meeting and held.attendance is not None:
        row = held.conference
        ended = row.ends_at or tending.runtime.now()
        told = Happened(conference=row.id, what="attendance_ready", at=ended, trace=tending.trace)
        tending.post(Lane(tending.tenant, "meeting", held.meeting), f"held-{held.id}", told)


async def _attendance(
    tending: Tending, port: History, access: Access, row: AccountConference
) -> tuple[Attendance, ...] | None:
    """None where we may not know: without the scope, or about a meeting of somebody else."""
    if lacks(tending.connection, port.attendance_needs):
        return None
    try:
        return tuple(await port.attendance(access, row.instance or row.id))
    except (Refused, Vanished):
        return None


async def _kept(runtime: Runtime, tenant: str, connection: Connection, span: Span) -> list[Held]:
    rank, found = f"held:{connection.id}", list[Held]()
    place: tuple[float, str] | None = (span.since.timestamp(), "")
    while place is not None:
        page = await runtime.store.rank.page(tenant, rank, place, A_PAGE)
        names = [name for name, score in page if score < span.until.timestamp()]
        found += await runtime.store.documents.get_all(tenant, Held, names)
        last = page[-1] if len(names) == A_PAGE else None
        place = (last[1], last[0]) if last else None
    return found


async def _complete_from(runtime: Runtime, tenant: str, connection: Connection) -> datetime | None:
    kept = await runtime.store.documents.get(tenant, Harvest, connection.id)
    return kept.complete_from if kept else None
