"""What was a POST under an Idempotency-Key answered? Kept for a day, so that it is said again."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from schemas.records import Moment, Record, Schema


class Said(Schema):
    """An answer as it is repeated: without what is shown once (ENGINE 32)."""

    status: int
    headers: dict[str, str]
    body: str
    """JSON, or nothing."""


class KeyedCall(Record):
    """A POST under an `Idempotency-Key`: begun, then answered. Owned by the API.

    Its id is a digest of the caller, the operation and the key. Whoever works on it holds its
    revision, and what it writes demands that revision: of two only one can come to an end.
    """

    kind: ClassVar[str] = "keyed_call"
    kept_for: ClassVar[timedelta | None] = timedelta(hours=24)

    request: str
    """Digest of what was asked, under the key itself: with the store alone no body is guessed."""
    desk: str
    """The id of what it asks at the desk, if it does: asked again it is the same request."""
    begun_at: Moment
    said: Said | None = None
