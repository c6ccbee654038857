"""Which occurrences follow from a recurrence in Graph's own words?

https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from infra.sandbox import recurrence
from infra.sandbox.documents import Doc, section, text, whole, words
from infra.sandbox.graph.errors import refuse
from infra.sandbox.graph.state import Event
from infra.sandbox.graph.zones import zone_named

MOST_OCCURRENCES = 999
_DAYS = {
    "sunday": "SU",
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
}
_INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_FREQ = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "absoluteMonthly": "MONTHLY",
    "relativeMonthly": "MONTHLY",
    "absoluteYearly": "YEARLY",
    "relativeYearly": "YEARLY",
}


def rule_of(told: Doc) -> str:
    """Write a patterned recurrence as an RRULE; refuses what Graph refuses."""
    pattern, bounds = section(told, "pattern"), section(told, "range")
    kind = text(pattern, "type")
    if kind not in _FREQ or text(bounds, "type") not in ("endDate", "noEnd", "numbered"):
        raise refuse(400, "ErrorInvalidRecurrence", "The recurrence is not valid.")
    parts = [f"FREQ={_FREQ[kind]}", f"INTERVAL={max(1, whole(pattern, 'interval', 1))}"]
    days = [_DAYS[day] for day in words(pattern, "daysOfWeek") if day in _DAYS]
    if kind.startswith("relative"):
        place = _INDEX.get(text(pattern, "index", "first"), 1)
        parts.append("BYDAY=" + ",".join(f"{place}{day}" for day in days))
    elif days:
        parts.append("BYDAY=" + ",".join(days))
    if kind.startswith("absolute"):
        parts.append(f"BYMONTHDAY={whole(pattern, 'dayOfMonth', 1)}")
    if kind == "weekly":
        parts.append(f"WKST={_DAYS.get(text(pattern, 'firstDayOfWeek', 'sunday'), 'SU')}")
    if text(bounds, "type") == "numbered":
        parts.append(f"COUNT={whole(bounds, 'numberOfOccurrences', 1)}")
    if text(bounds, "type") == "endDate":
        parts.append(f"UNTIL={text(bounds, 'endDate').replace('-', '')}")
    return "RRULE:" + ";".join(parts)


def occurrences(master: Event, before: datetime) -> Iterator[Event]:
    """Yield the occurrences of a series that start before a moment, in the series' own zone."""
    zone = zone_named(master.zone)
    first = master.starts.astimezone(zone).replace(tzinfo=None)
    line = rule_of(section(master.doc, "recurrence"))
    for count, start in enumerate(recurrence.starts([line], first, zone)):
        at = start.replace(tzinfo=zone)
        if count >= MOST_OCCURRENCES or at >= before:
            return
        yield occurrence(master, at)


def occurrence(master: Event, at: datetime) -> Event:
    """Return one occurrence as an event of its own, stored nowhere."""
    name = f"{master.id}.{at:%Y%m%d}"
    doc: Doc = {key: value for key, value in master.doc.items() if key != "recurrence"}
    doc["iCalUId"] = f"{text(master.doc, 'iCalUId')}{at:%Y%m%d}"  # differs per occurrence
    # Wall clock plus length, so that an occurrence over a change of the clocks keeps its hours.
    ends = (at.replace(tzinfo=None) + master.lasts).replace(tzinfo=at.tzinfo)
    return Event(
        name,
        doc,
        at,
        ends,
        master.zone,
        seq=master.seq,
        master=master.id,
        original=at,
        properties=dict(master.properties),
    )
