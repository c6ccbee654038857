"""When to try again. Pure: the caller brings the dice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

PROVIDER: Final[tuple[timedelta, ...]] = tuple(
    timedelta(seconds=s)
    for s in (
        *(1, 2, 4, 8, 15, 30, 60, 120, 300, 900),
        *(3600, 3600, 7200, 14_400, 28_800, 43_200),
    )
)
"""Waits between runs of a lane whose provider fails; used up after about 28 hours. Dense at
first: where one call in six goes wrong, one meeting in some thousands has bad luck five times in a
row, and is back within half a minute."""

JITTER: Final = 0.1
LONGEST_ASKED: Final = timedelta(hours=12)
"""A Retry-After beyond this is cut to it."""


def wait_before(
    number: int,
    *,
    dice: float,
    asked: timedelta | None = None,
    schedule: Sequence[timedelta] = PROVIDER,
) -> timedelta | None:
    """How long to wait after the `number`-th failure (from 1); None when the schedule is used up.

    `dice` is in [0, 1). Jitter only adds, so that what the other side `asked` for (Retry-After) is
    never undercut (REQUIREMENTS B-9).
    """
    if number > len(schedule):
        return None
    planned = schedule[number - 1]
    if asked is not None:
        planned = max(planned, min(asked, LONGEST_ASKED))
    return planned * (1 + JITTER * dice)
