"""What happened to one meeting, in order: the entries of its timeline (REQUIREMENTS B-4)."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.records import Moment, Schema


class TimelineEntry(Schema):
    """One thing that happened. `words` is for people: ids, never titles, links or tokens."""

    at: Moment
    what: str
    """A dotted past event: `event.seen`, `conference.provisioned`, `callback.attempted`."""
    words: str = ""
    trace: str = ""
    fields: Mapping[str, str | int] = {}
