"""Are notifications that Zoom has sent, and signatures others computed, heard byte by byte?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from infra.lanes import Lane
from schemas.connections import Route
from tests.receiver.door import Door
from tests.receiver.test_zoom import notification
from webhooks.sources import Notification
from webhooks.sources.zoom import Zoom

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no vendor samples here")


@needs_samples
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("zoom/*.json")), ids=lambda path: path.stem)
async def test_recorded_notifications_are_heard_byte_by_byte(door: Door, path: Path) -> None:
    body = path.read_bytes()  # noqa: ASYNC240  a small file of a test
    said = orjson.loads(body)
    pushed = await notification(door, body)
    account = said.get("payload", {}).get("account_id")
    lane = await door.linked(account) if account else Lane(door.tenant, "connection", "none")

    answer = await door.push(pushed)

    assert answer.status_code == (400 if path.stem.startswith("response.") else 200)
    assert await door.items(pushed._replace(lane=lane)) == (1 if account else 0)


@needs_samples
def test_the_published_vectors_hold() -> None:
    vectors = json.loads((SAMPLES / "signature-vectors.json").read_text())
    signed, challenge = vectors["zoom_signature"], vectors["zoom_url_validation"]
    stamp = signed["x-zm-request-timestamp"]
    headers = {
        b"x-zm-signature": signed["x-zm-signature"].encode(),
        b"x-zm-request-timestamp": stamp.encode(),
    }
    route = Route(id="r", provider="zoom")

    heard = Zoom().read(
        Notification(headers, signed["body"].encode()),
        route,
        [SecretStr(signed["secret"])],
        datetime.fromtimestamp(int(stamp), UTC),
    )

    assert heard.report is not None
    assert heard.report.account == "AAAAAABBBB"
    assert challenge["secret"] == signed["secret"]
