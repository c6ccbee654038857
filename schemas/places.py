"""Where does the subject of a callback stand: whose is it, in which calendars, over which links?"""

from __future__ import annotations

from typing import TypeAlias

from schemas.connections import Connection
from schemas.endpoints import About, Endpoint
from schemas.meetings import Meeting

Subject: TypeAlias = Meeting | Connection | Endpoint


def about(subject: Subject) -> About:
    """What it says of itself; who the users are, only their connections say."""
    match subject:
        case Meeting():
            return _of_meeting(subject)
        case Connection():
            linked_by = subject.linked_by
            return About(
                application=linked_by.id if linked_by.kind == "application" else None,
                connections=frozenset({subject.id}),
                users=frozenset({subject.user} if subject.user else ()),
            )
        case _:
            return About(application=subject.application, endpoint=subject.id)


def _of_meeting(meeting: Meeting) -> About:
    over = [one.connection for one in (meeting.wish, meeting.conference) if one is not None]
    there = {entry.calendar for entry in meeting.written}
    if meeting.authoritative is not None:
        there.add(meeting.authoritative.calendar)
    ours = meeting.origin == "application"
    return About(
        application=meeting.application,
        external_id=meeting.identity.partition("/")[2] if ours else None,
        calendars=frozenset(there),
        connections=frozenset(over),
    )
