"""How many signed notifications of Zoom does one receiver keep in a second, and how soon?

In turns, under the same load: bare Starlette on the same server, and Fastify with BullMQ where Node
is there. The store flushes every write before it answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infra import embedded
from infra.cli.ports import free_ports
from infra.store import Store, open_store
from schemas.connections import Route
from schemas.seals import Sealed
from tests.bench.load import Job, Result
from tests.bench.node import peer, peers
from tests.bench.stand import (
    ROUNDS,
    Stand,
    busy,
    listening,
    load_average,
    middle,
    python,
    running,
    stand,
    told,
)

TENANT: Final = "bench"
SECRET: Final = b"a webhook secret"
ACCOUNTS: Final = 500
CONNECTIONS: Final = 128
SECONDS: Final = 4.0
EASY: Final = 200  # requests a second
MOST: Final = 40_000  # requests a second for which there are bodies


@dataclass(frozen=True, slots=True)
class Served:
    """A server under load."""

    port: int
    pid: int


async def measure() -> dict[str, Any]:
    """Medians of rounds in turns; `p99_ms` is at half of our own rate a moment before."""
    with stand() as place:
        async with open_store(place.settings) as store:
            path = await furnish(place, store)
        async with AsyncExitStack() as stack:
            served = await _serve_all(place, stack)
            rounds = [await _round(place, path, served) for _ in range(ROUNDS)]
            half, rewriting = await _at_half_load(place, path, served["ours"])
            easy = await load(place, path, served["ours"], rate=EASY)
    print(
        f"[F18] {EASY} notifications a second: p99 {easy['p99_ms']:.0f} ms,"
        f" {easy['failed']:.0f} without a 2xx"
    )
    return _sum_up(rounds, half, rewriting)


async def furnish(place: Stand, store: Store) -> str:
    """One app's address, and accounts that are linked."""
    context = Sealed.WEBHOOK_SECRET.of(TENANT, "cli_bench")
    route = Route(
        id=secrets.token_urlsafe(24),
        provider="zoom",
        client="cli_bench",
        secrets_sealed=(place.door.seal(SECRET, context=context),),
    )
    await store.documents.put(TENANT, route)
    for number in range(ACCOUNTS):
        await store.accounts.add("zoom", f"account-{number}", TENANT, f"con_{number}")
    return f"/hooks/zoom/{TENANT}.{route.id}"


async def _serve_all(place: Stand, stack: AsyncExitStack) -> dict[str, Served]:
    ports = free_ports(4)
    socket = str(embedded.socket_of(place.settings.data_dir))
    commands = {
        "ours": python("webhooks.receiver"),
        "starlette": python("tests.bench.bare", str(ports[1])),
        "load itself": python("tests.bench.sink", str(ports[2])),
    }
    if peers():
        words = (str(ports[3]), socket, SECRET.decode())
        commands["fastify, bullmq"] = peer("door.mjs", *words)
    served: dict[str, Served] = {}
    environment = place.environment | {"TIELINE_RECEIVER_PORT": str(ports[0])}
    for port, (name, command) in zip(ports, commands.items(), strict=False):
        process = await stack.enter_async_context(running(*command, **environment))
        await listening(port)
        served[name] = Served(port, process.pid)
    return served


async def _round(place: Stand, path: str, served: dict[str, Served]) -> dict[str, dict[str, float]]:
    return {name: await load(place, path, server) for name, server in served.items()}


async def _at_half_load(
    place: Stand, path: str, ours: Served
) -> tuple[dict[str, float], dict[str, float]]:
    """With a file that was rewritten just now, and while it is written anew. Half of what we do in
    this very minute: a machine's speed changes by a third within a few."""
    await place.rewrite()
    await place.rewritten()
    full = await load(place, path, ours)
    half = await load(place, path, ours, rate=full["per_second"] / 2)
    await place.rewrite()
    return half, await load(place, path, ours, rate=full["per_second"] / 2)


def _sum_up(
    rounds: list[dict[str, dict[str, float]]], half: dict[str, float], rewriting: dict[str, float]
) -> dict[str, Any]:
    def ratio(name: str, figure: str = "per_second") -> float | None:
        if name not in rounds[0]:
            return None
        return middle(each["ours"][figure] / each[name][figure] for each in rounds)

    in_rounds = sum(each[name]["failed"] for each in rounds for name in each)
    failed = in_rounds + half["failed"] + rewriting["failed"]
    cheaper = ratio("starlette", "cpu_us")
    return {
        "ratio_starlette": ratio("starlette"),
        "ratio_bullmq": ratio("fastify, bullmq"),
        "p99_ms": round(half["p99_ms"], 1),
        "raw": {
            **{
                figure: {
                    name: middle((each[name][figure] for each in rounds), 0) for name in rounds[0]
                }
                for figure in ("per_second", "cpu_us", "store_us")
            },
            "cpu_ratio_starlette": round(1 / cheaper, 2) if cheaper else None,
            "half_load_per_second": round(half["per_second"]),
            "half_load_p50_ms": round(half["p50_ms"], 1),
            "half_load_p99_ms_while_the_file_is_rewritten": round(rewriting["p99_ms"], 1),
            "failed": failed,
            "connections": CONNECTIONS,
            "load": load_average(),
        },
    }


async def load(
    place: Stand, path: str, server: Served, rate: float | None = None
) -> dict[str, float]:
    """Load one server; the result, and what a request cost it and the store."""
    requests = place.home / "requests"
    await asyncio.to_thread(write_requests, requests, path, int((rate or MOST) * SECONDS * 1.1))
    job = Job(
        port=server.port,
        requests=str(requests),
        connections=CONNECTIONS,
        seconds=SECONDS,
        rate=rate,
    )
    before, store_before = busy(server.pid), place.store_seconds()
    result: Result = await told(*python("tests.bench.load"), given=job)
    count = sum(result["statuses"].values())
    return {
        "per_second": result["per_second"],
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
        "cpu_us": 1e6 * (busy(server.pid) - before) / count,
        "store_us": 1e6 * (place.store_seconds() - store_before) / count,
        "failed": count - result["statuses"].get("200", 0),
    }


def write_requests(file: Path, path: str, count: int, accounts: int = ACCOUNTS) -> None:
    """Requests as Zoom sends them, no two alike, signed now."""
    stamp = str(int(datetime.now(UTC).timestamp()))
    run = secrets.token_hex(4)
    with file.open("wb") as out:
        for number in range(count):
            body = _BODY % (number % accounts, run.encode(), number)
            content = b"v0:%s:%s" % (stamp.encode(), body)
            signature = hmac.digest(SECRET, content, hashlib.sha256).hex()
            head = _HEAD % (path.encode(), stamp.encode(), signature.encode(), len(body))
            out.write((len(head) + len(body)).to_bytes(4, "big") + head + body)


_BODY: Final = (
    b'{"event":"meeting.participant_joined","event_ts":1626230691572,"payload":{'
    b'"account_id":"account-%d","object":{"id":"1234567890","uuid":"%s-%d==",'
    b'"host_id":"x1yCzABCDEfg23HiJKl4mN","topic":"My Meeting","type":8,'
    b'"start_time":"2021-07-13T21:44:51Z","timezone":"America/Los_Angeles","duration":60,'
    b'"participant":{"user_id":"55555AAAiAAAAAiAiAiiAii","user_name":"Jill Chill",'
    b'"id":"iFxeBPYun6SAiWUzBcEkX","participant_uuid":"55555AAAiAAAAAiAiAiiAii",'
    b'"join_time":"2021-07-13T21:44:51Z","email":"jchill@example.com"}}}}'
)
_HEAD: Final = (
    b"POST %s HTTP/1.1\r\nhost: receiver.example.com\r\nuser-agent: Zoom Marketplace/1.0a\r\n"
    b"content-type: application/json; charset=utf-8\r\nclientid: QkVOQ0g\r\n"
    b"x-zm-request-timestamp: %s\r\nx-zm-signature: v0=%s\r\ncontent-length: %d\r\n\r\n"
)
