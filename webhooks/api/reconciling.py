"""What differs from our books on one connection? Reported, and mended if that is asked for."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from schemas.account_asks import Reconcile
from schemas.connections import Connection
from schemas.drift import Reconciled
from schemas.people import Scope
from schemas.problems import ProblemType
from webhooks.api.connections import usable
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.requests import WAITING, still_waiting


class ReconcileWish(Shape):
    """Without `apply` it is a dry run."""

    apply: bool = False
    """Have what the ledger holds mended; nothing else is touched."""
    limit: int = Field(default=20, ge=1, le=100)
    """How many at most."""


async def reconcile(call: Call[ReconcileWish]) -> Answer:
    """Repeated, it has the same meetings look again."""
    connection = await the(call, Connection, call.path["connection"], "connection")
    await usable(call, connection.id, connection.role, "connection")
    ask = Reconcile(connection=connection.id, apply=call.body.apply, limit=call.body.limit)
    group = f"connection:{connection.id}"
    heard = await call.ask(ask, group=group, reads_only=not call.body.apply)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(heard.answer.drift or Reconciled(counts={}))


_row = partial(Operation[Any], room="Connections", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="reconcileConnection",
        method="POST",
        path="/v1/connections/{connection}/reconcile",
        says="What differs between the conferences of the account, or the events of its watched"
        " calendars, and our books: missing, stale, orphaned, foreign. With `apply`, what the"
        " ledger holds is mended, so many at most; the rest is never touched.",
        takes=ReconcileWish,
        body_optional=True,
        handle=reconcile,
        harmless=True,
        gives=Reconciled,
        also=WAITING,
        problems=(
            ProblemType.NOT_LINKED,
            ProblemType.NOT_OFFERED,
            ProblemType.PROVIDER_REFUSED,
        ),
    ),
)
