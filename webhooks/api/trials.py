"""Does a connection work right now, and how does one operation of it fare?"""

from __future__ import annotations

from functools import partial
from typing import Any

from schemas.account_asks import TryOperation
from schemas.accounts import Diagnosis, Trial
from schemas.connections import Connection
from schemas.desk import TestConnection
from schemas.people import Scope
from schemas.problems import ProblemType
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.requests import WAITING, still_waiting


class TrialWish(Shape):
    """Which operation to try; without one the account alone is asked."""

    operation: Trial | None = None


class Tested(Shape):
    """It works, and what was seen."""

    works: bool
    sentences: tuple[str, ...]
    diagnosis: Diagnosis | None = None
    """Of the operation that was named."""


async def test_connection(call: Call[TrialWish]) -> Answer:
    """Also when it is said to be broken: that is when one wants to know."""
    connection = await the(call, Connection, call.path["connection"], "connection")
    if call.body.operation is not None:
        return await _try_operation(call, connection.id, call.body.operation)
    ask = TestConnection(connection=connection.id)
    heard = await call.ask(ask, group=f"connection:{connection.id}", reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(Tested(works=True, sentences=heard.answer.sentences))


async def _try_operation(call: Call[TrialWish], id_: str, operation: Trial) -> Answer:
    """A refusal is what one wants to see, so it is no problem here but the result."""
    ask = TryOperation(connection=id_, operation=operation)
    heard = await call.ask(ask, group=f"connection:{id_}", reads_only=True)
    if heard.answer is None or heard.answer.diagnosis is None:
        return still_waiting(heard)
    said = heard.answer.diagnosis
    return Answer(
        Tested(works=said.success, sentences=(said.result or said.error,), diagnosis=said)
    )


_row = partial(Operation[Any], room="Connections", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="testConnection",
        method="POST",
        path="/v1/connections/{connection}/test",
        says="Try the connection now: whose account it is, or one operation that you name, with"
        " result, error and how the time was spent.",
        takes=TrialWish,
        body_optional=True,
        handle=test_connection,
        harmless=True,
        gives=Tested,
        also=WAITING,
        problems=(ProblemType.NOT_LINKED, ProblemType.PROVIDER_REFUSED),
    ),
)
