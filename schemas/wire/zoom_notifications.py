"""What does a notification of Zoom say? Its words, as far as the door must read them.

https://developers.zoom.us/docs/api/rest/webhook-reference/
"""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson

SIGNATURE: Final = b"x-zm-signature"
TIMESTAMP: Final = b"x-zm-request-timestamp"
"""Unix seconds, in digits; signed together with the body."""

VALIDATION: Final = "endpoint.url_validation"
"""Zoom asks whether the address is ours: once when it is set, then every 72 hours (T29)."""

DEAUTHORIZED: Final = "app_deauthorized"

WORTH_KEEPING: Final = frozenset(
    {
        DEAUTHORIZED,
        "meeting.created",
        "meeting.updated",
        "meeting.deleted",
        "meeting.permanently_deleted",
        "meeting.recovered",
        "meeting.started",
        "meeting.ended",
        "meeting.participant_joined",
        "meeting.participant_left",
        "user.deactivated",
        "user.disassociated",
        "user.deleted",
    }
)
"""The events that some lane acts on. All others are answered and let go: a recording's, for one,
carries a download token that we have no business to store."""


LONGEST: Final = 256
"""More letters than any account or challenge of Zoom has."""


class Said(NamedTuple):
    """What the door looks at of a notification; an empty text is one that is not there."""

    event: str
    account: str = ""
    """The account that it is about: Zoom names the organisation, never the connection."""
    plain_token: str = ""


def read_notification(body: bytes) -> Said:
    """Read a body whose signature was good. Raises ValueError if it is not an object of Zoom's.

    Plain JSON and no model, for this runs once per notification at the door.
    """
    said = orjson.loads(body)
    event = said.get("event") if isinstance(said, dict) else None
    if not isinstance(event, str):
        raise ValueError("not an object with an event")  # noqa: TRY004  as bad JSON is one
    payload = said.get("payload")
    if not isinstance(payload, dict):
        return Said(event)
    return Said(event, _text(payload.get("account_id")), _text(payload.get("plainToken")))


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST else ""
