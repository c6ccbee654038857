"""What does a connection's lane keep for later? Reports of strangers, conferences to sweep."""

from __future__ import annotations

from typing import ClassVar

from schemas.accounts import AccountConference, Attendance
from schemas.events import Slot
from schemas.meetings import Try
from schemas.records import Moment, Record, Schema


class Stranger(Schema):
    """A report about a conference that is none of ours, or not yet (ENGINE 22)."""

    conference: str
    item: str
    """The body of the item that its meeting gets."""
    heard_at: Moment


class Strangers(Record):
    """Reports that wait for their meeting. Same id as the connection; owned by its lane."""

    kind: ClassVar[str] = "strangers"
    waiting: tuple[Stranger, ...] = ()
    """Oldest first; bounded."""


class Suspect(Schema):
    """A reference under which more than one conference may exist, with what was known when it was
    named: a meeting forgets its tries when its conference is torn down."""

    meeting: str
    reference: str
    slot: Slot
    tries: tuple[Try, ...]
    due: Moment


class Suspects(Record):
    """What the next sweep looks for. Same id as the connection; owned by its lane (ENGINE 28)."""

    kind: ClassVar[str] = "suspects"
    listed: tuple[Suspect, ...] = ()


class Seen(Schema):
    """A conference of ours as the last poll showed it."""

    conference: str
    meeting: str
    running: bool = False
    ends_at: Moment | None = None
    doubted_at: str = ""
    """What it showed when its meeting was last asked to look; empty when all is as we know it."""


class Polled(Record):
    """What the last poll of a provider that pushes nothing showed. Same id as the connection; owned
    by its lane."""

    kind: ClassVar[str] = "polled"
    seen: tuple[Seen, ...] = ()


class Harvest(Record):
    """How far back what we kept of held conferences is whole. Same id as the connection; owned by
    its lane."""

    kind: ClassVar[str] = "harvest"
    complete_from: Moment
    reached: Moment
    people_unknown: bool = False
    """Whether who was there could not be asked: the link lacks the scope."""


class Held(Record):
    """A conference that was held, kept because its provider forgets. Owned by the connection's
    lane."""

    kind: ClassVar[str] = "held"
    conference: AccountConference
    attendance: tuple[Attendance, ...] | None = None
    """None where the link may not know who was there."""
    meeting: str = ""
    """Ours, if it is one's."""
