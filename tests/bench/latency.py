"""How long is it from a notification to the callback that tells of it, while nothing else is to do?

Zoom reports that a conference has started: receiver, connection's lane, meeting's lane, callback.
No provider is asked on that way, as if one answered at once. Beside it a meeting that is moved in a
calendar, with the sandbox's own time for three calls in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from tests.bench.household import household
from tests.bench.stand import load_average
from tests.e2e.household import Household, tomorrow

REPORTS: Final = 100
MOVES: Final = 20
PAUSE: Final = 0.15  # seconds between two, so that everything rests
SECRET: Final = "a webhook secret"


async def measure() -> dict[str, Any]:
    """Medians and 99th percentiles, in milliseconds."""
    async with household() as (home, _):
        wish = {"provider": "zoom", "client_id": "bench-zoom", "secret": "none"}
        client = await home.api.post("/v1/clients", {**wish, "webhook_secret": SECRET})
        event, _ = await home.provisioned()
        (conference,) = await home.conferences()
        account = (await home.api.get(f"/v1/connections/{home.zoom}"))["account"]["account_id"]
        async with httpx.AsyncClient() as http:
            url = str(client["notification_url"])
            reports = [
                await _report(home, http, url, account, conference.id) for _ in range(REPORTS)
            ]
        moves = [await _move(home, event.id, number) for number in range(MOVES)]
    return {
        "p50_ms": _at(reports, 50),
        "p99_ms": _at(reports, 99),
        "raw": {
            "reports": REPORTS,
            "moved_in_calendar_p50_ms": _at(moves, 50),
            "moves": MOVES,
            "load": load_average(),
        },
    }


def _at(spans: list[float], percent: int) -> float:
    ordered = sorted(spans)
    return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)


async def _report(
    home: Household, http: httpx.AsyncClient, url: str, account: str, conference: int
) -> float:
    """Report that it started, as Zoom would; seconds until the partner hears of it."""
    thing = {
        "id": str(conference),
        "uuid": secrets.token_hex(8),
        "host_id": home.ada,
        "topic": "Standup",
        "start_time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    payload = {"account_id": account, "object": thing}
    body = json.dumps({"event": "meeting.started", "payload": payload}).encode()
    stamp = str(int(time.time()))
    content = b"v0:%s:%s" % (stamp.encode(), body)
    signature = hmac.digest(SECRET.encode(), content, hashlib.sha256).hex()
    headers = {
        "content-type": "application/json",
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": f"v0={signature}",
    }
    before, began = len(home.partner.heard), time.perf_counter()
    answer = await http.post(url, content=body, headers=headers)
    answer.raise_for_status()
    await home.hears("meeting.started", after=before)
    took = time.perf_counter() - began
    await asyncio.sleep(PAUSE)
    return took


async def _move(home: Household, event: str, number: int) -> float:
    before, began = len(home.partner.heard), time.perf_counter()
    await home.sandbox.google.move_event(home.calendar, event, starts=tomorrow(1 + number % 5))
    await home.hears("meeting.rescheduled", after=before)
    took = time.perf_counter() - began
    await asyncio.sleep(2 * PAUSE)
    return took
