"""What becomes of grants for a link that is taken away? They end with it: who links it again, gives
them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from infra.lanes import IndexDrop
from schemas.grants import GRANTEES, GRANTS, Grant, Grantees, Place, grant_id
from workers.jobs.tending import Tending

AT_ONCE: Final = 100


async def end_grants(tending: Tending, calendars: Sequence[str]) -> None:
    """Take away those for the connection and its calendars, after the last that they let anybody
    hear was announced.

    The API owns them, so the commit demands the revisions that are read here: a grant that somebody
    gives at this moment has the run begin again. A second run finds those that are left.
    """
    documents, tenant = tending.runtime.store.documents, tending.tenant
    grantees = await documents.get(tenant, Grantees, GRANTEES)
    places = [Place(kind="connection", id=tending.connection.id)]
    places += [Place(kind="calendar", id=name) for name in calendars]
    applications = grantees.applications if grantees else ()
    ids = [grant_id(one, place) for one in applications for place in places]
    found = await documents.get_all(tenant, Grant, ids)
    for first in range(0, len(found), AT_ONCE):
        some = found[first : first + AT_ONCE]
        tending.unit.drops += some
        tending.unit.index += [IndexDrop(GRANTS, grant.id) for grant in some]
        await tending.save()
