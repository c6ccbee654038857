"""Which event does an id mean, and how is it shown?"""

from __future__ import annotations

from collections.abc import Iterator

from infra.sandbox.documents import Doc, section, text
from infra.sandbox.google.errors import refuse
from infra.sandbox.google.state import Calendar, Event
from infra.sandbox.google.times import Instance, instances, words_of

MOST_INSTANCES = 750


def find(calendar: Calendar, name: str) -> Event:
    """Return an event, an exception, or an instance that is only implied by its series."""
    event = calendar.events.get(name)
    if event is not None:
        return event
    master = calendar.events.get(name.rpartition("_")[0])
    if master is None or not words_of(master.doc):
        raise refuse(404)
    suffix = name.rpartition("_")[2]
    for instance in instances(master.doc, calendar.zone):
        if instance.suffix == suffix:
            return implied(master, instance)
        if instance.suffix > suffix:  # they only grow; an endless series would be searched for ever
            break
    raise refuse(404)


def implied(master: Event, instance: Instance) -> Event:
    """Return an instance of a series as an event of its own, not stored anywhere."""
    doc = {key: value for key, value in master.doc.items() if key != "recurrence"}
    doc |= {
        "id": f"{master.id}_{instance.suffix}",
        "recurringEventId": master.id,
        "originalStartTime": instance.moment(instance.original),
        "start": instance.moment(instance.original),
        "end": instance.moment(instance.original + instance.span),
    }
    start = instance.original.timestamp()
    return Event(doc, master.seq, start, start + instance.span.total_seconds())


def expanded(calendar: Calendar, master: Event, upto: float) -> Iterator[Event]:
    """Yield a series' instances in order of their original start, exceptions in their place."""
    for count, instance in enumerate(instances(master.doc, calendar.zone)):
        if instance.original.timestamp() >= upto or count >= MOST_INSTANCES:
            return
        exception = calendar.events.get(f"{master.id}_{instance.suffix}")
        yield exception if exception is not None else implied(master, instance)


def shown(calendar: Calendar, event: Event) -> Doc:
    """Write an event as it is answered to those who see it through this calendar."""
    organizer = section(event.doc, "organizer")
    mine = text(organizer, "email") in (calendar.owner, calendar.id)
    if bool(organizer.get("self")) == mine:
        return event.doc
    told: Doc = {key: value for key, value in organizer.items() if key != "self"}
    return {**event.doc, "organizer": {**told, "self": True} if mine else told}


def tombstone(event: Event) -> Doc:
    """Write a deleted event with only what Google guarantees for one."""
    kept = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")
    return {key: event.doc[key] for key in kept if key in event.doc}
