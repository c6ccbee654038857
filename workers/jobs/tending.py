"""What is one run over a connection's lane? Its documents, and the unit of its next commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from infra.lanes import Claimed, Item, Lane, Post, Unit
from infra.records import saved
from schemas.callbacks import Callback, CallbackType, Cause, ConnectionData
from schemas.connections import Connection, Tokens
from schemas.items import Load, write_load
from schemas.providers import PROVIDERS, Provider
from schemas.records import Record
from workers.outbox import announce_into
from workers.runtime import Runtime

POSTS_A_COMMIT: Final = 30
"""Below the engine's 64, so that two callbacks to 16 endpoints still fit."""


@dataclass(slots=True)
class Tending:
    """A connection as it is now, as it was stored, and what the next commit says of it."""

    claimed: Claimed
    runtime: Runtime
    connection: Connection
    tokens: Tokens | None
    trace: str
    stored: Connection
    stored_tokens: Tokens | None
    unit: Unit = field(default_factory=Unit)

    @property
    def tenant(self) -> str:
        """Whose connection it is."""
        return self.claimed.lane.tenant

    @property
    def provider(self) -> Provider:
        """The row of its provider."""
        return PROVIDERS[self.connection.provider]

    @property
    def quarantine(self) -> timedelta:
        """After this no request that was sent before can still commit at the provider."""
        seconds = self.runtime.settings.quarantine_s.get(self.connection.provider)
        return self.provider.quarantine if seconds is None else timedelta(seconds=seconds)

    @property
    def is_full(self) -> bool:
        """Whether the next commit has all the posts it may carry."""
        return len(self.unit.posts) >= POSTS_A_COMMIT

    def becomes(self, **changes: object) -> None:
        """Change the connection."""
        self.connection = self.connection.model_copy(update=changes)

    def post(self, lane: Lane, name: str, load: Load) -> None:
        """Post something to another lane with the next commit."""
        self.unit.posts.append(Post(lane, Item(name, write_load(load))))

    async def tell(self, kind: CallbackType, *, by: str, reason: str) -> None:
        """Announce what became of the connection: ids and words, never a credential (S4-2)."""
        self.becomes(sequence=self.connection.sequence + 1)
        data = ConnectionData(
            tenant=self.tenant,
            subject=self.connection.id,
            sequence=self.connection.sequence,
            cause=Cause(by=by, because=reason),
            trace_id=self.trace,
            connection=self.connection.id,
            provider=self.connection.provider,
            account=self.connection.account.name,
            reason=reason,
        )
        callback = Callback(type=kind, data=data)
        now = self.runtime.now()
        await announce_into(
            self.unit, self.runtime, self.tenant, [callback], about=self.connection, now=now
        )

    def settle(self) -> Unit:
        """The unit of the next commit; what follows goes into a new one."""
        unit, self.unit = self.unit, Unit()
        if self.connection != self.stored:
            unit.puts.append(self.connection)
            self.connection = self.stored = saved(self.connection)
        if self.tokens is None and self.stored_tokens is not None:
            unit.drops.append(self.stored_tokens)
        elif self.tokens is not None and self.tokens != self.stored_tokens:
            unit.puts.append(self.tokens)
            self.tokens = saved(self.tokens)
        self.stored_tokens = self.tokens
        return unit

    async def save(self) -> None:
        """Commit and keep the lane."""
        self.claimed = await self.runtime.save(self.claimed, self.settle())

    async def save_if_full(self) -> None:
        """Commit before the unit holds more than a call may carry."""
        if self.is_full:
            await self.save()

    async def keep_beside(self, record: Record, *, empty: bool) -> None:
        """Store a document that stands beside the connection, or drop it when nothing is in it."""
        if not empty:
            self.unit.puts.append(record)
        elif record.rev:
            self.unit.drops.append(record)
        await self.save()


async def begin(claimed: Claimed, runtime: Runtime) -> Tending | None:
    """A run over the lane's connection; None when there is no such connection."""
    tenant, subject = claimed.lane.tenant, claimed.lane.subject
    connection = await runtime.store.documents.get(tenant, Connection, subject)
    if connection is None:
        return None
    tokens = await runtime.store.documents.get(tenant, Tokens, subject)
    return Tending(
        claimed=claimed,
        runtime=runtime,
        connection=connection,
        tokens=tokens,
        trace=runtime.new_id("tr"),
        stored=connection,
        stored_tokens=tokens,
    )
