"""Who may hold conferences in a linked account, and what can the link be used for?"""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from schemas.account_asks import (
    ChangeOrganizer,
    InviteOrganizers,
    ListGroups,
    ListOffers,
    ListOrganizers,
    RemoveOrganizer,
)
from schemas.accounts import Found, Group, Invitation, Offer, Organizer, Product, Removed
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.records import Schema
from webhooks.api.account import KEY, REFUSALS, asked
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import wrong_field
from webhooks.api.requests import WAITING


class Organizers(Shape):
    """Organizers of the account."""

    items: tuple[Organizer, ...]


class Groups(Shape):
    """Groups of organizers."""

    items: tuple[Group, ...]


class Offers(Shape):
    """What the connection can be used for."""

    items: tuple[Offer, ...]


class Invitations(Shape):
    """People to invite. Each is `pending` until they accept; only then do they have a key."""

    people: tuple[Invitation, ...] = Field(min_length=1, max_length=20)
    group: str = Field(default="", max_length=100, pattern=KEY)
    """Key of the group they are to belong to."""


class OrganizerChange(Shape):
    """Suspend (all products are taken, and with them the access), or give products, which also ends
    a suspension."""

    suspended: bool = False
    products: tuple[Product, ...] = Field(default=(), max_length=4)


class Who(Schema):
    """Which organizers."""

    email: str = Field(default="", max_length=250, description="Only the one of this address.")
    group: str = Field(
        default="", max_length=100, pattern=KEY, description="Only those of this group."
    )


class ByEmail(Schema):
    """Which organizer."""

    email: str = Field(min_length=3, max_length=250, description="Their address; required.")


async def list_organizers(call: Call[None]) -> Answer:
    """All, a group's, or the one of an address."""
    query = call.query if isinstance(call.query, Who) else Who()
    if query.email and query.group:
        raise wrong_field("group", "Name an address or a group, not both.")
    ask = ListOrganizers(connection=call.path["connection"], email=query.email, group=query.group)
    return _organizers(await asked(call, ask, reads_only=True))


async def invite(call: Call[Invitations]) -> Answer:
    """In order; who is an organizer already stays as they are."""
    ask = InviteOrganizers(
        connection=call.path["connection"], people=call.body.people, group=call.body.group
    )
    return _organizers(await asked(call, ask))


async def read_organizer(call: Call[None]) -> Answer:
    """By key."""
    ask = ListOrganizers(connection=call.path["connection"], key=call.path["organizer"])
    return _one(await asked(call, ask, reads_only=True))


async def change_organizer(call: Call[OrganizerChange]) -> Answer:
    """The same again is harmless."""
    body = call.body
    if body.suspended == bool(body.products):
        raise wrong_field("products", "Either suspend, or name the products to give.")
    ask = ChangeOrganizer(
        connection=call.path["connection"],
        key=call.path["organizer"],
        products=body.products,
        suspend=body.suspended,
    )
    return _one(await asked(call, ask))


async def remove_organizer(call: Call[None]) -> Answer:
    """By key."""
    ask = RemoveOrganizer(connection=call.path["connection"], key=call.path["organizer"])
    return _removed(await asked(call, ask))


async def remove_organizer_by_email(call: Call[None]) -> Answer:
    """By address: also one whose invitation is open."""
    email = call.query.email if isinstance(call.query, ByEmail) else ""
    return _removed(
        await asked(call, RemoveOrganizer(connection=call.path["connection"], email=email))
    )


async def list_groups(call: Call[None]) -> Answer:
    """All."""
    found = await asked(call, ListGroups(connection=call.path["connection"]), reads_only=True)
    return found if isinstance(found, Answer) else Answer(Groups(items=found.groups))


async def list_offers(call: Call[None]) -> Answer:
    """Tried now, with reads that change nothing."""
    found = await asked(call, ListOffers(connection=call.path["connection"]), reads_only=True)
    return found if isinstance(found, Answer) else Answer(Offers(items=found.offers))


def _organizers(found: Found | Answer) -> Answer:
    return found if isinstance(found, Answer) else Answer(Organizers(items=found.organizers))


def _one(found: Found | Answer) -> Answer:
    return found if isinstance(found, Answer) else Answer(found.organizers[0])


def _removed(found: Found | Answer) -> Answer:
    return found if isinstance(found, Answer) else Answer(found.removed)


_row = partial(
    Operation[Any],
    room="Accounts",
    needs=Scope.MANAGE,
    also=WAITING,
    problems=REFUSALS,
)
_OF = "/v1/connections/{connection}"
_ONE = f"{_OF}/organizers/{{organizer}}"

ROWS: tuple[Row, ...] = (
    _row(
        name="listOrganizers",
        method="GET",
        path=f"{_OF}/organizers",
        says="Who may hold conferences in the account. Those without a key have not accepted yet.",
        handle=list_organizers,
        asks=Who,
        gives=Organizers,
    ),
    _row(
        name="inviteOrganizers",
        method="POST",
        path=f"{_OF}/organizers",
        says="Invite one or several people to become organizers; the provider mails them.",
        handle=invite,
        takes=Invitations,
        gives=Organizers,
        status=201,
        problems=(*REFUSALS, ProblemType.NO_LICENCE, ProblemType.OUTCOME_UNKNOWN),
        harmless=True,
    ),
    _row(
        name="deleteOrganizerByEmail",
        method="DELETE",
        path=f"{_OF}/organizers",
        says="Delete the organizer of an address, or take an open invitation back.",
        handle=remove_organizer_by_email,
        asks=ByEmail,
        gives=Removed,
    ),
    _row(
        name="readOrganizer",
        method="GET",
        path=_ONE,
        says="An organizer by key. Anybody may read their own entry.",
        handle=read_organizer,
        gives=Organizer,
    ),
    _row(
        name="changeOrganizer",
        method="PUT",
        path=_ONE,
        says="Suspend an organizer, or give them products, which activates them.",
        handle=change_organizer,
        takes=OrganizerChange,
        gives=Organizer,
        problems=(*REFUSALS, ProblemType.NO_LICENCE),
    ),
    _row(
        name="deleteOrganizer",
        method="DELETE",
        path=_ONE,
        says="Delete an organizer by key.",
        handle=remove_organizer,
        gives=Removed,
    ),
    _row(
        name="listGroups",
        method="GET",
        path=f"{_OF}/groups",
        says="The groups of the account.",
        handle=list_groups,
        gives=Groups,
    ),
    _row(
        name="listOffers",
        method="GET",
        path=f"{_OF}/offers",
        says="What the connection can be used for, and why not for the rest. Tried now.",
        handle=list_offers,
        gives=Offers,
    ),
)
