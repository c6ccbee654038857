"""Does the audit see what must never be? Each violation told to the partner once."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime

import orjson
import pytest
from standardwebhooks import Webhook
from starlette.requests import Request

from tests.chaos.counting import bodies_differ, out_of_order, told_again
from tests.chaos.partner import Unreliable

SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()


async def tell(partner: Unreliable, name: str, number: int, *, title: str = "Event 1") -> None:
    """One delivery, signed, of the callback with this id and number."""
    meeting = {"id": "mtg_1", "title": title}
    told = {"type": "meeting.updated", "data": {"meeting": meeting, "sequence": number}}
    body, now = orjson.dumps(told), datetime.now(UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(name, now, body.decode()),
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(key.encode(), value.encode()) for key, value in headers.items()]
    scope = {"type": "http", "method": "POST", "headers": raw, "path_params": {"tenant": "t0"}}
    await partner.hear(Request(scope, receive))


@pytest.mark.parametrize(
    ("deliveries", "seen"),
    [
        pytest.param([("a", 1, ""), ("a", 1, ""), ("b", 2, "")], (0, 0, 0), id="a repeat"),
        pytest.param([("b", 2, ""), ("a", 1, "")], (1, 0, 0), id="out of order"),
        pytest.param([("a", 1, ""), ("b", 2, ""), ("a", 1, "")], (0, 0, 0), id="a late repeat"),
        pytest.param([("a", 1, ""), ("a", 1, "other")], (0, 1, 0), id="another body"),
        pytest.param([("a", 1, ""), ("c", 1, "")], (0, 0, 1), id="under two ids"),
    ],
)
async def test_the_audit_sees_disorder_other_bodies_and_second_ids(
    deliveries: list[tuple[str, int, str]], seen: tuple[int, int, int]
) -> None:
    partner = Unreliable(random.Random(1), fails=0, hangs=0, secrets={"t0": SECRET})
    for name, number, title in deliveries:
        await tell(partner, name, number, title=title)

    assert (out_of_order(partner), bodies_differ(partner), told_again(partner)) == seen
