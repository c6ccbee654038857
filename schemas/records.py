"""How our own records are shaped: strict words, tolerant documents, aware moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def in_utc(moment: datetime) -> datetime:
    """The same instant, written in UTC. Stored moments compare and print alike.

    Raises ValueError for the hours at either end of time that UTC has no date for.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no calendar has this moment") from error


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""An instant with a zone, kept in UTC. A moment without a zone is refused."""


class Schema(BaseModel):
    """A value of ours: frozen, and a field we do not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(BaseModel):
    """A stored document. Unknown fields survive a write, so that the last release's workers run
    beside today's (DESIGN §9)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: ClassVar[str]
    """What the document is, as its key spells it."""
    version: ClassVar[int] = 1
    """The newest `v` this release understands; a newer one is left untouched (ENGINE 15)."""
    kept_for: ClassVar[timedelta | None] = None
    """How long it stays after each write; None is for good. Written by units only."""

    id: str
    rev: int = Field(default=0, exclude=True)
    """The stored revision this copy was read at; 0 means not stored yet. Kept outside the body."""
    v: int = 1


class Wire(BaseModel):
    """A vendor's words: only the fields we use are named, the rest is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
