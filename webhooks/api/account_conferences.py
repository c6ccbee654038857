"""Which conferences does a linked account hold, by the provider's own ids, ours or not?"""

from __future__ import annotations

from functools import partial
from typing import Any

from schemas.account_asks import (
    ListAttendance,
    ListHeld,
    ListUpcoming,
    MakeConference,
    ReadConference,
    RemoveConference,
    ReplaceConference,
    StartConference,
)
from schemas.accounts import AccountConference, Attendance, ConferenceDraft, Found, Removed
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.providers import Role
from schemas.records import Moment
from webhooks.api.account import REFUSALS, During, OfWhom, asked, span, whose
from webhooks.api.connections import usable
from webhooks.api.meetings import HostLink
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.requests import WAITING, still_waiting


class Conferences(Shape):
    """Conferences of the account."""

    items: tuple[AccountConference, ...]


class HeldConferences(Shape):
    """Conferences that were held and are over, oldest first."""

    items: tuple[AccountConference, ...]
    complete_from: Moment | None
    """Nothing is missing from here on. What was held before, the provider has forgotten; of that,
    what we harvested is here and the rest cannot be known."""
    running: tuple[str, ...]
    """Ids of conferences that still run: they come when they are over, so ask again."""


class Attendances(Shape):
    """Who was there."""

    items: tuple[Attendance, ...]
    complete_from: Moment | None
    """For a span: nothing is missing from here on."""


async def list_upcoming(call: Call[None]) -> Answer:
    """Read at the provider, all of them."""
    ask = ListUpcoming(connection=call.path["connection"], whose=whose(call))
    found = await asked(call, ask, reads_only=True)
    return found if isinstance(found, Answer) else Answer(Conferences(items=found.conferences))


async def make(call: Call[ConferenceDraft]) -> Answer:
    """Sent once; under an Idempotency-Key asked for once."""
    ask = MakeConference(connection=call.path["connection"], draft=call.body)
    return _one(await asked(call, ask))


async def read(call: Call[None]) -> Answer:
    """As it is now."""
    ask = ReadConference(connection=call.path["connection"], conference=call.path["conference"])
    return _one(await asked(call, ask, reads_only=True))


async def replace(call: Call[ConferenceDraft]) -> Answer:
    """The same body again is harmless."""
    ask = ReplaceConference(
        connection=call.path["connection"], conference=call.path["conference"], draft=call.body
    )
    return _one(await asked(call, ask))


async def remove(call: Call[None]) -> Answer:
    """What the provider said comes back with its status."""
    ask = RemoveConference(connection=call.path["connection"], conference=call.path["conference"])
    found = await asked(call, ask)
    return found if isinstance(found, Answer) else Answer(found.removed)


async def start(call: Call[None]) -> Answer:
    """Fetched at the provider each time, sealed for this process, and stored nowhere in clear."""
    id_, desk = call.path["connection"], call.front.desk
    await usable(call, id_, Role.CONFERENCING, "connection")
    ask = StartConference(
        connection=id_, conference=call.path["conference"], reply_key=str(desk.ring.newest)
    )
    heard = await call.ask(ask, group=f"connection:{id_}", reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(HostLink(url=desk.open(call.tenant, heard.answer)))


async def list_held(call: Call[None]) -> Answer:
    """Asked at the provider in spans that it takes, and merged with what we harvested."""
    ask = ListHeld(connection=call.path["connection"], span=span(call), whose=whose(call))
    found = await asked(call, ask, reads_only=True)
    if isinstance(found, Answer):
        return found
    held = HeldConferences(
        items=found.conferences, complete_from=found.complete_from, running=found.running
    )
    return Answer(held)


async def list_attendees(call: Call[None]) -> Answer:
    """Of one conference that was held."""
    ask = ListAttendance(connection=call.path["connection"], conference=call.path["conference"])
    return attendances(await asked(call, ask, reads_only=True))


async def list_attendees_during(call: Call[None]) -> Answer:
    """Of all conferences of an organizer or a group."""
    ask = ListAttendance(connection=call.path["connection"], span=span(call), whose=whose(call))
    return attendances(await asked(call, ask, reads_only=True))


def _one(found: Found | Answer) -> Answer:
    return found if isinstance(found, Answer) else Answer(found.conferences[0])


def attendances(found: Found | Answer) -> Answer:
    """What was found of who was there."""
    if isinstance(found, Answer):
        return found
    return Answer(Attendances(items=found.attendance, complete_from=found.complete_from))


_row = partial(
    Operation[Any],
    room="Accounts",
    needs=Scope.MANAGE,
    also=WAITING,
    problems=REFUSALS,
)
_OF = "/v1/connections/{connection}"
_ONE = f"{_OF}/conferences/{{conference}}"
_MADE = (*REFUSALS, ProblemType.OUTCOME_UNKNOWN, ProblemType.ORGANIZER_PENDING)

ROWS: tuple[Row, ...] = (
    _row(
        name="listAccountConferences",
        method="GET",
        path=f"{_OF}/conferences",
        says="All conferences of the account that are to come or running, ours or not.",
        handle=list_upcoming,
        asks=OfWhom,
        gives=Conferences,
    ),
    _row(
        name="createAccountConference",
        method="POST",
        path=f"{_OF}/conferences",
        says="Make a conference at the provider. It belongs to no meeting of ours.",
        handle=make,
        takes=ConferenceDraft,
        gives=AccountConference,
        status=201,
        problems=_MADE,
        harmless=True,
    ),
    _row(
        name="readAccountConference",
        method="GET",
        path=_ONE,
        says="One conference as the provider has it now.",
        handle=read,
        gives=AccountConference,
    ),
    _row(
        name="replaceAccountConference",
        method="PUT",
        path=_ONE,
        says="Let the conference be like this, whole, and read it back. Any kind may be tried; what"
        " the provider does not take, it refuses in its own words.",
        handle=replace,
        takes=ConferenceDraft,
        gives=AccountConference,
        problems=_MADE,
    ),
    _row(
        name="deleteAccountConference",
        method="DELETE",
        path=_ONE,
        says="Delete the conference, whoever made it; tells what the provider said.",
        handle=remove,
        gives=Removed,
        problems=(*REFUSALS, ProblemType.IN_SESSION),
    ),
    _row(
        name="startAccountConference",
        method="GET",
        path=f"{_ONE}/start",
        says="A fresh link for the host, with a code that works once. Hand it to nobody else.",
        handle=start,
        gives=HostLink,
        needs=Scope.START,
    ),
    _row(
        name="listConferenceAttendees",
        method="GET",
        path=f"{_ONE}/attendees",
        says="Who was in a conference that was held.",
        handle=list_attendees,
        gives=Attendances,
    ),
    _row(
        name="listHeldConferences",
        method="GET",
        path=f"{_OF}/history",
        says="Conferences that started in a span and are over. Any span: it is asked for in parts,"
        " and what the provider has forgotten comes from what we harvested.",
        handle=list_held,
        asks=During,
        gives=HeldConferences,
        problems=(*REFUSALS, ProblemType.TOO_LARGE),
    ),
    _row(
        name="listAttendees",
        method="GET",
        path=f"{_OF}/attendees",
        says="Who was in the conferences of a span: of an organizer, of a group, or your own.",
        handle=list_attendees_during,
        asks=During,
        gives=Attendances,
        problems=(*REFUSALS, ProblemType.TOO_LARGE),
    ),
)
