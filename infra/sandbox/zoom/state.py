"""What does Zoom remember: hosts, their meetings in order of when they expire, and their apps?"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.sandbox.documents import Doc, rows, text, whole

INFINITY = float("inf")


@dataclass(slots=True)
class User:
    """A person with a Zoom account; `type` 1 is Basic (free), 2 Licensed."""

    id: str
    email: str
    first_name: str
    last_name: str
    account_id: str
    type: int
    plan: str
    zone: str
    pmi: int
    created_at: str


@dataclass(slots=True)
class Meeting:
    """A meeting. `expires` (seconds since 1970) is when its last occurrence ends."""

    doc: Doc
    host: str
    account_id: str
    expires: float = INFINITY
    deleted: bool = False
    live: bool = False
    ended: bool = False
    instance: str = ""
    started_at: str = ""
    participants: list[Doc] = field(default_factory=list)
    instances: list[Doc] = field(default_factory=list)

    @property
    def id(self) -> int:
        """The meeting number."""
        return whole(self.doc, "id")

    @property
    def rank(self) -> tuple[float, int]:
        """Its place among its host's meetings."""
        return self.expires, self.id


@dataclass(slots=True)
class Subscription:
    """An app's event subscription: where its notifications go and how they are signed."""

    id: str
    client: str
    url: str
    secret: str
    events: list[str]
    validated: bool = False
    failures: int = 0
    disabled: bool = False


class Shelf:
    """Meetings by number, and per host in order of expiry: a page of a list costs a page."""

    def __init__(self) -> None:
        self.by_id: dict[int, Meeting] = {}
        self.by_instance: dict[str, Meeting] = {}
        self._of_host: dict[str, list[tuple[float, int]]] = {}

    def put(self, meeting: Meeting) -> None:
        """Keep a meeting, or keep it again after a change."""
        self.take(meeting)
        self.by_id[meeting.id] = meeting
        meeting.expires = expiry(meeting.doc)
        if whole(meeting.doc, "type") != 1 and not meeting.deleted:
            insort(self._of_host.setdefault(meeting.host, []), meeting.rank)

    def take(self, meeting: Meeting) -> None:
        """Take a meeting out of its host's list."""
        ranks = self._of_host.get(meeting.host, [])
        place = bisect_left(ranks, meeting.rank)
        if place < len(ranks) and ranks[place] == meeting.rank:
            del ranks[place]

    def between(
        self, host: str, after: tuple[float, int], upto: float = INFINITY
    ) -> Iterator[Meeting]:
        """Yield a host's meetings that rank after a place and expire by `upto`."""
        ranks = self._of_host.get(host, [])
        for place in range(bisect_left(ranks, (after[0], after[1] + 1)), len(ranks)):
            if ranks[place][0] > upto:
                return
            yield self.by_id[ranks[place][1]]

    def count(self, host: str, after: float, upto: float = INFINITY) -> int:
        """Count a host's meetings that expire in a span."""
        ranks = self._of_host.get(host, [])
        end = bisect_left(ranks, (upto, 0)) if upto != INFINITY else len(ranks)
        return max(end - bisect_left(ranks, (after, 0)), 0)


def expiry(doc: Doc) -> float:
    """Return when the last occurrence ends; never for a meeting without a fixed time."""
    occurrences = [row for row in rows(doc, "occurrences") if row.get("status") != "deleted"]
    last = occurrences[-1] if occurrences else doc
    start = text(last, "start_time")
    if not start:
        return INFINITY
    span = timedelta(minutes=whole(last, "duration"))
    return (datetime.fromisoformat(start) + span).timestamp()
