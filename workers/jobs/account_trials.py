"""How does one operation fare at the provider now? Result or refusal, and how long it took."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from infra.errors import InSession, NeedsReauth, Refused, TryLater, Vanished
from schemas.account_asks import Span, TryOperation, Whose
from schemas.accounts import Diagnosis, Spans
from schemas.connections import Connection
from schemas.desk import DeskAnswer
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS
from workers.jobs.account_desk import at_account, linked
from workers.jobs.desk import Declined, Desk
from workers.jobs.questions import through
from workers.ports import Access, AccountConferences, History, People
from workers.providers import account_conferences, histories, people

LATELY: Final = timedelta(days=7)


@dataclass(slots=True)
class _Watch:
    """When the trial began, left and came back; monotonic seconds."""

    began: float = field(default_factory=time.monotonic)
    left: float | None = None
    back: float | None = None

    def over(self, access: Access) -> Access:
        """The access, noting when its first call may leave."""

        @asynccontextmanager
        async def turn() -> AsyncIterator[None]:
            async with access.turn():
                self.left = self.left or time.monotonic()
                yield

        return replace(access, turn=turn)

    def spans(self) -> Spans:
        """How the time was spent so far."""
        now = time.monotonic()
        left = self.left or now
        back = self.back or now
        parts = (left - self.began, max(back - left, 0.0), max(now - back, 0.0))
        prepare, execute, transform = (round(part * 1000, 1) for part in parts)
        return Spans(prepare=prepare, execute=execute, transform=transform)


async def try_operation(desk: Desk, ask: TryOperation) -> DeskAnswer:
    """Never refused: a refusal is the result. Nothing is changed there."""
    connection, watch = await linked(desk, ask), _Watch()
    problem, error, result = "", "", ""
    try:
        result = await _result(desk, ask, connection, watch)
    except Declined as declined:
        problem, error = declined.problem.value, declined.detail
    except NeedsReauth as broken:
        problem, error = ProblemType.NOT_LINKED.value, f"{broken.reason}: link it again"
    except Refused as refused:
        problem, error = refused.problem.value, refused.reason
    except (TryLater, Vanished, InSession) as trouble:
        problem, error = ProblemType.UNAVAILABLE.value, str(trouble)
    has_oauth = PROVIDERS[connection.provider].oauth is not None
    diagnosis = Diagnosis(
        operation=ask.operation,
        success=not problem,
        result=result,
        problem=problem,
        error=error,
        spans=watch.spans(),
        auth="OAuth 2.0 authorization code" if has_oauth else "none",
        connection=connection.id,
    )
    return desk.done(connection=connection.id, diagnosis=diagnosis)


async def _result(desk: Desk, ask: TryOperation, connection: Connection, watch: _Watch) -> str:
    if ask.operation == "account":
        return await _account(desk, connection, watch)
    counted = await _counted(desk, ask, watch)
    watch.back = time.monotonic()
    return f"{counted} {'row' if counted == 1 else 'rows'} came back."


async def _account(desk: Desk, connection: Connection, watch: _Watch) -> str:
    async def call(provider: str, access: Access) -> str:
        return (await desk.runtime.conferences[provider].account(watch.over(access))).name

    name = await through(desk, connection.id, call)
    watch.back = time.monotonic()
    return f"{PROVIDERS[connection.provider].title} answers as {name}."


async def _counted(desk: Desk, ask: TryOperation, watch: _Watch) -> int:
    now = desk.runtime.now()
    lately = Span(since=now - LATELY, until=now)

    async def upcoming(port: AccountConferences, access: Access) -> int:
        return len(await port.upcoming(watch.over(access), Whose()))

    async def history(port: History, access: Access) -> int:
        return len(await port.held(watch.over(access), lately, Whose()))

    async def organizers(port: People, access: Access) -> int:
        return len(await port.organizers(watch.over(access), ""))

    async def groups(port: People, access: Access) -> int:
        return len(await port.groups(watch.over(access)))

    match ask.operation:
        case "upcoming":
            return await at_account(desk, ask, account_conferences, upcoming)
        case "history":
            return await at_account(desk, ask, histories, history)
        case "organizers":
            return await at_account(desk, ask, people, organizers)
        case _:
            return await at_account(desk, ask, people, groups)
