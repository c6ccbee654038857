"""What may the API ask a worker about the account behind a connection (ENGINE 32)?"""

from __future__ import annotations

from typing import Literal

from schemas.accounts import ConferenceDraft, Invitation, Product, Trial
from schemas.records import Moment, Schema


class OfAccount(Schema):
    """About the account that this connection is linked to."""

    connection: str


class Whose(Schema):
    """Of one organizer, of one group, or (neither) of whose account it is."""

    organizer: str = ""
    group: str = ""


class Span(Schema):
    """From when to when."""

    since: Moment
    until: Moment


class ListUpcoming(OfAccount):
    """Which conferences are to come, or running?"""

    ask: Literal["list_upcoming"] = "list_upcoming"
    whose: Whose = Whose()


class MakeConference(OfAccount):
    """Make one; never sent twice."""

    ask: Literal["make_conference"] = "make_conference"
    draft: ConferenceDraft


class ReadConference(OfAccount):
    """One, as it is."""

    ask: Literal["read_conference"] = "read_conference"
    conference: str


class ReplaceConference(OfAccount):
    """Let one be like this."""

    ask: Literal["replace_conference"] = "replace_conference"
    conference: str
    draft: ConferenceDraft


class RemoveConference(OfAccount):
    """Delete one, by the wish of an actor who may."""

    ask: Literal["remove_conference"] = "remove_conference"
    conference: str


class StartConference(OfAccount):
    """A fresh link for the host, sealed to `reply_key`; deleted after 60 s."""

    ask: Literal["start_conference"] = "start_conference"
    conference: str
    reply_key: str


class ListHeld(OfAccount):
    """Which conferences were held?"""

    ask: Literal["list_held"] = "list_held"
    span: Span
    whose: Whose = Whose()


class ListAttendance(OfAccount):
    """Who was there: in one conference, held perhaps in a span, or in all of a span."""

    ask: Literal["list_attendance"] = "list_attendance"
    conference: str = ""
    span: Span | None = None
    whose: Whose = Whose()


class ListOrganizers(OfAccount):
    """Who may hold conferences: one by key or address, a group, or all."""

    ask: Literal["list_organizers"] = "list_organizers"
    key: str = ""
    email: str = ""
    group: str = ""


class InviteOrganizers(OfAccount):
    """Invite people; never sent twice."""

    ask: Literal["invite_organizers"] = "invite_organizers"
    people: tuple[Invitation, ...]
    group: str = ""


class ChangeOrganizer(OfAccount):
    """Give products (which activates), or take all of them (suspended)."""

    ask: Literal["change_organizer"] = "change_organizer"
    key: str
    products: tuple[Product, ...] = ()
    suspend: bool = False


class RemoveOrganizer(OfAccount):
    """Delete one, by key or address."""

    ask: Literal["remove_organizer"] = "remove_organizer"
    key: str = ""
    email: str = ""


class ListGroups(OfAccount):
    """Which groups are there?"""

    ask: Literal["list_groups"] = "list_groups"


class ListOffers(OfAccount):
    """What can this connection be used for?"""

    ask: Literal["list_offers"] = "list_offers"


class TryOperation(OfAccount):
    """Try one operation that only reads, and tell how it went."""

    ask: Literal["try_operation"] = "try_operation"
    operation: Trial


class Reconcile(OfAccount):
    """What differs from our books? With `apply`, the first `limit` things of ours are mended."""

    ask: Literal["reconcile"] = "reconcile"
    apply: bool = False
    limit: int = 20


PeopleAsk = (
    ListOrganizers | InviteOrganizers | ChangeOrganizer | RemoveOrganizer | ListGroups | ListOffers
)
AccountAsk = (
    ListUpcoming
    | MakeConference
    | ReadConference
    | ReplaceConference
    | RemoveConference
    | StartConference
    | ListHeld
    | ListAttendance
    | TryOperation
    | Reconcile
    | PeopleAsk
)
