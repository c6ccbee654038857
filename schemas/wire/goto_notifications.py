"""What does a notification of GoToWebinar say? Its words, as far as the door must read them.

https://developer.goto.com/guides/HowTos/07_HOW_WebHooksOverview/
"""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson

SIGNATURE: Final = b"x-webhook-signature"
TIMESTAMP: Final = b"x-webhook-signature-timestamp"
"""The moment of signing; signed together with the body. The vendor's tables name neither header."""

WORTH_KEEPING: Final = frozenset({"webinar.created", "webinar.changed"})
"""What organizers plan. What is told of registrants and surveys is people's data, names no account,
and is nothing that we keep."""
KNOWN: Final = WORTH_KEEPING | {"registrant.added", "registrant.joined", "survey.submitted"}

LONGEST: Final = 64
"""More letters than any key of GoTo has: accounts have 19 digits, events a UUID."""


class Said(NamedTuple):
    """What the door looks at of a notification; an empty text is one that is not there."""

    event: str
    key: str = ""
    """Unique to the event: the same for every delivery of it."""
    account: str = ""


def read_notification(body: bytes) -> Said:
    """Read a body whose signature was good. Raises ValueError if it is not an object of theirs."""
    said = orjson.loads(body)
    event = said.get("eventName") if isinstance(said, dict) else None
    if not isinstance(event, str):
        raise ValueError("not an object with an event")  # noqa: TRY004  as bad JSON is one
    return Said(event, _key(said.get("eventKey")), _key(said.get("accountKey")))


def _key(value: object) -> str:
    """A key as text, whichever way it is written; one of more digits than a number of theirs holds
    has lost some on the way and is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and len(value) <= LONGEST else ""
