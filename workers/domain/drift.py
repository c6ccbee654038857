"""What is not as our books say: at a conferencing provider, in a calendar? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from schemas.drift import Drifted, Listed
from schemas.events import Event
from schemas.meetings import Meeting, join_link
from schemas.policy import is_past
from workers.domain.polling import differs

Kind: TypeAlias = Literal["missing", "stale", "orphaned", "foreign"]

MISSING: Final = "the provider has it no more"
UNWANTED: Final = "its meeting is not to be any more"
CHANGED: Final = "it does not show what its meeting wants"
NOBODYS: Final = "the ledger names it, and its meeting has another conference or none"
LOST: Final = "it carries the reference of a meeting that has another conference or none"
UNKNOWN: Final = "it carries a reference that the ledger does not hold"
FOREIGN: Final = "it is none of ours"
COPIED: Final = "it carries the mark of a meeting that is not in this event"
UNTOLD: Final = "it still carries the link of a meeting that has none"
OTHER_LINK: Final = "it carries another link than its meeting has"
NO_LINK: Final = "it does not carry the link of its meeting"
OWN_LINK: Final = "it carries a link that is none of ours"


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger of a connection (conference or reference -> meeting), and those meetings."""

    ledger: Mapping[str, str]
    meetings: Mapping[str, Meeting]
    now: datetime


def at_provider(listed: Sequence[Listed], books: Books) -> list[Drifted]:
    """What the account shows that it should not, or shows otherwise."""
    found = (_of_conference(row, books) for row in listed)
    return [drifted for drifted in found if drifted is not None]


def unlisted(listed: Sequence[Listed], books: Books, connection: str) -> list[Meeting]:
    """The meetings whose conferences should be there and are in no list: a list may lag, so each
    is asked for by itself."""
    there = {row.id for row in listed}
    return [
        meeting
        for meeting in books.meetings.values()
        if meeting.conference is not None
        and meeting.conference.connection == connection
        and meeting.conference.id not in there
        and not is_past(meeting.conference.slot, books.now)
    ]


def missing(meeting: Meeting, conference: str) -> Drifted:
    """A conference that the provider has no more."""
    return _conference("missing", conference, MISSING, meeting=meeting.id, held=True)


def in_calendar(
    calendar: str,
    events: Sequence[Event],
    seen: Mapping[str, str],
    meetings: Mapping[str, Meeting],
) -> list[Drifted]:
    """What events show otherwise than their meetings say. `seen`: event -> meeting."""
    found = (_of_event(calendar, event, seen.get(event.id, ""), meetings) for event in events)
    return [drifted for drifted in found if drifted is not None]


def _of_conference(row: Listed, books: Books) -> Drifted | None:
    holder = books.ledger.get(row.id)
    if holder is None:
        return _unheld(row, books)
    meeting = books.meetings.get(holder)
    conference = meeting.conference if meeting else None
    if meeting is None or conference is None or conference.id != row.id:
        return _conference("orphaned", row.id, NOBODYS, meeting=holder, held=True)
    if is_past(conference.slot, books.now):
        return None
    if meeting.wish is None:
        return _conference("orphaned", row.id, UNWANTED, meeting=holder, held=True)
    if differs(row, meeting) or conference.shown != meeting.wish.slot.fingerprint:
        return _conference("stale", row.id, CHANGED, meeting=holder, held=True)
    return None


def _unheld(row: Listed, books: Books) -> Drifted:
    """A person may copy a conference with all that stands in it: a reference alone makes it ours
    only where the ledger knows it, and then only a sweep may prove that it is a lost try."""
    if not row.reference:
        return _conference("foreign", row.id, FOREIGN)
    known = (name for name in books.ledger if name.startswith(row.reference))
    if (reference := next(known, None)) is None:
        return _conference("orphaned", row.id, UNKNOWN)
    holder = books.ledger[reference]
    lost = _conference("orphaned", row.id, LOST, meeting=holder, held=True)
    return lost.model_copy(update={"reference": reference})


def _of_event(
    calendar: str, event: Event, seen: str, meetings: Mapping[str, Meeting]
) -> Drifted | None:
    if event.cancelled:
        return None
    if event.mark is not None:
        return _of_marked(calendar, event, meetings)
    meeting = meetings.get(seen)
    if meeting is not None and _is_in(meeting, calendar, event) and join_link(meeting):
        return _event("missing", calendar, event, NO_LINK, meeting=meeting.id)
    if event.foreign_link:
        return _event("foreign", calendar, event, OWN_LINK)
    return None


def _of_marked(calendar: str, event: Event, meetings: Mapping[str, Meeting]) -> Drifted | None:
    named, link = (event.mark.meeting, event.mark.join_url) if event.mark else ("", "")
    meeting = meetings.get(named)
    if meeting is None or not _is_in(meeting, calendar, event):
        return _event("orphaned", calendar, event, COPIED)
    if join_link(meeting) is None:
        return _event("orphaned", calendar, event, UNTOLD, meeting=named)
    if link != join_link(meeting):
        return _event("stale", calendar, event, OTHER_LINK, meeting=named)
    if meeting.wish is not None and not event.slot.agrees_with(meeting.wish.slot):
        return _event("stale", calendar, event, CHANGED, meeting=named)
    return None


def _is_in(meeting: Meeting, calendar: str, event: Event) -> bool:
    """Whether the ledger says that the meeting stands, or is to stand, in this event."""
    copy = meeting.authoritative
    places = {(one.calendar, one.event) for one in meeting.written}
    places |= {(copy.calendar, copy.event.id)} if copy else set()
    return (calendar, event.id) in places


def _conference(
    kind: Kind, name: str, words: str, *, meeting: str = "", held: bool = False
) -> Drifted:
    return Drifted(side="conference", kind=kind, id=name, words=words, meeting=meeting, held=held)


def _event(kind: Kind, calendar: str, event: Event, words: str, *, meeting: str = "") -> Drifted:
    return Drifted(
        side="calendar",
        kind=kind,
        id=event.id,
        calendar=calendar,
        words=words,
        meeting=meeting,
        held=bool(meeting),
    )
