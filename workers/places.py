"""Where does the subject of a callback stand, and whom does a grant for that let hear of it?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from infra.lanes import IndexDrop, IndexSet
from schemas.callbacks import Callback, CallbackType
from schemas.endpoints import About
from schemas.grants import Allows
from schemas.meetings import Ask, Meeting
from schemas.places import Subject, about
from workers.audience import Audience
from workers.runtime import Runtime

PLACES: Final = "places"
"""Index of a tenant where places matter: meeting -> where it ever stood, so that who heard of it
also hears that it has gone from there."""


async def about_of(
    runtime: Runtime, tenant: str, subject: Subject, audience: Audience, *, now: datetime
) -> About:
    """What filters and grants judge by. Places are looked up only where somebody asks for them."""
    known = about(subject)
    if known.endpoint is not None or not audience.looks_at_places:
        return known
    if isinstance(subject, Meeting):
        stored = await runtime.store.index.get(tenant, PLACES, subject.id)
        if stored is not None:
            known = known.with_places(About.model_validate_json(stored))
    if not audience.looks_at_users:
        return known
    places = await runtime.store.grants.places(tenant, known, await _host(runtime, tenant, subject))
    users = frozenset(place.id for place in places if place.kind == "user")
    granted = await runtime.store.grants.permitted(
        tenant, audience.grantees, places, what=Allows.HEAR, now=now
    )
    return known.model_copy(update={"users": users, "granted": granted})


def remembered(
    subject: Subject, known: About, callbacks: Iterable[Callback]
) -> list[IndexSet | IndexDrop]:
    """Rows that keep a meeting's places until its end has been told."""
    stands = known.calendars or known.connections or known.users
    if not isinstance(subject, Meeting) or not stands:
        return []
    if any(one.type is CallbackType.MEETING_TORN_DOWN for one in callbacks):
        return [IndexDrop(PLACES, subject.id)]
    return [IndexSet(PLACES, subject.id, known.model_dump_json(exclude={"granted"}))]


async def _host(runtime: Runtime, tenant: str, subject: Subject) -> str | None:
    """The user who hosts it, where an application said so."""
    if not isinstance(subject, Meeting) or subject.application is None:
        return None
    ask = await runtime.store.documents.get(tenant, Ask, subject.id)
    return ask.host if ask else None
