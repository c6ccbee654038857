"""Which calendars could be watched, which are, and what is in the way of the others?"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final, Literal, assert_never

from schemas.connections import Connection, Reading
from schemas.records import Moment, Record, Schema

CalendarState = Literal["watched", "polled", "unread", "failing", "unlinked"]
"""`watched`: read, and told of changes. `polled`: read on schedule only. `unread`: not read yet.
`failing`: cannot be read. `unlinked`: its connection is down."""

OFFERED_AT_MOST: Final = 2_000
"""Calendars of one account that are kept by name; how many there are is kept whole."""


class Offer(Schema):
    """One calendar that an account can see."""

    provider_id: str
    writable: bool


class Offered(Record):
    """The calendars that an account could see when it was last asked. Same id as the connection;
    owned by its lane."""

    kind: ClassVar[str] = "offered"
    calendars: tuple[Offer, ...] = ()
    unlisted: int = 0
    """More of them, of which no names are kept."""
    asked_at: Moment


def calendar_state(
    reading: Reading | None, connection: Connection | None, now: datetime
) -> CalendarState:
    """How a calendar stands that ought to be watched."""
    if connection is None or not connection.usable:
        return "unlinked"
    if reading is not None and reading.trouble:
        return "failing"
    if reading is None or reading.read_at is None:
        return "unread"
    return "watched" if pushed_until(reading, now) and not is_silent(reading) else "polled"


def pushed_until(reading: Reading, now: datetime) -> datetime | None:
    """Until when its provider has promised to tell us of changes; None while it has not."""
    ends = (one.expires_at for one in reading.subscriptions if one.state == "live")
    return max((end for end in ends if end is not None and end > now), default=None)


def heard_at(reading: Reading) -> datetime | None:
    """When its provider last told us of a change; None while it never did."""
    told = (one.heard_at for one in reading.subscriptions if one.state == "live")
    return max((at for at in told if at is not None), default=None)


def is_silent(reading: Reading) -> bool:
    """Whether it changed and its provider, in spite of its promise, has told nothing since."""
    missed = (one.missed_at for one in reading.subscriptions if one.state == "live")
    last = max((at for at in missed if at is not None), default=None)
    heard = heard_at(reading)
    return last is not None and (heard is None or heard < last)


def in_the_way(state: CalendarState, reading: Reading | None, connection: Connection | None) -> str:
    """Why it is not watched, in words; nothing if it is."""
    match state:
        case "watched":
            return ""
        case "polled":
            if reading is not None and is_silent(reading):
                return "its provider promised to tell us of changes, and did not of the last ones"
            refusal = reading.refusal if reading else ""
            return refusal or "its provider has not confirmed yet that it tells us of changes"
        case "unread":
            return "it has not been read yet"
        case "failing":
            return reading.trouble if reading else ""
        case "unlinked":
            why = connection.reason if connection else ""
            return f"its connection is down{f': {why}' if why else ''}; link it again"
        case _:
            assert_never(state)
