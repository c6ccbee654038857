"""What does the API want to know or have done at a provider? One answer, stored, then rung."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from infra.errors import Conflict, NeedsReauth, Refused, StoreAway, StoreFull, TryLater, Vanished
from infra.lanes import Claimed, Unit
from schemas.account_asks import StartConference
from schemas.desk import (
    DeskAnswer,
    DeskRequest,
    DryRunEvent,
    DryRunMeeting,
    ExchangeCode,
    ExplainEvent,
    FetchHostLink,
    LinkGiven,
    ListCalendars,
    ListEvents,
    TestConnection,
)
from schemas.problems import ProblemType
from workers.jobs.account_answers import answer_account
from workers.jobs.calendar_view import list_events
from workers.jobs.desk import Declined, Desk
from workers.jobs.desk_waits import look_again, waits
from workers.jobs.dry_runs import dry_run
from workers.jobs.linking import exchange_code, link_given
from workers.jobs.questions import explain_event, fetch_host_link, list_calendars, try_connection
from workers.runtime import Runtime

log = structlog.get_logger("workers.desk")

FORGET: Final = "forget"
KEPT: Final = timedelta(hours=1)
HOST_LINK_KEPT: Final = timedelta(seconds=60)
TRIES_TO_KEEP: Final = 5


async def answer_desk(claimed: Claimed, runtime: Runtime) -> Unit:
    """Answer the request of this lane, and forget it when its time is over.

    A second run finds the answer and does nothing; if there is none yet, or it has to wait for
    somebody, it asks again, but for an
    OAuth code, which is at most once: then the answer says to start again (ENGINE 31).
    """
    documents, lane = runtime.store.documents, claimed.lane
    request = await documents.get(lane.tenant, DeskRequest, lane.subject)
    answer = await documents.get(lane.tenant, DeskAnswer, lane.subject)
    handled = [item.id for item in claimed.items]
    if FORGET in claimed.fired:
        return Unit(handled=handled, drops=[one for one in (request, answer) if one is not None])
    if request is None or answer is not None:
        return Unit(handled=handled)
    desk = Desk(claimed, runtime, request)
    answer = await _answer(desk)
    if waits(request, answer, runtime.now()):
        return look_again(desk, answer, handled)
    await _keep(desk, answer, handled)
    await runtime.store.answers.ring(request.reply_to, request.id)
    log.info("desk.answered", tenant=lane.tenant, request=request.id, ask=request.ask.ask,
             state=answer.state, problem=answer.problem)  # fmt: skip
    return Unit()


async def _keep(desk: Desk, answer: DeskAnswer, handled: list[str]) -> None:
    """The answer and all that it says was done, in one commit."""
    is_secret = isinstance(desk.request.ask, FetchHostLink | StartConference | ListEvents)
    keep = HOST_LINK_KEPT if is_secret else KEPT
    for left in reversed(range(TRIES_TO_KEEP)):
        unit = Unit(
            handled=handled,
            puts=[*desk.unit.puts, answer],
            posts=[*desk.unit.posts],
            timers={FORGET: keep},
        )
        if desk.fill is not None and answer.state == "done":
            await desk.fill(unit)
        try:
            desk.claimed = await desk.runtime.save(desk.claimed, unit)
        except Conflict:  # the connection's lane wrote meanwhile: once more, on top of that
            if not left:
                raise
        else:
            return


async def _answer(desk: Desk) -> DeskAnswer:
    """The answer, refusals in words. Raises StoreAway and StoreFull only."""
    not_after = desk.request.not_after
    if not_after is not None and desk.runtime.now() > not_after:
        words = "No worker came to it in time. Ask again."
        return desk.refused(ProblemType.BUSY, words, state="failed")
    try:
        return await _ask(desk)
    except (StoreAway, StoreFull):
        raise
    except (Declined, NeedsReauth, Refused, Vanished, TryLater) as error:
        return _in_words(desk, error)


def _in_words(
    desk: Desk, error: Declined | NeedsReauth | Refused | Vanished | TryLater
) -> DeskAnswer:
    match error:
        case Declined():
            problem, words = error.problem, error.detail
        case NeedsReauth():
            problem, words = ProblemType.NOT_LINKED, f"{_sentence(error.reason)} Link it again."
        case Refused():
            problem, words = error.problem, _sentence(error.reason)
        case Vanished():
            problem, words = ProblemType.NOT_FOUND, "The provider has it no more."
        case TryLater():
            words = f"{_sentence(str(error))} Try again in a moment."
            return desk.refused(ProblemType.UNAVAILABLE, words, state="failed")
    return desk.refused(problem, words)


async def _link(desk: Desk, ask: ExchangeCode | LinkGiven) -> DeskAnswer:
    if isinstance(ask, ExchangeCode):
        return await exchange_code(desk, ask)
    return await link_given(desk, ask)


async def _ask(desk: Desk) -> DeskAnswer:  # noqa: PLR0911 - one line a question
    match desk.request.ask:
        case ExchangeCode() | LinkGiven() as ask:
            return await _link(desk, ask)
        case ListCalendars() as ask:
            return await list_calendars(desk, ask)
        case ListEvents() as ask:
            return await list_events(desk, ask)
        case FetchHostLink() as ask:
            return await fetch_host_link(desk, ask)
        case TestConnection() as ask:
            return await try_connection(desk, ask)
        case ExplainEvent() as ask:
            return await explain_event(desk, ask)
        case DryRunMeeting() | DryRunEvent() as ask:
            return await dry_run(desk, ask)
        case ask:
            return await answer_account(desk, ask)


def _sentence(words: str) -> str:
    text = words[:1].upper() + words[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
