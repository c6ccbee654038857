"""What is wanted now? Takes note of what was seen, before anything is decided. Pure."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Literal, assert_never

from schemas.events import Event, Mark
from schemas.meetings import (
    Ask,
    AskSeen,
    ByConnection,
    ByJoinUrl,
    EventCopy,
    EventsSeen,
    Meeting,
    Seen,
    Written,
)
from schemas.policy import Policy, Verdict, Wish, is_past
from workers.domain.evolve import settle, undone
from workers.domain.truth import led


def notice(seen: Seen, meeting: Meeting, policy: Policy, now: datetime) -> Meeting:
    """The meeting with today's wish and its reason. Only the last sighting matters: a second call
    with the same sighting changes nothing."""
    match seen:
        case EventsSeen(copies=copies):
            noted = _from_events(copies, meeting, policy, now)
        case AskSeen(ask=ask):
            noted = _from_ask(ask, meeting, policy, now)
        case _:
            assert_never(seen)
    noted = led(noted, policy)
    intent = noted.intent
    idle = intent is not None and not intent.sent and noted.wish is None
    return settle(undone(noted) if idle else noted)


def authoritative(copies: tuple[EventCopy, ...], rooms: Container[str]) -> EventCopy | None:
    """The one copy that is written: the organiser's, else a room's, else the oldest, and one that
    was declined only where there is no other (ENGINE 24)."""
    live = [copy for copy in copies if not copy.event.cancelled]
    return min(
        live,
        key=lambda copy: (
            copy.event.declined,
            not copy.event.organizer,
            copy.calendar not in rooms,
            copy.first_seen_at,
            copy.calendar,
        ),
        default=None,
    )


def _from_events(
    copies: tuple[EventCopy, ...], meeting: Meeting, policy: Policy, now: datetime
) -> Meeting:
    copy = authoritative(copies, policy.rooms)
    standing = tuple(entry for entry in meeting.written if _stands(entry, copies, meeting.id))
    if copy is None:
        verdict = Verdict(wish=None, because="the event is in none of the watched calendars")
    else:
        verdict = _verdict(copy, meeting, policy, now, room=_room(copies, policy))
    return meeting.model_copy(
        update={
            "wish": verdict.wish,
            "because": verdict.because,
            "authoritative": copy,
            "written": standing,
        }
    )


def _room(copies: tuple[EventCopy, ...], policy: Policy) -> str | None:
    """The connection of the room that the event is in, if it is in one and was not declined."""
    served = (copy for copy in copies if not (copy.event.cancelled or copy.event.declined))
    return next((policy.rooms[c.calendar] for c in served if c.calendar in policy.rooms), None)


def _verdict(
    copy: EventCopy, meeting: Meeting, policy: Policy, now: datetime, *, room: str | None
) -> Verdict:
    if meeting.conference is not None and is_past(copy.event.slot, now):
        kept = Wish(
            slot=copy.event.slot,
            connection=meeting.conference.connection,
            truth=meeting.wish.truth if meeting.wish else None,
        )
        return Verdict(wish=kept, because="it is over; what exists is left as it is")
    event = copy.event
    if event.foreign_link and _lives_there(event, meeting, policy):
        event = event.model_copy(update={"foreign_link": False})
    return policy.verdict(event, now, room=room)


def _lives_there(event: Event, meeting: Meeting, policy: Policy) -> bool:
    """Whether the event's own link is that of our conference: one that lives in the event, or
    may by now, for a create is under way."""
    if meeting.conference is not None:
        return event.link == meeting.conference.join_url
    intent = meeting.intent
    link = policy.links.get(intent.connection) if intent is not None else None
    return link is not None and link.in_event


def _stands(entry: Written, copies: tuple[EventCopy, ...], meeting: str) -> bool:
    """Whether the event we wrote into still exists, with our link in it as far as is known. A
    version that we do not know must show the very link; else somebody took it out or brought an
    older one back."""
    for copy in copies:
        event = copy.event
        if (copy.calendar, event.id) == (entry.calendar, entry.event) and not event.cancelled:
            known = not entry.etags or event.etag in entry.etags
            return known or event.mark == Mark(meeting=meeting, join_url=entry.join_url)
    return False


def _from_ask(ask: Ask, meeting: Meeting, policy: Policy, now: datetime) -> Meeting:
    link: str | None = None
    wish: Wish | None = None
    because = "the application named no conferencing"
    if ask.cancelled:
        because = "the application cancelled it"
    elif isinstance(ask.conferencing, ByJoinUrl):
        link, because = ask.conferencing.join_url, "the application brought its own join link"
    elif ask.conferencing != "none":
        wish, because = _asked_for(ask, meeting, policy, now)
    given = ask.slot if link is not None else None
    return meeting.model_copy(
        update={"wish": wish, "given_link": link, "given_slot": given, "because": because}
    )


def _asked_for(
    ask: Ask, meeting: Meeting, policy: Policy, now: datetime
) -> tuple[Wish | None, str]:
    if is_past(ask.slot, now):
        if meeting.conference is None:
            return None, "it is over"
        kept = _wished(ask, meeting.conference.connection)
        return kept, "it is over; what exists is left as it is"
    named = ask.conferencing.connection if isinstance(ask.conferencing, ByConnection) else "default"
    connection = policy.connection(named)
    if connection is None:
        return None, "the application asks for the default, and none is set"
    return _wished(ask, connection), "the application asks for it"


def _wished(ask: Ask, connection: str) -> Wish:
    truth: Literal["conference"] | None = (
        "conference" if ask.source_of_truth == "conference" else None
    )
    return Wish(slot=ask.slot, connection=connection, truth=truth)
