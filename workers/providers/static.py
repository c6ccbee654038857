"""Where do people meet who always meet in one place? A room of the host's own, at any provider."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from infra.errors import Refused
from schemas.connections import Account
from schemas.drift import Listed
from schemas.events import Slot
from schemas.meetings import Conference
from workers.ports import Access, Found


class Static:
    """The connection's room is every meeting's conference."""

    async def account(self, access: Access) -> Account:
        """The room is the account."""
        room = urlsplit(access.api)
        if room.scheme not in ("https", "http") or not room.netloc:
            raise Refused("Say where the room is, as a whole https address")
        return Account(id=access.api, name=room.netloc)

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """The room, under the meeting's reference."""
        return Conference(
            provider="static",
            connection=access.connection,
            id=reference,
            host=access.host,
            join_url=access.api,
            reference=reference,
            shown=slot.fingerprint,
            slot=slot,
            made_at=slot.starts_at,
        )

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """The one there is."""
        return [Found(await self.create(access, slot, reference, send_by=0), None)]

    async def listed(self, access: Access) -> list[Listed] | None:
        """There is one, and it is its owner's."""
        return None

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """The room as the connection now names it."""
        return conference.model_copy(update={"join_url": access.api})

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """A room has no time and no title."""
        shown = {"slot": slot, "shown": slot.fingerprint, "join_url": access.api}
        return conference.model_copy(update=shown)

    async def delete(self, access: Access, conference: Conference) -> None:
        """The room is its owner's and stays."""

    async def host_link(self, access: Access, conference: Conference) -> str:
        """The host enters as everyone does."""
        return conference.join_url
