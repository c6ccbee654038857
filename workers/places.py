"""Where does the subject of a callback stand: whose is it, in which calendars, over which links?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from infra.lanes import IndexDrop, IndexSet
from schemas.callbacks import Callback, CallbackType
from schemas.connections import Calendar, Connection
from schemas.endpoints import About, Endpoint
from schemas.meetings import Meeting
from workers.runtime import Runtime

Subject: TypeAlias = Meeting | Connection | Endpoint

PLACES: Final = "places"
"""Index of a tenant whose endpoints filter by place: meeting -> where it ever stood, so that who
heard of it also hears that it has gone from there."""


async def about_of(
    runtime: Runtime, tenant: str, about: Subject, endpoints: Sequence[Endpoint]
) -> About:
    """What filters judge by. Places are looked up only where some endpoint asks for them."""
    known = _said(about)
    if not any(one.filters.look_at_places for one in endpoints):
        return known
    if isinstance(about, Meeting):
        stored = await runtime.store.index.get(tenant, PLACES, about.id)
        if stored is not None:
            known = known.with_places(About.model_validate_json(stored))
    if any(one.filters.users for one in endpoints):
        users = await _users(runtime, tenant, known)
        known = known.model_copy(update={"users": known.users | users})
    return known


def remembered(
    about: Subject, known: About, callbacks: Iterable[Callback]
) -> list[IndexSet | IndexDrop]:
    """Rows that keep a meeting's places until its end has been told."""
    if not isinstance(about, Meeting) or not (known.calendars or known.connections or known.users):
        return []
    if any(one.type is CallbackType.MEETING_TORN_DOWN for one in callbacks):
        return [IndexDrop(PLACES, about.id)]
    return [IndexSet(PLACES, about.id, known.model_dump_json())]


def _said(about: Subject) -> About:
    match about:
        case Meeting():
            return _of_meeting(about)
        case Connection():
            linked_by = about.linked_by
            return About(
                application=linked_by.id if linked_by.kind == "application" else None,
                connections=frozenset({about.id}),
                users=frozenset({about.user} if about.user else ()),
            )
        case Endpoint():
            return About(application=about.application, endpoint=about.id)


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


async def _users(runtime: Runtime, tenant: str, known: About) -> frozenset[str]:
    """The users whose connections it stands on, those of its calendars among them."""
    documents = runtime.store.documents
    calendars = await documents.get_all(tenant, Calendar, sorted(known.calendars))
    over = known.connections | {calendar.connection for calendar in calendars}
    links = await documents.get_all(tenant, Connection, sorted(over))
    return frozenset(link.user for link in links if link.user)
