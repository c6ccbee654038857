"""What of an answer is told only when it is made? A repeat has null in its place (ENGINE 32)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel

B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Once:
    """Marks a field."""


_ONCE: Final = _Once()
ShownOnce = Annotated[str | None, _ONCE]
"""A secret in an answer."""


def hide(body: B) -> B:
    """The body as it may be kept and repeated."""
    fields = type(body).model_fields.items()
    return body.model_copy(update={name: None for name, one in fields if _ONCE in one.metadata})
