"""Which applications may use or hear about what stands here? Looked up by id, never searched."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from infra.store.documents import Documents
from schemas.connections import Calendar, Connection
from schemas.endpoints import About
from schemas.grants import Allows, Grant, Place, grant_id, permitted


class Grants:
    """Two questions for where a subject stands, one for its grants; none where none was given."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def places(self, tenant: str, known: About, host: str | None = None) -> frozenset[Place]:
        """Everything that a grant about it may name: its calendars, the connections that it stands
        on, those of its calendars among them, and the users whose they are or who host it."""
        calendars = await self._documents.get_all(tenant, Calendar, sorted(known.calendars))
        over = known.connections | {calendar.connection for calendar in calendars}
        links = await self._documents.get_all(tenant, Connection, sorted(over))
        users = known.users | {link.user for link in links if link.user}
        users |= {host} if host else set()
        return frozenset(
            {Place(kind="calendar", id=one) for one in known.calendars}
            | {Place(kind="connection", id=one) for one in over}
            | {Place(kind="user", id=one) for one in users}
        )

    async def permitted(
        self,
        tenant: str,
        applications: Collection[str],
        places: Collection[Place],
        *,
        what: Allows,
        now: datetime,
    ) -> frozenset[str]:
        """Those of the applications that may, by a grant for one of the places."""
        ids = [grant_id(one, place) for one in applications for place in places]
        return permitted(await self._documents.get_all(tenant, Grant, ids), what, now)
