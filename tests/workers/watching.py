"""How does a test let a calendar be watched, and see what became of its subscriptions?"""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Lane, Post, RankSet, Unit
from infra.sandbox.client import Sandbox
from infra.sandbox.documents import Doc
from schemas.connections import Calendar, Connection, Reading
from schemas.events import Sighting
from schemas.policy import KeywordRule, PolicyRules
from tests.workers.stage import NOON, Stage, until

ADA = "ada@example.org"


async def watch(stage: Stage, sandbox: Sandbox, *, conferencing: str = "con_zoom") -> Calendar:
    """Ada's calendar, linked and to be read; its lane is marked."""
    await sandbox.google.add_account(ADA)
    connection: Connection = await stage.link(sandbox, host=ADA, provider="google")
    calendar = Calendar(
        id=stage.runtime.new_id("cal"),
        connection=connection.id,
        provider="google",
        provider_id=ADA,
        created_at=NOON,
    )
    rules = (KeywordRule(keyword="zoom", conferencing=conferencing),)
    policy = PolicyRules(id="policy", rules=rules)
    await stage.keep(calendar, policy, index={"calendars": [calendar.id]})
    await mark(stage, calendar)
    return calendar


async def mark(stage: Stage, calendar: Calendar, *timers: str) -> None:
    """A hint, and timers that are due now."""
    lane = Lane(stage.tenant, "calendar", calendar.id)
    due = dict.fromkeys(timers, timedelta(0))
    await stage.runtime.store.lanes.post(Post(lane, mark=True, timers=due))


async def reading_of(stage: Stage, calendar: Calendar) -> Reading:
    """How far it was read."""
    found = await stage.runtime.store.documents.get(stage.tenant, Reading, calendar.id)
    return found or Reading(id=calendar.id)


async def was_read(stage: Stage, calendar: Calendar, *, generation: int = 1) -> Reading:
    """Wait until it was read to the end in this generation, and nothing is left to do."""

    async def read() -> bool:
        reading = await reading_of(stage, calendar)
        idle = await stage.idle("calendar", calendar.id)
        return idle and reading.generation >= generation and reading.cursor is not None

    await until(read)
    return await reading_of(stage, calendar)


async def living(sandbox: Sandbox) -> list[Doc]:
    """The channels that Google still sends on."""
    return [one for one in await sandbox.google.channels() if not one["stopped"]]


async def sighting(stage: Stage, calendar: Calendar, event: str) -> Sighting | None:
    """What is kept of an event."""
    key = Sighting.key(calendar.id, event)
    return await stage.runtime.store.documents.get(stage.tenant, Sighting, key)


async def shown_once(stage: Stage, like: Sighting, event: str) -> Sighting:
    """Keep the sighting of another event, as the first full reading would have shown it."""
    another = like.model_copy(
        update={
            "id": Sighting.key(like.calendar, event),
            "rev": 0,
            "meeting": "mtg_of_another",
            "event": like.event.model_copy(update={"id": event}),
        }
    )
    row = RankSet(f"events:{like.calendar}", event, 1)
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(puts=[another], rank=[row]))
    return another
