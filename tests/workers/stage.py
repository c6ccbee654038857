"""How does a test set a tenant up, let workers work, and look at what they left?"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
from pydantic import SecretStr

from infra.lanes import IndexSet, Item, Kind, Lane, Post, Unit
from infra.sandbox.client import Sandbox
from infra.sandbox.hands import Side
from infra.signatures import new_secret
from infra.tokens import Granted
from schemas.callbacks import Callback, CallbackType, Cause, MeetingData, MeetingView
from schemas.connections import Account, Client, Connection, Tokens
from schemas.deliveries import Attempt
from schemas.endpoints import Endpoint, Health, State, state_of, waiting_for
from schemas.items import Load, write_load
from schemas.meetings import Meeting, Status
from schemas.people import Actor
from schemas.providers import PROVIDERS
from schemas.records import Record
from schemas.seals import Sealed
from schemas.timeline import TimelineEntry
from workers.hand import Hand
from workers.jobs.answer_desk import answer_desk
from workers.jobs.fire_callbacks import fire_callback
from workers.jobs.keep_house import keep_house
from workers.jobs.provision_meetings import provision_meeting
from workers.jobs.read_calendars import read_calendar
from workers.jobs.tend_connections import tend_connection
from workers.outbox import announce_into
from workers.runtime import Handler, Runtime
from workers.tokens import sealed_tokens

HANDLERS: dict[Kind, Handler] = {
    "calendar": read_calendar,
    "meeting": provision_meeting,
    "callback": fire_callback,
    "connection": tend_connection,
    "desk": answer_desk,
    "house": keep_house,
}
NOON = datetime(2025, 11, 20, 12, tzinfo=UTC)
APPLICATION = Actor(kind="application", id="app_1")
CLIENT_SECRET = "secret-of-our-client"


async def until(
    holds: Callable[[], Awaitable[object]], *, within: timedelta = timedelta(seconds=60)
) -> None:
    """Wait until it holds."""
    end = time.monotonic() + within.total_seconds()
    while not await holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come to hold in time")
        await asyncio.sleep(0.02)


def _side(sandbox: Sandbox, provider: str) -> Side:
    """The provider as the sandbox plays it."""
    sides = {"zoom": sandbox.zoom, "google": sandbox.google, "goto": sandbox.goto}
    return sides.get(provider, sandbox.graph)


@dataclass
class Stage:
    """One tenant."""

    runtime: Runtime
    tenant: str

    async def keep(self, *records: Record, index: dict[str, list[str]] | None = None) -> None:
        """Store documents and rows of indexes."""
        rows = [IndexSet(name, one, "") for name, all_ in (index or {}).items() for one in all_]
        unit = Unit(puts=list(records), index=[*rows])
        await self.runtime.store.lanes.submit(self.tenant, unit)

    async def endpoint(
        self, url: str, *, application: str = "app_1", signing: int = 1, **facts: object
    ) -> tuple[Endpoint, list[str]]:
        """An endpoint, and its secrets."""
        name = self.runtime.new_id("end")
        context = Sealed.ENDPOINT_SECRET.of(self.tenant, name)
        plain = [new_secret().get_secret_value() for _ in range(signing)]
        lock = self.runtime.vault_lock
        endpoint = Endpoint.model_validate(
            {
                "id": name,
                "application": application,
                "url": url,
                "secrets": [{"sealed": lock.seal(one.encode(), context=context)} for one in plain],
                "created_at": NOON,
                **facts,
            }
        )
        await self.keep(endpoint, index={"endpoints": [name]})
        return endpoint, plain

    async def meeting(self, *, application: str | None = "app_1", **facts: object) -> Meeting:
        """A meeting that some application, or a calendar, asked for."""
        meeting = Meeting.model_validate(
            {
                "id": f"mtg_{secrets.token_hex(12)}",
                "origin": "application" if application else "calendar",
                "identity": f"{application}/{secrets.token_hex(4)}",
                "application": application,
                "created_at": NOON,
                "changed_at": NOON,
                **facts,
            }
        )
        await self.keep(meeting)
        return meeting

    async def announce(self, about: Meeting, count: int = 1) -> list[str]:
        """Announce `meeting.provisioned` so many times; returns the callbacks' ids."""
        unit = Unit()
        callbacks = [self.callback(about, number) for number in range(1, count + 1)]
        now = self.runtime.now()
        await announce_into(unit, self.runtime, self.tenant, callbacks, about=about, now=now)
        await self.runtime.store.lanes.submit(self.tenant, unit)
        kept = [body.name.partition("/") for body in unit.bodies]
        return [id_ for what, _, id_ in kept if what == "callback"]

    def callback(self, about: Meeting, number: int) -> Callback:
        """`meeting.provisioned` about it, with this number."""
        data = MeetingData(
            tenant=self.tenant,
            subject=about.id,
            sequence=number,
            cause=Cause(by="calendar"),
            trace_id="tr_1",
            meeting=MeetingView(
                id=about.id,
                title="Interview",
                starts_at=NOON,
                ends_at=NOON + timedelta(hours=1),
                timezone="UTC",
                status=Status.PROVISIONED,
            ),
        )
        return Callback(type=CallbackType.MEETING_PROVISIONED, data=data)

    async def client(self, sandbox: Sandbox, provider: str = "zoom") -> Client:
        """A client of ours, registered at the sandbox too."""
        name = self.runtime.new_id("cli")
        vendor = f"ours-{secrets.token_hex(4)}"
        side = _side(sandbox, provider)
        await side.add_client(vendor, CLIENT_SECRET)
        context = Sealed.CLIENT_SECRET.of(self.tenant, name)
        client = Client(
            id=name,
            provider=provider,
            client_id=vendor,
            secret_sealed=self.runtime.vault_lock.seal(CLIENT_SECRET.encode(), context=context),
            created_at=NOON,
        )
        await self.keep(client)
        return client

    async def link(
        self, sandbox: Sandbox, *, host: str = "", provider: str = "zoom", ends_in: int = 3600
    ) -> Connection:
        """A connection that is linked to an account of the sandbox."""
        host = host or await sandbox.zoom.add_account("ada@example.org")
        client = await self.client(sandbox, provider)
        side = _side(sandbox, provider)
        grant = await side.sign_in(host, client=client.client_id)
        account = Account(id=host, account_id=f"acc-{self.tenant}", name="Ada", plan="licensed")
        connection = Connection(
            id=self.runtime.new_id("con"),
            provider=provider,
            role=min(PROVIDERS[provider].roles),
            client=client.id,
            account=account,
            scopes=tuple(grant.scope.split()),
            linked_at=NOON,
            linked_by=APPLICATION,
        )
        granted = Granted(
            SecretStr(grant.access),
            SecretStr(grant.refresh),
            self.runtime.now() + timedelta(seconds=ends_in),
            frozenset(grant.scope.split()),
        )
        tokens = sealed_tokens(self.runtime, self.tenant, connection.id, granted, before=None)
        await self.keep(connection, tokens, index={"connections": [connection.id]})
        await self.runtime.store.accounts.add(
            provider, account.account_id, self.tenant, connection.id
        )
        assert PROVIDERS[provider].oauth is not None
        return connection

    async def post(self, kind: Kind, subject: str, load: Load) -> None:
        """Put an item into a lane."""
        item = Item(self.runtime.new_id("it"), write_load(load))
        await self.runtime.store.lanes.post(Post(Lane(self.tenant, kind, subject), item))

    async def connection(self, name: str) -> Connection:
        """The connection as it is stored."""
        found = await self.runtime.store.documents.get(self.tenant, Connection, name)
        assert found is not None
        return found

    async def tokens(self, name: str) -> Tokens | None:
        """A connection's tokens as they are stored."""
        return await self.runtime.store.documents.get(self.tenant, Tokens, name)

    async def idle(self, kind: Kind, subject: str) -> bool:
        """Whether nothing waits in a lane but timers."""
        state = await self.runtime.store.lanes.state(Lane(self.tenant, kind, subject))
        return state.depth == 0 and state.held_until is None

    async def stands(self, endpoint: Endpoint, state: State) -> bool:
        """Whether an endpoint is in a state."""
        store = self.runtime.store
        now = await store.documents.get(self.tenant, Endpoint, endpoint.id)
        health = await store.documents.get(self.tenant, Health, endpoint.id)
        return now is not None and state_of(now, health) == state

    async def waiting(self, endpoint: Endpoint) -> int:
        """How many callbacks wait for an endpoint."""
        return await self.runtime.store.rank.size(self.tenant, waiting_for(endpoint.id))

    async def attempts(self, callback: str) -> list[Attempt]:
        """The attempts at a callback, oldest first."""
        return [Attempt.model_validate_json(one) for one in await self._log(f"attempts/{callback}")]

    async def timeline(self, meeting: str) -> list[TimelineEntry]:
        """What happened to a meeting."""
        lines = await self._log(f"timeline/{meeting}")
        return [TimelineEntry.model_validate_json(one) for one in lines]

    async def told(self, kind: CallbackType) -> list[dict[str, object]]:
        """The callbacks of a type in the tenant's feed: their bodies."""
        store = self.runtime.store
        found = []
        for entry in await store.feed.read(self.tenant):
            body = await store.blobs.get(self.tenant, f"callback/{entry['callback']}")
            told = orjson.loads(body or b"{}")
            if told.get("type") == kind:
                found.append(told)
        return found

    async def _log(self, name: str) -> list[bytes]:
        today = datetime.now(UTC).date()
        return await self.runtime.store.logs.read(
            self.tenant, name, since=today - timedelta(days=1), until=today
        )

    @asynccontextmanager
    async def at_work(self, *kinds: Kind) -> AsyncIterator[None]:
        """Lanes of these kinds are worked while the block lasts, as a worker does it."""

        async def relieve() -> None:
            """Nobody: the term outlasts the test."""

        hands = [Hand(kind, HANDLERS[kind], self.runtime) for kind in kinds]
        terms = [asyncio.create_task(hand.serve(timedelta(minutes=2), relieve)) for hand in hands]
        try:
            yield
        finally:
            for hand in hands:
                hand.stop()
            await asyncio.gather(*terms)
