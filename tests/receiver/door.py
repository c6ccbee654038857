"""A receiver over a real store, its addresses, and what lies in the lanes behind it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import httpx
import orjson
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from infra.lanes import Claimed, Lane
from infra.seal import KeyRing
from infra.store import Store
from schemas.connections import Account, Client, Connection, Route
from schemas.people import Actor
from schemas.providers import Role
from schemas.seals import Sealed
from webhooks.addresses import Directory
from webhooks.hearing import Hearing
from webhooks.receiver import Receiver, new_id
from webhooks.tally import Tally

SECRET: Final = "a webhook secret of Zoom"
NUMBERS: Final = itertools.count()


class Pushed(NamedTuple):
    """A request of a provider, and the lane where it ought to end."""

    path: str
    headers: dict[bytes, bytes]
    body: bytes
    lane: Lane

    def without(self, header: bytes) -> Pushed:
        """The same, but for one header."""
        return self._replace(headers={k: v for k, v in self.headers.items() if k != header})

    def with_header(self, header: bytes, value: bytes) -> Pushed:
        """The same with one header set."""
        return self._replace(headers={**self.headers, header: value})

    def to(self, path: str) -> Pushed:
        """The same to another address."""
        return self._replace(path=path)


@dataclass
class Door:
    """The app under test. `now` is its clock, `pressed` whether the store is nearly full."""

    store: Store
    ring: KeyRing
    tenant: str = field(default_factory=lambda: f"t-{secrets.token_hex(6)}")
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    pressed: bool = False
    vault: KeyRing | None = field(default_factory=KeyRing.fresh)

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        hearing = Hearing(
            Directory(self.store, self.ring),
            self.store.lanes,
            pressed=lambda: self.pressed,
            now=lambda: self.now,
            new_id=new_id,
            vault=self.vault.newest if self.vault else None,
        )
        self.app = Receiver(hearing, tally=Tally(self.registry), rest=Starlette())
        transport = httpx.ASGITransport(self.app)  # lets what the app raises through
        self.http = httpx.AsyncClient(transport=transport, base_url="http://receiver")

    async def push(self, pushed: Pushed, *, in_chunks: bool = False) -> httpx.Response:
        """Send it; in chunks, no length is announced."""
        content = _chunks(pushed.body) if in_chunks else pushed.body
        headers = list(pushed.headers.items())
        return await self.http.post(pushed.path, headers=headers, content=content)

    async def kept(self, pushed: Pushed) -> int:
        """How many lanes came to hold something of it: its own, or none."""
        state = await self.store.lanes.state(pushed.lane)
        return int(state.depth > 0 or state.mark > 0)

    async def items(self, pushed: Pushed) -> int:
        """How many items lie in its lane."""
        return (await self.store.lanes.state(pushed.lane)).depth

    async def claim(self, lane: Lane) -> Claimed:
        """What a worker finds in a lane of this test."""
        claims = await self.store.lanes.claim(lane.kind, 1_000, empty=True)
        for claim in claims:
            await self.store.lanes.release(claim)
        return next(claim for claim in claims if claim.lane == lane)

    def counted(self, provider: str, outcome: str) -> float:
        """How often a notification came to this."""
        labels = {"provider": provider, "outcome": outcome}
        return self.registry.get_sample_value("tieline_notifications_total", labels) or 0.0

    async def channel(self, **fields: object) -> tuple[Route, str]:
        """A calendar's channel; returns its route and the token."""
        token = secrets.token_urlsafe(32)
        number = next(NUMBERS)
        route = Route.model_validate(
            {
                "id": secrets.token_urlsafe(24),
                "provider": "google",
                "calendar": f"cal_{number}",
                "proof_sha256": hashlib.sha256(token.encode()).hexdigest(),
                "subscription": f"channel-{number}",
                "resource": f"resource-{number}",
                **fields,
            }
        )
        await self.store.documents.put(self.tenant, route)
        return route, token

    async def app_route(
        self,
        *secrets_: str,
        provider: str = "zoom",
        tenant: str | None = None,
        retired: bool = False,
    ) -> Route:
        """The address of an app that signs with any of these secrets."""
        tenant, client = tenant or self.tenant, f"cli_{next(NUMBERS)}"
        sealed = self.sealed(tenant, client, *(secrets_ or (SECRET,)))
        route = Route(
            id=secrets.token_urlsafe(24),
            provider=provider,
            client=client,
            secrets_sealed=sealed,
            retired=retired,
        )
        await self.store.documents.put(tenant, route)
        await self.store.documents.put(
            tenant,
            Client(
                id=client,
                provider=provider,
                client_id="at the vendor",
                secret_sealed="",
                webhook_secrets_sealed=sealed,
                route=route.id,
                created_at=self.now,
            ),
        )
        return route

    def sealed(self, tenant: str, client: str, *secrets_: str) -> tuple[str, ...]:
        """Secrets as the API would seal them."""
        context = Sealed.WEBHOOK_SECRET.of(tenant, client)
        return tuple(self.ring.newest.seal(each.encode(), context=context) for each in secrets_)

    async def linked(
        self,
        account: str,
        *,
        provider: str = "zoom",
        tenant: str | None = None,
        client: str | None = None,
    ) -> Lane:
        """A connection that is linked to an account at the provider."""
        tenant, connection = tenant or self.tenant, f"con_{next(NUMBERS)}"
        await self.store.documents.put(
            tenant,
            Connection(
                id=connection,
                provider=provider,
                role=Role.CONFERENCING,
                client=client,
                account=Account(id="host", account_id=account),
                linked_at=self.now,
                linked_by=Actor(kind="operator"),
            ),
        )
        await self.store.accounts.add(provider, account, tenant, connection)
        return Lane(tenant, "connection", connection)


def zoom_headers(
    door: Door, body: bytes, *, secret: str = SECRET, ago: timedelta = timedelta(0)
) -> dict[bytes, bytes]:
    """The headers with which Zoom would send this body, written from Zoom's own description."""
    stamp = str(int((door.now - ago).timestamp())).encode()
    digest = hmac.new(secret.encode(), b"v0:" + stamp + b":" + body, hashlib.sha256).hexdigest()
    return {
        b"content-type": b"application/json; charset=utf-8",
        b"x-zm-request-timestamp": stamp,
        b"x-zm-signature": b"v0=" + digest.encode(),
    }


def zoom_body(account: str, event: str = "meeting.started", **payload: object) -> bytes:
    """An event of Zoom, unlike any other."""
    return orjson.dumps(
        {
            "event": event,
            "event_ts": next(NUMBERS),
            "payload": {"account_id": account, **payload},
        }
    )


async def until(holds: Callable[[], bool]) -> None:
    """Let others work until it holds; a test that waits in vain fails after 20 s."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  what changes it knows of no event
            await asyncio.sleep(0.001)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]
