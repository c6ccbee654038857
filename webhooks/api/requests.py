"""What came of a request that took longer than its caller was kept waiting?"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from schemas.accounts import Found
from schemas.desk import CalendarListed, DeskAnswer, DeskRequest, PlannedCall
from schemas.drift import Reconciled
from webhooks.api.desk import Heard
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import not_found


class RequestView(Shape):
    """A request to a worker, and what came of it. Kept for an hour; links to hosts for a minute."""

    id: str
    state: Literal["waiting", "done", "refused", "failed"]
    problem: str = ""
    detail: str = ""
    connection: str | None = None
    calendars: tuple[CalendarListed, ...] = ()
    sentences: tuple[str, ...] = ()
    found: Found | None = None
    drift: Reconciled | None = None
    calls: tuple[PlannedCall, ...] = ()
    host_link: str | None = None


WAITING: dict[int, str] = {202: "It takes longer; `Location` is where to ask again."}


def still_waiting(heard: Heard, waits_for: str = "") -> Answer:
    """The work goes on; here is where to ask, and what it waits for if that is known."""
    view = RequestView(id=heard.request, state="waiting", detail=waits_for)
    return Answer(
        view,
        status=202,
        headers={"Location": f"/v1/requests/{heard.request}", "Retry-After": "2"},
    )


async def read_request(call: Call[None]) -> Answer:
    """Only the application that asked is told."""
    request = await the(call, DeskRequest, call.path["request"], "request")
    if request.actor.id != call.caller.application:
        raise not_found("request")
    answer = await call.front.store.documents.get(call.tenant, DeskAnswer, request.id)
    if answer is None:
        late = request.not_after is not None and call.now > request.not_after
        return Answer(_given_up(request)) if late else _waiting(request)
    link = call.front.desk.open(call.tenant, answer) if answer.sealed else None
    view = RequestView(
        id=answer.id,
        state=answer.state,
        problem=answer.problem,
        detail=answer.detail,
        connection=answer.connection,
        calendars=answer.calendars,
        sentences=answer.sentences,
        found=answer.found,
        drift=answer.drift,
        calls=answer.calls,
        host_link=link,
    )
    return Answer(view)


def _waiting(request: DeskRequest) -> Answer:
    return still_waiting(Heard(request.id, None), request.waits_for)


def _given_up(request: DeskRequest) -> RequestView:
    return RequestView(
        id=request.id,
        state="failed",
        problem="busy",
        detail="No worker came to it in time, and none will. Ask again.",
    )


_row = partial(Operation[Any], room="Requests", needs="key")

ROWS: tuple[Row, ...] = (
    _row(
        name="readRequest",
        method="GET",
        path="/v1/requests/{request}",
        says="What came of a call that was answered with 202.",
        handle=read_request,
        gives=RequestView,
        also={202: "The work goes on."},
    ),
)
