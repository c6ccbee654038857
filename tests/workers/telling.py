"""How does a test let Microsoft's notifications carry content, and see what became of it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from infra import certificates
from infra.certificates import Certificates
from infra.sandbox.client import Sandbox
from infra.seal import KeyRing
from schemas.connections import Calendar
from schemas.events import Sighting
from schemas.items import ContentTold
from schemas.seals import Sealed
from tests.receiver.served import served
from tests.workers.stage import Stage, until
from tests.workers.test_graph_lane import watch
from tests.workers.watching import was_read
from webhooks.addresses import Directory
from webhooks.hearing import Hearing
from webhooks.receiver import Receiver, new_id
from webhooks.tally import Tally
from workers.providers import calendars, contents
from workers.runtime import Runtime

PLACE = {"displayName": "zoom"}


@dataclass
class Told:
    """What became of contents, by word."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def count(self, provider: str, outcome: str) -> None:
        assert provider == "graph"
        self.outcomes[outcome] += 1


@asynccontextmanager
async def switched_on(runtime: Runtime, told: Told, home: Path) -> AsyncIterator[Runtime]:
    """A runtime with a certificate, and a door that hears what the sandbox pushes."""
    certificates.make(home / "content.pem", now=datetime.now(UTC))
    certified = Certificates.load(home / "content.pem")
    hearing = Hearing(
        Directory(runtime.store, KeyRing.fresh()),
        runtime.store.lanes,
        pressed=lambda: False,
        now=runtime.now,
        new_id=new_id,
        vault=runtime.vault_lock,
    )
    door = Receiver(hearing, tally=Tally(CollectorRegistry()), rest=Starlette())
    wire = runtime.providers_wire
    async with served(door) as port:
        address = f"http://127.0.0.1:{port}"
        yield replace(
            runtime,
            settings=runtime.settings.model_copy(update={"receiver_url": address}),
            calendars=calendars(wire, runtime.now, certified),
            contents=contents(wire, runtime.now, certified),
            content_told=told.count,
        )


@dataclass
class Watched:
    """Ada's calendar, read to the end, with an event that became a sighting."""

    stage: Stage
    sandbox: Sandbox
    told: Told
    calendar: Calendar
    mailbox: str
    event: str

    async def readings(self) -> int:
        return await self.sandbox.calls("graph.list")

    async def settles(self, *outcomes: str) -> None:
        """Wait until contents came to these words, and the lane is idle."""

        async def settled() -> bool:
            here = all(self.told.outcomes[one] for one in outcomes)
            return here and await self.stage.idle("calendar", self.calendar.id)

        await until(settled)

    async def is_read(self, *, since: int) -> None:
        """Wait until it was read once more, and the lane is idle."""

        async def read() -> bool:
            done = await self.stage.idle("calendar", self.calendar.id)
            return done and await self.readings() > since

        await until(read)

    async def sighting(self) -> Sighting:
        key = Sighting.key(self.calendar.id, self.event)
        found = await self.stage.runtime.store.documents.get(self.stage.tenant, Sighting, key)
        assert found is not None
        return found

    async def etag(self) -> str:
        """The event's version at Microsoft."""
        entry = await self.sandbox.graph.event(self.mailbox, self.event)
        return str(entry.doc["@odata.etag"])

    async def hears(self, load: bytes) -> None:
        """A content lies in the lane, sealed as the door seals it."""
        context = Sealed.CONTENT.of(self.stage.tenant, self.calendar.id)
        sealed = self.stage.runtime.vault_lock.seal(load, context=context)
        await self.stage.post("calendar", self.calendar.id, ContentTold(sealed=sealed))


@asynccontextmanager
async def untold(watched: Watched) -> AsyncIterator[None]:
    """Nobody is told of what happens in the block."""
    await watched.sandbox.manners("graph", drop=1.0)
    yield
    await watched.sandbox.settled()
    await watched.sandbox.manners("graph", drop=0.0)


@asynccontextmanager
async def watching(stage: Stage, sandbox: Sandbox, told: Told) -> AsyncIterator[Watched]:
    """Ada's calendar, for as long as the block lasts."""
    calendar, mailbox = await watch(stage, sandbox)
    made = await sandbox.graph.add_event(mailbox, title="Interview", location=PLACE)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        yield Watched(stage, sandbox, told, calendar, mailbox, made.id)
