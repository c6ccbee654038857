"""Why did a meeting not come true? What the store holds of it, for whoever reads the failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container
from contextlib import AsyncExitStack
from pathlib import Path

import orjson

from infra import valkey
from infra.lanes import Lane, LaneState
from infra.settings import Settings
from infra.store import open_store
from schemas.meetings import Meeting


async def stood_still(data: Path, titles: Container[str]) -> list[str]:
    """Of each meeting with such a title: what stands in its way, and how its lane is."""
    settings = Settings(data_dir=data)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        found = [one async for one in _meetings(settings, titles)]
        return [
            _said(meeting, await store.lanes.state(Lane(tenant, "meeting", meeting.id)))
            for tenant, meeting in found
        ]


async def _meetings(
    settings: Settings, titles: Container[str]
) -> AsyncIterator[tuple[str, Meeting]]:
    client = valkey.connect(settings)
    try:
        async for key in client.scan_iter(match="*:doc:meeting:*", count=1000):
            tenant = key.decode().partition("{")[2].partition("}")[0]
            _, _, told = (await client.get(key) or b"").partition(b"\n")
            meeting = Meeting.model_validate(orjson.loads(told))
            if meeting.wish is not None and meeting.wish.slot.title in titles:
                yield tenant, meeting
    finally:
        await client.aclose()


def _said(meeting: Meeting, lane: LaneState) -> str:
    title = meeting.wish.slot.title if meeting.wish else ""
    return f"{title}: trouble {meeting.trouble!r}, intent {meeting.intent!r}, lane {lane!r}"
