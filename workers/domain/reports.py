"""What can a report say to us, whoever sent it? The words into which vendors' words are turned."""

from __future__ import annotations

from typing import TypeAlias

from schemas.items import Doubted, Happened
from schemas.records import Moment, Schema


class Deauthorized(Schema):
    """Our app was removed at the vendor."""

    user: str
    """Empty when the whole account removed it."""
    client: str
    """The vendor's id of our client; empty when it is not said."""
    at: Moment


class HostGone(Schema):
    """The user a connection belongs to can no longer host."""

    user: str
    reason: str


Told: TypeAlias = Doubted | Happened | Deauthorized | HostGone
