"""How are events made, changed and deleted?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, merged, section, text
from infra.sandbox.google import guests
from infra.sandbox.google.conference import with_conference
from infra.sandbox.google.errors import body_of, refuse
from infra.sandbox.google.lookup import find, shown
from infra.sandbox.google.simulator import SERVER_OWNED, WRITE, Google
from infra.sandbox.google.state import Calendar, Event

NOTHING: Mapping[str, str] = MappingProxyType({})


def insert(google: Google, call: Call) -> Reply:
    """`events.insert`: 409 when the client's id is taken, also by a deleted event."""
    calendar = google.calendar(call, WRITE, "writer")
    body = body_of(call)
    if text(body, "id") and text(body, "iCalUID"):
        raise refuse(400, "invalid", "Only one of id and iCalUID can be given.")
    doc = google.born(calendar, body, google.caller(call, WRITE))
    if text(doc, "id") in calendar.events:
        raise refuse(409)
    event = google.save(calendar, with_conference(calendar, doc, None, call.query))
    guests.invite(google, calendar, event, call.query.get("sendUpdates", "none"))
    return answer(shown(calendar, event), headers=[_etag(event)])


def patch(google: Google, call: Call) -> Reply:
    """`events.patch`: objects merge, arrays are replaced; an instance becomes an exception."""
    return _change(google, call, whole=False)


def update(google: Google, call: Call) -> Reply:
    """`events.update`: what was not sent is gone."""
    return _change(google, call, whole=True)


def delete(google: Google, call: Call) -> Reply:
    """`events.delete`: the event stays as cancelled; a second time it is 410 `deleted`."""
    calendar = google.calendar(call, WRITE, "writer")
    event = find(calendar, call.path["event"])
    if event.cancelled:
        raise refuse(410, "deleted")
    _demand_version(call, event)
    cancel(google, calendar, event, call.query.get("sendUpdates", "none"))
    return Reply(204)


def cancel(google: Google, calendar: Calendar, event: Event, send: str) -> None:
    """Cancel an event, a whole series with its exceptions, or one instance."""
    for name in list(calendar.exceptions.get(event.id, ())):
        exception = calendar.events[name]
        if not exception.cancelled:
            google.save(calendar, {**exception.doc, "status": "cancelled"}, exception)
    gone = google.save(calendar, {**event.doc, "status": "cancelled"}, event)
    guests.uninvite(google, calendar, gone, send)


def apply(
    google: Google,
    calendar: Calendar,
    event: Event,
    doc: Doc,
    *,
    query: Mapping[str, str] = NOTHING,
) -> Event:
    """Write an event's next version and carry it to its guests."""
    guests.demand_right(calendar, event, doc)
    kept = {key: event.doc[key] for key in SERVER_OWNED if key in event.doc}
    fresh = with_conference(calendar, {**doc, **kept}, event, query)
    saved = google.save(calendar, fresh, event)
    guests.invite(google, calendar, saved, query.get("sendUpdates", "none"))
    return saved


def _change(google: Google, call: Call, *, whole: bool) -> Reply:
    calendar = google.calendar(call, WRITE, "writer")
    event = find(calendar, call.path["event"])
    _demand_version(call, event)
    body = body_of(call)
    if whole:
        base: Doc = {
            "status": "confirmed",
            "eventType": "default",
            "reminders": {"useDefault": True},
        }
        doc = base | body
    else:
        doc = _patched(event.doc, body)
    saved = apply(google, calendar, event, doc, query=call.query)
    return answer(shown(calendar, saved), headers=[_etag(saved)])


def _patched(doc: Doc, body: Doc) -> Doc:
    """Merge; a new kind of start (date for dateTime) replaces the old kind."""
    result = merged(doc, body)
    for which in ("start", "end"):
        part, sent = section(result, which), section(body, which)
        if sent.get("date"):
            result[which] = {"date": sent["date"]}
        elif sent.get("dateTime"):
            result[which] = {key: value for key, value in part.items() if key != "date"}
    return result


def _demand_version(call: Call, event: Event) -> None:
    wanted = call.headers.get("if-match", "*")
    if wanted not in ("*", event.etag):
        raise refuse(412, locationType="header", location="If-Match")


def _etag(event: Event) -> tuple[bytes, bytes]:
    return (b"etag", event.etag.encode())
