"""Who may hear of what happens in a tenant? Its endpoints, and the applications with grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.endpoints import Endpoint
from schemas.grants import GRANTEES, Grantees
from workers.runtime import Runtime

ENDPOINTS_AT_MOST: Final = 1000
"""The API makes no more of them in a tenant."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an announcement may reach."""

    endpoints: list[Endpoint]
    """In the order of their ids."""
    grantees: tuple[str, ...]
    """Applications that were given a grant for something."""

    @property
    def looks_at_places(self) -> bool:
        """Whether it matters where a subject stands."""
        return bool(self.grantees) or any(one.filters.look_at_places for one in self.endpoints)

    @property
    def looks_at_users(self) -> bool:
        """Whether it matters whose connections it stands on."""
        return bool(self.grantees) or any(one.filters.users for one in self.endpoints)


async def audience_of(runtime: Runtime, tenant: str) -> Audience:
    """The grantees come with the endpoints: where there are none, nothing more is asked."""
    store = runtime.store
    names = sorted(await store.index.all(tenant, "endpoints", ENDPOINTS_AT_MOST))
    found, grantees = await store.documents.get_beside(
        tenant, Endpoint, names, beside=(Grantees, GRANTEES)
    )
    return Audience(
        [one for one in found if one is not None], grantees.applications if grantees else ()
    )
