"""Where does the next page start? A cursor that only the list that gave it understands."""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from webhooks.api.problems import Denied, wrong_field

MARK: Final = 4  # bytes that tell one list's cursors from another's


def write(row: str, place: str) -> str:
    """The cursor of a place in the list that this row of the table gives."""
    return urlsafe_b64encode(_mark(row) + place.encode()).decode().rstrip("=")


def read(row: str, cursor: str) -> str:
    """The place. Raises Denied for what this list never gave."""
    if not cursor:
        return ""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = raw[MARK:].decode()
    except (binascii.Error, ValueError):
        raise _unknown() from None
    if raw[:MARK] != _mark(row) or write(row, place) != cursor:
        raise _unknown()
    return place


def _mark(row: str) -> bytes:
    return hashlib.sha256(row.encode()).digest()[:MARK]


def _unknown() -> Denied:
    return wrong_field("after", "Send `next` of this list's page before, as it was, or nothing.")
