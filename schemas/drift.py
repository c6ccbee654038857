"""What differs between calendars, the ledger and the conferences of an account (B-10)?"""

from __future__ import annotations

from typing import Literal

from schemas.accounts import AccountConference
from schemas.records import Schema


class Listed(AccountConference):
    """A conference of an account, with the reference of ours that it carries, whole or its
    beginning."""

    reference: str = ""


class Drifted(Schema):
    """One thing that is not as our books say; ids and words, no titles and no links."""

    side: Literal["calendar", "conference"]
    kind: Literal["missing", "stale", "orphaned", "foreign"]
    """`missing`: ours, and not there. `stale`: ours, and it shows something else. `orphaned`: it
    carries our mark, and nobody wants it. `foreign`: none of ours."""
    id: str
    """The provider's id of the conference or the event."""
    meeting: str = ""
    calendar: str = ""
    reference: str = ""
    """Ours, where that is all by which it is known."""
    words: str
    held: bool = False
    """Whether the ledger holds it: nothing else is ever touched."""
    mended: bool = False
    """Whether its repair was begun; the meeting's timeline tells how it went."""


class Reconciled(Schema):
    """A report of drift."""

    counts: dict[str, int]
    """How many there are of each kind."""
    items: tuple[Drifted, ...] = ()
    left_out: int = 0
    """Items that are counted and not shown."""
    unread: int = 0
    """Conferences of ours that no list showed, and that were too many to ask for one by one."""
