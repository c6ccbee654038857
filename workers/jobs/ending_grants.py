"""What becomes of grants for a link that is taken away? They end with it: who links it again, gives
them again."""

from __future__ import annotations

from typing import Final

from infra.lanes import IndexDrop
from schemas.connections import Calendar
from schemas.grants import GRANTS, Grant, Place, read_row
from workers.jobs.tending import Tending

AT_ONCE: Final = 100


async def end_grants(tending: Tending) -> None:
    """Take away those for the connection and its calendars, after the last that they let anybody
    hear was announced.

    The API owns them, so the commit demands the revisions that are read here: a grant that somebody
    gives at this moment has the run begin again. A second run finds those that are left.
    """
    ids = await _for_link(tending)
    found = await tending.runtime.store.documents.get_all(tending.tenant, Grant, ids)
    for first in range(0, len(found), AT_ONCE):
        some = found[first : first + AT_ONCE]
        tending.unit.drops += some
        tending.unit.index += [IndexDrop(GRANTS, grant.id) for grant in some]
        await tending.save()


async def _for_link(tending: Tending) -> list[str]:
    """The whole index is read, once in the life of a link: calendars that are no longer watched are
    in no other."""
    rows = await tending.runtime.store.index.all(tending.tenant, GRANTS)
    places = {id_: read_row(row)[1] for id_, row in rows.items()}
    names = sorted({place.id for place in places.values() if place.kind == "calendar"})
    found = await tending.runtime.store.documents.get_all(tending.tenant, Calendar, names)
    link = tending.connection.id
    ending = {Place(kind="calendar", id=one.id) for one in found if one.connection == link}
    ending.add(Place(kind="connection", id=link))
    return sorted(id_ for id_, place in places.items() if place in ending)
