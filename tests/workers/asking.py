"""How does a test ask for a meeting as a partner does, and see what the lane made of it?"""

from __future__ import annotations

import secrets
from datetime import timedelta

from schemas.connections import Connection
from schemas.events import Slot
from schemas.items import Asked
from schemas.meetings import Ask, ByConnection, Conference, Meeting
from tests.workers.stage import APPLICATION, Stage, until
from workers.access import with_access
from workers.domain.references import reference
from workers.ports import Access

START_IN = timedelta(days=1)


def slot(stage: Stage, title: str = "Interview") -> Slot:
    """Tomorrow, for an hour."""
    starts = stage.runtime.now().replace(microsecond=0) + START_IN
    return Slot(title=title, starts_at=starts, ends_at=starts + timedelta(hours=1))


async def ask(stage: Stage, connection: Connection, **facts: object) -> Ask:
    """Ask for a meeting through this connection."""
    asked = Ask.model_validate(
        {
            "id": f"mtg_{secrets.token_hex(12)}",
            "application": "app_1",
            "external_id": secrets.token_hex(4),
            "slot": slot(stage),
            "conferencing": ByConnection(connection=connection.id),
            "actor": APPLICATION,
            "asked_at": stage.runtime.now(),
            "body_sha256": "",
            **facts,
        }
    )
    await stage.keep(asked)
    await stage.post("meeting", asked.id, Asked(actor=APPLICATION, trace="tr_1"))
    return asked


async def ask_again(stage: Stage, asked: Ask, **facts: object) -> Ask:
    """Change what was asked for."""
    stored = await stage.runtime.store.documents.get(stage.tenant, Ask, asked.id)
    assert stored is not None
    changed = stored.model_copy(update=facts)
    await stage.keep(changed)
    await stage.post("meeting", asked.id, Asked(actor=APPLICATION, trace="tr_2"))
    return changed


async def left_by_a_try(stage: Stage, connection: Connection, meeting: str) -> Conference:
    """A conference that carries the reference of the meeting's first try."""
    runtime = stage.runtime
    named = reference(runtime.reference_key, meeting, 1)

    async def make(provider: str, granted: Access) -> Conference:
        port = runtime.conferences[provider]
        return await port.create(granted, slot(stage), named, send_by=float("inf"))

    return await with_access(runtime, stage.tenant, connection.id, make)


async def meeting_of(stage: Stage, asked: Ask) -> Meeting:
    """What is there of it."""
    found = await stage.runtime.store.documents.get(stage.tenant, Meeting, asked.id)
    assert found is not None
    return found


async def happened(stage: Stage, asked: Ask, what: str) -> None:
    """Wait until its timeline tells of this."""

    async def told() -> bool:
        return what in [entry.what for entry in await stage.timeline(asked.id)]

    await until(told)


async def rests(stage: Stage, asked: Ask) -> Meeting:
    """Wait until nothing lies in the meeting's lane."""
    await until(lambda: stage.idle("meeting", asked.id))
    return await meeting_of(stage, asked)
