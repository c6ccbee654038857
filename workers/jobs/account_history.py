"""What was held in an account, and who was there? Asked in spans that the provider can answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, TypeVar

from infra.errors import Vanished
from schemas.account_asks import ListAttendance, ListHeld, Span, Whose
from schemas.accounts import AccountConference, Attendance
from schemas.connections import Connection
from schemas.desk import DeskAnswer
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS
from workers.jobs.account_desk import at_account, found, lacks, linked, missing
from workers.jobs.desk import Declined, Desk
from workers.jobs.harvest import Kept, kept_attendance, kept_conferences
from workers.ports import Access, AccountConferences, History
from workers.providers import account_conferences, histories

T = TypeVar("T")
SPANS_AT_MOST: Final = 25
"""Questions one request may take: four years of GoTo's sixty days each."""
ROWS_AT_MOST: Final = 2_000
"""What fits into one answer; nothing is cut off, the span has to be shorter then."""
NO_LIMIT: Final = timedelta(days=3650)


async def list_held(desk: Desk, ask: ListHeld) -> DeskAnswer:
    """Conferences that started in the span and are over. What the provider has forgotten comes from
    what we harvested; `complete_from` says from where on nothing is missing (S2-11)."""
    connection = await linked(desk, ask)
    spans = list(_spans(connection, ask.span))

    async def call(port: History, access: Access) -> list[AccountConference]:
        rows: list[AccountConference] = []
        for span in spans:
            rows += await port.held(access, span, ask.whose)
        return rows

    rows = await at_account(desk, ask, histories, call)
    kept = await kept_conferences(desk.runtime, desk.tenant, connection, ask.span)
    if ask.whose != Whose():
        kept = Kept()  # what was harvested is the account's own
    merged = {(row.id, row.session or row.starts_at): row for row in (*kept.rows, *rows)}
    return found(
        desk,
        ask,
        conferences=_bounded(sorted(merged.values(), key=_when)),
        complete_from=_complete_from(desk, connection, ask.span, kept.complete_from),
        running=await _running(desk, ask),
    )


async def list_attendance(desk: Desk, ask: ListAttendance) -> DeskAnswer:
    """Who was in one conference, or in all of an organizer or a group. The scope it takes is
    checked before the call (S1-33)."""
    connection = await linked(desk, ask)
    port = histories(desk.runtime.providers_wire).get(connection.provider)
    if port is not None and lacks(connection, port.attendance_needs):
        raise missing(connection, frozenset({port.attendance_needs}))
    if ask.conference:
        return await _of_one(desk, ask, connection)
    if ask.span is None:
        raise ValueError("neither a conference nor a span is named")
    span = ask.span
    spans = list(_spans(connection, span))

    async def call(port: History, access: Access) -> list[Attendance]:
        rows: list[Attendance] = []
        for one in spans:
            rows += await port.attendance_between(access, one, ask.whose)
        return rows

    rows = await at_account(desk, ask, histories, call)
    kept = await kept_attendance(desk.runtime, desk.tenant, connection, span)
    if ask.whose != Whose():
        kept = Kept()
    merged = {_presence(row): row for row in (*kept.rows, *rows)}
    return found(
        desk,
        ask,
        attendance=_bounded([*merged.values()]),
        complete_from=_complete_from(desk, connection, span, kept.complete_from),
    )


async def _of_one(desk: Desk, ask: ListAttendance, connection: Connection) -> DeskAnswer:
    """One that the provider has forgotten is looked for in what we harvested, if it is known when
    it was held."""

    async def call(port: History, access: Access) -> list[Attendance]:
        return await port.attendance(access, ask.conference)

    try:
        rows = await at_account(desk, ask, histories, call)
    except Vanished:
        rows = await _kept_of(desk, ask, connection)
        if not rows:
            raise
    return found(desk, ask, attendance=_bounded(rows))


async def _kept_of(desk: Desk, ask: ListAttendance, connection: Connection) -> list[Attendance]:
    if ask.span is None:
        return []
    kept = await kept_attendance(desk.runtime, desk.tenant, connection, ask.span)
    return [row for row in kept.rows if row.conference == ask.conference]


def _spans(connection: Connection, span: Span) -> Iterator[Span]:
    """The span in parts that the provider takes, oldest first."""
    longest = PROVIDERS[connection.provider].history or NO_LIMIT
    if span.until - span.since > longest * SPANS_AT_MOST:
        words = f"Ask for {(longest * SPANS_AT_MOST).days} days at most."
        raise Declined(ProblemType.INVALID, words)
    since = span.since
    while since < span.until:
        until = min(since + longest, span.until)
        yield Span(since=since, until=until)
        since = until


def _complete_from(
    desk: Desk, connection: Connection, span: Span, harvested_from: datetime | None
) -> datetime:
    """From where on nothing is missing: as far back as the provider remembers, or as we do."""
    window = PROVIDERS[connection.provider].history or NO_LIMIT
    remembered = desk.runtime.now() - window
    known = min(remembered, harvested_from) if harvested_from else remembered
    return max(span.since, known)


async def _running(desk: Desk, ask: ListHeld) -> tuple[str, ...]:
    """Those that still run: the provider leaves them out, so one asks again later (S1-31)."""
    if ask.span.until < desk.runtime.now() - timedelta(days=1):
        return ()

    async def call(port: AccountConferences, access: Access) -> list[AccountConference]:
        return await port.upcoming(access, ask.whose)

    rows = await at_account(desk, ask, account_conferences, call)
    return tuple(row.id for row in rows if row.running)


def _presence(row: Attendance) -> tuple[object, ...]:
    return row.instance, row.email, row.name, row.joined_at


def _when(row: AccountConference) -> tuple[bool, str, str]:
    return row.starts_at is None, row.starts_at.isoformat() if row.starts_at else "", row.id


def _bounded(rows: list[T]) -> list[T]:
    if len(rows) > ROWS_AT_MOST:
        words = f"That is {len(rows)} rows, more than one answer holds. Ask for a shorter span."
        raise Declined(ProblemType.TOO_LARGE, words)
    return rows
