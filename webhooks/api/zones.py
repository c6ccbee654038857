"""Is this a time zone that everybody knows?"""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def known_zone(name: str) -> str:
    """The name of a zone in the IANA database. Raises ValueError."""
    if name not in _zones():
        raise ValueError("Name a zone of the IANA database, such as Europe/Berlin.")
    return name
