"""Which zone does a name mean? Graph takes IANA's names and Windows' own; here a few of those.

https://learn.microsoft.com/graph/api/resources/datetimetimezone
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.sandbox.graph.errors import refuse

WINDOWS = {
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Central European Standard Time": "Europe/Warsaw",
    "Central Standard Time": "America/Chicago",
    "China Standard Time": "Asia/Shanghai",
    "Coordinated Universal Time": "Etc/UTC",
    "Eastern Standard Time": "America/New_York",
    "GMT Standard Time": "Europe/London",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "India Standard Time": "Asia/Kolkata",
    "Morocco Standard Time": "Africa/Casablanca",
    "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris",
    "Tokyo Standard Time": "Asia/Tokyo",
    "UTC": "Etc/UTC",
    "W. Europe Standard Time": "Europe/Berlin",
}


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its name of either kind; Graph refuses unknown ones."""
    try:
        return ZoneInfo(WINDOWS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"The following TimeZone value is not supported: '{name}'."
        raise refuse(400, "TimeZoneNotSupportedException", message) from error
