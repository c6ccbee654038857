"""What can be done at a provider, and what can come of it. Two closed unions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.events import Carried, Slot
from schemas.meetings import Conference, Written
from schemas.records import Moment, Schema


class ProvisionConference(Schema):
    """Create a conference that carries our reference. Needs a stored intent."""

    do: Literal["provision"] = "provision"
    connection: str
    slot: Slot
    reference: str
    number: int
    """Which try this is, from 1."""
    event: str = ""
    """The provider's id of the event that it is to live in, where it lives in one."""


class FindConference(Schema):
    """Look for what an earlier try may have made; the quarantine is over."""

    do: Literal["find"] = "find"
    connection: str
    slot: Slot
    reference: str
    since: Moment
    """When the first try started."""
    event: str = ""


class UpdateConference(Schema):
    """Let the conference show this slot."""

    do: Literal["update"] = "update"
    conference: Conference
    slot: Slot


class ConfirmConference(Schema):
    """Read whether the conference still exists."""

    do: Literal["confirm"] = "confirm"
    conference: Conference


class TearDownConference(Schema):
    """Delete a conference of ours; gone already is done."""

    do: Literal["tear_down"] = "tear_down"
    conference: Conference


class WriteJoinDetails(Schema):
    """Put the join link into the authoritative event: location, marked block, private property."""

    do: Literal["write"] = "write"
    target: Written


class RemoveJoinDetails(Schema):
    """Take our link and block out of an event again."""

    do: Literal["remove"] = "remove"
    target: Written


class ChangeEvent(Schema):
    """Let the event show the title and times of the conference, its source of truth."""

    do: Literal["change"] = "change"
    calendar: str
    event: str
    slot: Slot


class Wait(Schema):
    """Nothing may be done before this moment: a quarantine, a quota, a link that is down."""

    do: Literal["wait"] = "wait"
    until: Moment | None
    """None: until somebody acts (a re-link)."""
    reason: str


Act = (
    ProvisionConference
    | FindConference
    | UpdateConference
    | ConfirmConference
    | TearDownConference
    | WriteJoinDetails
    | RemoveJoinDetails
    | ChangeEvent
)
Command = Annotated[Act | Wait, Field(discriminator="do")]


class Provisioned(Schema):
    """The conference exists, made or adopted, and shows its slot."""

    came: Literal["provisioned"] = "provisioned"
    conference: Conference
    adopted: bool = False


class NothingFound(Schema):
    """No conference carries the reference: another try may go out."""

    came: Literal["nothing_found"] = "nothing_found"


class Updated(Schema):
    """It shows the slot; `conference` is as read back (a join link may have changed)."""

    came: Literal["updated"] = "updated"
    conference: Conference


class StillThere(Schema):
    """It exists; `conference` is as the provider has it now, its slot included. What it shows that
    is no slot of ours is told by an empty `shown`."""

    came: Literal["still_there"] = "still_there"
    conference: Conference


class ConferenceMissing(Schema):
    """The provider has it no more, and said so twice."""

    came: Literal["missing"] = "missing"


class TornDown(Schema):
    """It is gone."""

    came: Literal["torn_down"] = "torn_down"


class JoinDetailsWritten(Schema):
    """The event carries the link."""

    came: Literal["written"] = "written"
    target: Written


class JoinDetailsRemoved(Schema):
    """The event carries nothing of ours, or is gone."""

    came: Literal["removed"] = "removed"
    target: Written
    left: str = ""
    """Why our link had to be left there, if it had to (the calendar was unlinked)."""


class EventChanged(Schema):
    """The event shows this slot; `etags` holds its versions before and after."""

    came: Literal["changed"] = "changed"
    carried: Carried


class NotSent(Schema):
    """Surely not sent: the same may be sent again at once."""

    came: Literal["not_sent"] = "not_sent"
    reason: str


class OutcomeUnknown(Schema):
    """Maybe done: wait out the quarantine, then find."""

    came: Literal["unknown"] = "unknown"
    reason: str


class Later(Schema):
    """Surely not done, and it may be tried again by itself."""

    came: Literal["later"] = "later"
    reason: str
    until: Moment | None = None
    """Not before this moment (Retry-After, a quota's reset); none: back off."""


class Refused(Schema):
    """The provider will not do it until a person changes something."""

    came: Literal["refused"] = "refused"
    reason: str


class LinkDown(Schema):
    """The connection cannot be used: re-link it, and work goes on."""

    came: Literal["link_down"] = "link_down"
    reason: str
    missing_scopes: tuple[str, ...] = ()
    """What was not granted, where the provider says so (T27)."""


Achieved = (
    Provisioned
    | Updated
    | StillThere
    | ConferenceMissing
    | TornDown
    | JoinDetailsWritten
    | JoinDetailsRemoved
    | EventChanged
)
"""A command was carried out."""

Undone = NotSent | OutcomeUnknown | Later | Refused | LinkDown
"""Something is in the way."""

Outcome = Annotated[Achieved | NothingFound | Undone, Field(discriminator="came")]
