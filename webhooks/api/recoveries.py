"""How are undelivered callbacks sent again? All that fit a filter, with progress and an end."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from pydantic import Field

from infra.lanes import Item, Lane, Post, Unit
from schemas.deliveries import Recovery, Wanted, Why
from schemas.items import Load, RecoveryAsked, RecoveryCancelled, write_load
from schemas.people import Scope
from schemas.records import Moment
from webhooks.api.lists import the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.undelivered import Reason, walk


class Recovering(Shape):
    """Which undelivered callbacks to send again; what is left out lets all through."""

    since: Moment | None = None
    """Not given up before this moment."""
    until: Moment | None = None
    """Given up before this moment."""
    endpoint: str | None = Field(default=None, max_length=64)
    type: str | None = Field(default=None, max_length=64)
    reason: Reason | None = None
    dry_run: bool = False
    """Only count them."""


class RecoveryView(Shape):
    """A recovery and how far it is. Each callback goes out under its old id, with the header
    `tieline-redelivery: true`, behind what waits for the same subject."""

    id: str | None
    """None for a dry run."""
    state: Literal["counted", "running", "done", "cancelled"]
    expected: int
    """How many fitted when it was asked for."""
    recovered: int
    """How many are on their way again."""
    gone: int
    """How many cannot be sent any more: their endpoint was deleted, or they are no longer kept."""
    passed_over: int
    """How many wait for their turn, because their endpoint has enough to do."""
    started_at: Moment | None
    ended_at: Moment | None


async def start_recovery(call: Call[Recovering]) -> Answer:
    """Counts, and then has a worker do it, unless it is a dry run. A second one finds the rows that
    the first has left."""
    wanted, store = _wanted(call.body), call.front.store
    expected = 0
    async for _, row in walk(store, call.tenant, wanted):
        expected += row is not None
    if call.body.dry_run:
        return Answer(_counted(expected), status=200)
    recovery = Recovery(
        id=call.front.new_id("rec"),
        wanted=wanted,
        actor=call.actor,
        started_at=call.now,
        expected=expected,
    )
    unit = Unit(puts=[recovery], posts=[_to_house(call, recovery.id, RecoveryAsked())])
    return await call.submit(unit, _shown(recovery))


async def read_recovery(call: Call[None]) -> Answer:
    """Kept for as long as callbacks are: seven days after its end, unless the operator chose
    otherwise."""
    return _shown(await _the(call))


async def cancel_recovery(call: Call[None]) -> Answer:
    """What is on its way again stays so; the rest stays undelivered. A second time changes
    nothing."""
    recovery = await _the(call)
    if recovery.state == "running":
        unit = Unit(posts=[_to_house(call, recovery.id, RecoveryCancelled())])
        await call.front.store.lanes.submit(call.tenant, unit)
    return _shown(recovery)


async def _the(call: Call[Any]) -> Recovery:
    return await the(call, Recovery, call.path["recovery"], "recovery")


def _wanted(body: Recovering) -> Wanted:
    return Wanted(
        since=body.since,
        until=body.until,
        endpoint=body.endpoint,
        type=body.type,
        reason=Why(body.reason) if body.reason else None,
    )


def _to_house(call: Call[Any], recovery: str, load: Load) -> Post:
    lane = Lane(call.tenant, "house", f"recovery/{recovery}")
    return Post(lane, Item(call.front.new_id("it"), write_load(load)))


def _counted(expected: int) -> RecoveryView:
    return RecoveryView(
        id=None,
        state="counted",
        expected=expected,
        recovered=0,
        gone=0,
        passed_over=0,
        started_at=None,
        ended_at=None,
    )


def _shown(recovery: Recovery) -> Answer:
    view = RecoveryView(**{name: getattr(recovery, name) for name in RecoveryView.model_fields})
    return Answer(view, headers={"Location": f"/v1/recoveries/{recovery.id}"})


_row = partial(Operation[Any], room="Callbacks sent", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="recover",
        method="POST",
        path="/v1/recover",
        says="Send undelivered callbacks again, all that fit. A dry run says how many that are.",
        handle=start_recovery,
        takes=Recovering,
        gives=RecoveryView,
        status=202,
        also={200: "How many fit, for a dry run."},
        harmless=True,
    ),
    _row(
        name="readRecovery",
        method="GET",
        path="/v1/recoveries/{recovery}",
        says="How far a recovery is.",
        handle=read_recovery,
        gives=RecoveryView,
    ),
    _row(
        name="cancelRecovery",
        method="POST",
        path="/v1/recoveries/{recovery}/cancel",
        says="Stop a recovery where it is.",
        handle=cancel_recovery,
        gives=RecoveryView,
        status=202,
        harmless=True,
    ),
)
