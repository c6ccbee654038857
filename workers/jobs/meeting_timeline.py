"""How one thing that happened to a meeting is written into its timeline."""

from __future__ import annotations

from infra.lanes import Entry
from schemas.timeline import TimelineEntry
from workers.runtime import Runtime


def note(
    runtime: Runtime, meeting: str, what: str, words: str = "", *, trace: str, **fields: str | int
) -> Entry:
    """An entry for `Unit.logs`: ids and reasons, never titles, links or tokens."""
    entry = TimelineEntry(at=runtime.now(), what=what, words=words, trace=trace, fields=fields)
    body = entry.model_dump_json(exclude_defaults=True).encode()
    return Entry(f"timeline/{meeting}", body, runtime.settings.keep_timelines)
