"""Who may hold meetings in a GoTo account, and how do they come and go?"""

from __future__ import annotations

from typing import Final

from infra.errors import Vanished
from infra.http.wire import Wire
from schemas.accounts import Group, Invitation, Organizer
from schemas.wire.goto import Group as Row
from schemas.wire.goto import Organizer as Person
from schemas.wire.goto import read_all
from workers.ports import Access
from workers.providers.goto.calls import G2M, Caller, read

ADMINS_ONLY: Final = "this requires a corporate GoTo account and its administrator role"
_PATH: Final = f"{G2M}/organizers"


class GoToPeople:
    """Organizers and groups; all but one's own entry is for administrators."""

    def __init__(self, wire: Wire) -> None:
        self._caller = Caller(wire)

    async def organizers(self, access: Access, group: str) -> list[Organizer]:
        """Also those who have not accepted their invitation."""
        path = f"{G2M}/groups/{group}/organizers" if group else _PATH
        answer = await self._caller.call("organizers", access, "GET", path, admin=ADMINS_ONLY)
        return [_shown(row) for row in read(read_all, Person, answer)]

    async def organizer(self, access: Access, *, key: str = "", email: str = "") -> Organizer:
        """In an array of one; an empty one is nobody."""
        path, query = (f"{_PATH}/{key}", None) if key else (_PATH, {"email": email})
        answer = await self._caller.call(
            "organizer", access, "GET", path, query=query, admin=ADMINS_ONLY
        )
        rows = read(read_all, Person, answer)
        if not rows:
            raise Vanished("GoTo knows nobody of this address")
        return _shown(rows[0])

    async def invite(self, access: Access, invitation: Invitation, group: str) -> None:
        """The answer is of no use: there is no key before the person has accepted."""
        body = {
            "organizerEmail": invitation.email,
            "firstName": invitation.first_name,
            "lastName": invitation.last_name,
            "productType": invitation.product,
        }
        path = f"{G2M}/groups/{group}/organizers" if group else _PATH
        await self._caller.call("invite", access, "POST", path, body=body, admin=ADMINS_ONLY)

    async def license(self, access: Access, key: str, product: str) -> None:
        """One product a call."""
        body = {"productType": product}
        await self._caller.call(
            "change_organizer", access, "PUT", f"{_PATH}/{key}", body=body, admin=ADMINS_ONLY
        )

    async def suspend(self, access: Access, key: str) -> None:
        """`active` is not taken back this way: give a product instead."""
        body = {"status": "suspended"}
        await self._caller.call(
            "change_organizer", access, "PUT", f"{_PATH}/{key}", body=body, admin=ADMINS_ONLY
        )

    async def dismiss(self, access: Access, *, key: str = "", email: str = "") -> int:
        """204, and nothing else."""
        path, query = (f"{_PATH}/{key}", None) if key else (_PATH, {"email": email})
        answer = await self._caller.call(
            "remove_organizer", access, "DELETE", path, query=query, admin=ADMINS_ONLY
        )
        return answer.status_code

    async def groups(self, access: Access) -> list[Group]:
        """Of the whole account."""
        path = f"{G2M}/groups"
        answer = await self._caller.call("groups", access, "GET", path, admin=ADMINS_ONLY)
        return [
            Group(
                key=row.key,
                name=row.name,
                parent="" if row.parent == "0" else row.parent,
                status=row.status,
                organizers=row.organizers,
            )
            for row in read(read_all, Row, answer)
        ]


def _shown(said: Person) -> Organizer:
    """Somebody without a key has not accepted yet, whatever the status says."""
    suspended = said.status.casefold() == "suspended"
    state = "pending" if not said.key else "suspended" if suspended else "active"
    return Organizer.model_validate(
        {
            "key": said.key,
            "email": said.email,
            "state": state,
            "first_name": said.first_name,
            "last_name": said.last_name,
            "group": "" if said.group == "0" else said.group,
            "group_name": said.group_name,
            "max_attendees": said.max_attendees,
            "products": said.products,
        }
    )
