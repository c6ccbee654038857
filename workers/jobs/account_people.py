"""How do organizers of an account come, change and go? Desk work, for administrators."""

from __future__ import annotations

from infra.errors import Refused, Vanished
from schemas.account_asks import (
    ChangeOrganizer,
    InviteOrganizers,
    ListGroups,
    ListOffers,
    ListOrganizers,
    RemoveOrganizer,
    Whose,
)
from schemas.accounts import Group, Invitation, Offer, Organizer, Removed
from schemas.desk import DeskAnswer
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS
from workers.jobs.account_desk import at_account, found, lacks, linked, once
from workers.jobs.desk import Declined, Desk
from workers.ports import Access, AccountConferences, People
from workers.providers import account_conferences, histories, people


async def list_organizers(desk: Desk, ask: ListOrganizers) -> DeskAnswer:
    """One by key or address, a group's, or all."""

    async def call(port: People, access: Access) -> list[Organizer]:
        if ask.key or ask.email:
            return [await port.organizer(access, key=ask.key, email=ask.email)]
        return await port.organizers(access, ask.group)

    return found(desk, ask, organizers=await at_account(desk, ask, people, call))


async def invite_organizers(desk: Desk, ask: InviteOrganizers) -> DeskAnswer:
    """Each is invited in order; whoever is an organizer already stays as they are. They are pending
    until they accept, and only then have a key."""

    async def call(port: People, access: Access) -> list[Organizer]:
        return [await _invited(port, access, one, ask.group) for one in ask.people]

    async def act() -> list[Organizer]:
        return await at_account(desk, ask, people, call)

    return found(desk, ask, organizers=await once(desk, "The invitations", act))


async def change_organizer(desk: Desk, ask: ChangeOrganizer) -> DeskAnswer:
    """Suspend, or give products, which ends a suspension. A second run does the same again."""

    async def call(port: People, access: Access) -> Organizer:
        if ask.suspend:
            await port.suspend(access, ask.key)
        for product in ask.products:
            await port.license(access, ask.key, product)
        return await port.organizer(access, key=ask.key)

    return found(desk, ask, organizers=(await at_account(desk, ask, people, call),))


async def remove_organizer(desk: Desk, ask: RemoveOrganizer) -> DeskAnswer:
    """By key, or by address, which also takes an open invitation back."""

    async def call(port: People, access: Access) -> int:
        return await port.dismiss(access, key=ask.key, email=ask.email)

    code = await at_account(desk, ask, people, call)
    return found(desk, ask, removed=Removed(message="The organizer was deleted.", code=code))


async def list_groups(desk: Desk, ask: ListGroups) -> DeskAnswer:
    """All of the account."""

    async def call(port: People, access: Access) -> list[Group]:
        return await port.groups(access)

    return found(desk, ask, groups=await at_account(desk, ask, people, call))


async def list_offers(desk: Desk, ask: ListOffers) -> DeskAnswer:
    """What can work through this connection, tried with the cheapest reads, so that nobody is shown
    what cannot (S2-34)."""
    connection = await linked(desk, ask)
    wire, name = desk.runtime.providers_wire, connection.provider
    title = PROVIDERS[name].title
    offers = [await _tried(desk, ask, "conferences")]
    history = histories(wire).get(name)
    offers.append(_offer("history", None if history else f"{title} tells no history here."))
    scope = history.attendance_needs if history else ""
    because = f"The scope {scope} was not asked for." if lacks(connection, scope) else None
    offers.append(_offer("attendance", because if history else f"{title} does not tell it here."))
    offers.append(await _tried(desk, ask, "organizers"))
    return found(desk, ask, offers=offers)


async def _tried(desk: Desk, ask: ListOffers, name: str) -> Offer:
    async def upcoming(port: AccountConferences, access: Access) -> None:
        await port.upcoming(access, Whose())

    async def groups(port: People, access: Access) -> None:
        await port.groups(access)

    try:
        if name == "conferences":
            await at_account(desk, ask, account_conferences, upcoming)
        else:
            await at_account(desk, ask, people, groups)
    except Declined as declined:
        if declined.problem not in {ProblemType.NOT_OFFERED, ProblemType.MISSING_SCOPE}:
            raise
        return _offer(name, declined.detail)
    except Refused as refused:
        return _offer(name, refused.reason)
    return _offer(name, None)


def _offer(name: str, because: str | None) -> Offer:
    return Offer(name=name, offered=because is None, because=because or "")


async def _invited(port: People, access: Access, invitation: Invitation, group: str) -> Organizer:
    try:
        await port.invite(access, invitation, group)
    except Refused as refused:
        if refused.problem is not ProblemType.EXISTS:
            raise
    try:
        return await port.organizer(access, email=invitation.email)
    except Vanished:  # not listed yet
        return Organizer(email=invitation.email, state="pending")
