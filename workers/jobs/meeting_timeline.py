"""How one thing that happened to a meeting is written into its timeline."""

from __future__ import annotations

from infra.lanes import Entry
from schemas.commands import Outcome, Provisioned
from schemas.providers import PROVIDERS
from schemas.timeline import TimelineEntry
from workers.runtime import Runtime


def note(
    runtime: Runtime, meeting: str, what: str, words: str = "", *, trace: str, **fields: str | int
) -> Entry:
    """An entry for `Unit.logs`: ids and reasons, never titles, links or tokens."""
    entry = TimelineEntry(at=runtime.now(), what=what, words=words, trace=trace, fields=fields)
    body = entry.model_dump_json(exclude_defaults=True).encode()
    return Entry(f"timeline/{meeting}", body, runtime.settings.keep_timelines)


def without_fixed_time(outcome: Outcome) -> str:
    """What is to be said of the conference that a series got; nothing where it shows the times."""
    if not isinstance(outcome, Provisioned) or not outcome.conference.slot.is_series:
        return ""
    provider = PROVIDERS[outcome.conference.provider]
    if not provider.series_without_time:
        return ""
    return f"a series has no fixed time at {provider.title}: one link for all its occurrences"
