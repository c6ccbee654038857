"""Documents that tests write."""

from __future__ import annotations

from typing import ClassVar

from schemas.records import Record


class Note(Record):
    kind: ClassVar[str] = "note"
    text: str = ""
