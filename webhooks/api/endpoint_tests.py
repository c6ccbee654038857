"""Does an endpoint take callbacks? It is sent the documented example of a type, signed too."""

from __future__ import annotations

from functools import partial
from typing import Any

from infra.lanes import Body, Lane, Unit
from schemas.callbacks import CallbackType
from schemas.items import Announced
from schemas.people import Scope
from webhooks.api.callbacks import TEST_OF, Sent, send_by_hand
from webhooks.api.endpoint_views import the_endpoint
from webhooks.api.examples import example
from webhooks.api.operation import Answer, Call, Operation, Row, Shape


class Test(Shape):
    """What to send."""

    __test__ = False  # no test of ours, whatever pytest makes of its name

    type: CallbackType = CallbackType.MEETING_PROVISIONED


async def send_example(call: Call[Test]) -> Answer:
    """Each call sends one, outside the order and marked with `tieline-test: true`."""
    endpoint, front = await the_endpoint(call), call.front
    envelope = example(call.body.type).model_copy(
        update={"id": front.new_id("cb"), "timestamp": call.now}
    )
    said = Announced(
        callback=envelope.id,
        trace=call.trace,
        type=envelope.type.value,
        at=envelope.timestamp,
        test=True,
    )
    keep, owner = front.settings.keep_feed, call.caller.application
    unit = Unit(
        bodies=[
            Body(f"callback/{envelope.id}", envelope.model_dump_json().encode(), keep),
            Body(f"{TEST_OF}{envelope.id}", owner.encode(), keep),
        ]
    )
    lane = Lane(call.tenant, "callback", f"{endpoint.id}/test/{envelope.id}")
    return await send_by_hand(call, lane, said, unit)


ROWS: tuple[Row, ...] = (
    partial(Operation[Any], room="Endpoints", needs=Scope.MANAGE)(
        name="testEndpoint",
        method="POST",
        path="/v1/endpoints/{endpoint}/test",
        says="Send the example of a type there. Its attempts are found under the callback's id.",
        handle=send_example,
        takes=Test,
        body_optional=True,
        gives=Sent,
        status=202,
        harmless=True,
    ),
)
