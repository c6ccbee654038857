"""How are events read: one, a list, what changed since, and the instances of a series?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, section, text
from infra.sandbox.google.errors import refuse
from infra.sandbox.google.lookup import expanded, find, shown, tombstone
from infra.sandbox.google.query import Place, Query, page_token, place_of, query_of, sync_token
from infra.sandbox.google.simulator import READ, Google, stamp
from infra.sandbox.google.state import Calendar, Event
from infra.sandbox.google.times import rfc3339, words_of

_AHEAD = 2 * 365 * 86_400


def get(google: Google, call: Call) -> Reply:
    """`events.get`: deleted events are still there, as cancelled."""
    calendar = google.calendar(call, READ)
    event = find(calendar, call.path["event"])
    headers = [(b"etag", event.etag.encode())]
    if call.headers.get("if-none-match") == event.etag:
        return Reply(304, b"", headers)
    return answer(shown(calendar, event), headers=headers)


def listed(google: Google, call: Call) -> Reply:
    """`events.list`: the whole calendar, or what changed since a sync token, page by page."""
    calendar = google.calendar(call, READ)
    query = query_of(google, call)
    place = place_of(google, calendar, call, query)
    found = _candidates(calendar, call, place)
    if query.single:
        rows = _singles(google, calendar, query, place=place, found=found)
        return _counted_page(google, calendar, query, place=place, rows=rows)
    changes = _shown_ones(calendar, query, place, found)
    events = list(islice(changes, query.size + 1))
    page = _page(google, calendar, events[: query.size])
    if len(events) > query.size:
        further = replace(place, after=events[query.size - 1].seq)
        page["nextPageToken"] = page_token(calendar, query, further)
    else:
        page["nextSyncToken"] = sync_token(google, calendar, query, place)
    return answer(page)


def instances(google: Google, call: Call) -> Reply:
    """`events.instances`: a series laid out, exceptions in their place."""
    calendar = google.calendar(call, READ)
    master = find(calendar, call.path["event"])
    if not words_of(master.doc):
        raise refuse(400, "badRequest", "Not a recurring event.")
    query = query_of(google, call)
    place = place_of(google, calendar, call, query)
    original = call.query.get("originalStart")
    rows = (
        event
        for event in expanded(calendar, master, _far(google, query))
        if (query.show_deleted or not event.cancelled)
        and event.ends > query.earliest
        and (not original or _was_meant_for(event, original))
    )
    return _counted_page(google, calendar, query, place=place, rows=rows)


def _was_meant_for(event: Event, original: str) -> bool:
    at = section(event.doc, "originalStartTime")
    wanted = rfc3339(original, "originalStart")
    return "dateTime" in at and rfc3339(text(at, "dateTime"), "originalStart") == wanted


def _candidates(calendar: Calendar, call: Call, place: Place) -> Iterator[Event]:
    """Yield the events that may be wanted, oldest change first, by index where there is one."""
    for kind in ("private", "shared"):
        pairs = call.every(f"{kind}ExtendedProperty")
        if pairs:
            found = calendar.with_property(kind, pairs[0])
            return _from(place, [e for e in found if _has(e, kind, pairs)])
    if "iCalUID" in call.query:
        return _from(place, calendar.with_uid(call.query["iCalUID"]))
    return calendar.changed(place.after, place.upto)


def _from(place: Place, events: list[Event]) -> Iterator[Event]:
    events.sort(key=lambda event: event.seq)
    return iter([event for event in events if place.after < event.seq <= place.upto])


def _has(event: Event, kind: str, pairs: list[str]) -> bool:
    held = section(section(event.doc, "extendedProperties"), kind)
    return all(held.get(key) == value for key, _, value in (p.partition("=") for p in pairs))


def _shown_ones(
    calendar: Calendar, query: Query, place: Place, found: Iterator[Event]
) -> Iterator[Event]:
    """Leave out what was not asked for; what changed since a token includes all deletions."""
    for event in found:
        if event.cancelled and place.delta:
            yield event
        elif event.cancelled and not query.show_deleted and not _is_called_off(calendar, event):
            continue
        elif query.wants(event):
            yield event


def _is_called_off(calendar: Calendar, event: Event) -> bool:
    """Whether it is a cancelled instance of a series that lives: such are always shown."""
    master = calendar.events.get(event.master) if event.master else None
    return master is not None and not master.cancelled


def _singles(
    google: Google, calendar: Calendar, query: Query, *, place: Place, found: Iterator[Event]
) -> Iterator[Event]:
    """Lay series out into instances; their masters are not shown."""
    shows_deleted = place.delta or query.show_deleted
    rows: list[Event] = []
    for event in found:
        if words_of(event.doc) and not event.cancelled:
            laid_out = expanded(calendar, event, _far(google, query))
            rows += [one for one in laid_out if one.id not in calendar.events]
        else:
            rows.append(event)
    kept = [e for e in rows if query.wants(e) and (shows_deleted or not e.cancelled)]
    if query.order == "startTime":
        kept.sort(key=lambda event: event.begins)
    return iter(kept)


def _far(google: Google, query: Query) -> float:
    """How far endless series are laid out."""
    return min(query.latest, google.stage.clock.now().timestamp() + _AHEAD)


def _counted_page(
    google: Google, calendar: Calendar, query: Query, *, place: Place, rows: Iterator[Event]
) -> Reply:
    """Answer a page of laid-out rows, whose place is how many came before."""
    events = list(islice(rows, place.skip, place.skip + query.size + 1))
    page = _page(google, calendar, events[: query.size])
    if len(events) > query.size:
        further = replace(place, skip=place.skip + query.size)
        page["nextPageToken"] = page_token(calendar, query, further)
    else:
        page["nextSyncToken"] = sync_token(google, calendar, query, place)
    return answer(page)


def _page(google: Google, calendar: Calendar, events: list[Event]) -> Doc:
    items: list[Doc] = [
        tombstone(event) if event.cancelled else shown(calendar, event) for event in events
    ]
    return {
        "kind": "calendar#events",
        "etag": f'"p{calendar.seq}"',
        "summary": calendar.summary,
        "description": calendar.description,
        "updated": stamp(google.stage.clock.now()),
        "timeZone": calendar.zone,
        "accessRole": "owner",
        "defaultReminders": [{"method": "popup", "minutes": 10}],
        "items": items,
    }
