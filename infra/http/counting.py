"""What came of each call? In words of ours, so that nobody outside can make more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, TypeAlias

from infra.errors import NotSent, Refused

SUCCESS: Final = 2  # hundreds

Count: TypeAlias = Callable[[str, str], None]
"""Is told a call's name and its outcome: ok, limited, 3xx to 5xx, not_sent, unknown, refused."""


@contextmanager
def counted(count: Count | None, name: str) -> Iterator[list[int]]:
    """Tell what came of the call inside; its status is put into the list if one came."""
    came: list[int] = []
    outcome = "unknown"
    try:
        yield came
        outcome = _outcome(came[0])
    except NotSent:
        outcome = "not_sent"
        raise
    except Refused:
        outcome = "refused"
        raise
    finally:
        if count is not None:
            count(name, outcome)


def _outcome(status: int) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "limited"
    return "ok" if status // 100 == SUCCESS else f"{status // 100}xx"
