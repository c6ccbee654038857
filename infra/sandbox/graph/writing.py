"""How are events made, changed and deleted?

https://learn.microsoft.com/graph/api/user-post-events
"""

from __future__ import annotations

import html
import re
from datetime import datetime

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, rows, section, text
from infra.sandbox.graph import guests
from infra.sandbox.graph.errors import body_of, refuse
from infra.sandbox.graph.lookup import find
from infra.sandbox.graph.patterns import rule_of
from infra.sandbox.graph.shown import shown
from infra.sandbox.graph.simulator import WRITE, Graph
from infra.sandbox.graph.state import Calendar, Event, Mailbox
from infra.sandbox.graph.zones import zone_named

TEAMS = "teamsForBusiness"
_BLOB = '<div class="me-email-text">Microsoft Teams meeting <a href="{link}">Join</a></div>'
_HEAD = (
    '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
    "</head><body>"
)
_SERVER_OWNED = frozenset(
    {
        "id",
        "changeKey",
        "createdDateTime",
        "lastModifiedDateTime",
        "iCalUId",
        "type",
        "start",
        "end",
    }
    | {"onlineMeeting", "organizer", "isOrganizer", "webLink", "bodyPreview", "seriesMasterId"}
    | {"singleValueExtendedProperties", "originalStart", "originalStartTimeZone", "responseStatus"}
    | {"isCancelled", "cancelledOccurrences", "exceptionOccurrences"}
)


def create(graph: Graph, call: Call) -> Reply:
    """`POST /events`: a transaction id that was used before brings the event of then."""
    mailbox = graph.mailbox(call, WRITE)
    calendar = calendar_of(mailbox, call)
    body = body_of(call)
    repeated = _of_transaction(mailbox, text(body, "transactionId"))
    if repeated is not None:
        if repeated.doc.get("subject") != body.get("subject"):
            raise refuse(409, "ErrorDuplicateTransactionId")
        return answer(shown(mailbox, repeated, call), 201)
    event = born(graph, mailbox, calendar, body)
    return answer(shown(mailbox, event, call), 201, [(b"etag", event.etag.encode())])


def born(graph: Graph, mailbox: Mailbox, calendar: Calendar, body: Doc) -> Event:
    """Make an event of a mailbox's owner and invite its guests."""
    starts, zone = _moment(body, "start")
    ends, _ = _moment(body, "end")
    if ends < starts:
        raise refuse(400, "ErrorPropertyValidationFailure", "End time precedes start time.")
    person: Doc = {"emailAddress": {"name": mailbox.name, "address": mailbox.address}}
    doc: Doc = {"iCalUId": graph.stage.chance.word(64).upper(), "organizer": person, "subject": ""}
    event = Event(graph.new_id(), doc, starts, ends, zone)
    _take(graph, event, body)
    graph.save(mailbox, calendar, event, "created")
    guests.invite(graph, mailbox, event)
    return event


def patch(graph: Graph, call: Call) -> Reply:
    """`PATCH /events/{id}`: named fields replace what was; an occurrence becomes an exception."""
    mailbox = graph.mailbox(call, WRITE)
    place = find(mailbox, call.path["event"])
    _demand_version(call, place[1])
    changed = change(graph, mailbox, place, body_of(call))
    return answer(shown(mailbox, changed, call), headers=[(b"etag", changed.etag.encode())])


def change(graph: Graph, mailbox: Mailbox, place: tuple[Calendar, Event], body: Doc) -> Event:
    """Write an event's next version and carry it to its guests."""
    calendar, event = place
    if "start" in body:
        event.starts, event.zone = _moment(body, "start")
    if "end" in body:
        event.ends, _ = _moment(body, "end")
    _take(graph, event, body)
    graph.save(mailbox, calendar, event)
    guests.invite(graph, mailbox, event)
    return event


def delete(graph: Graph, call: Call) -> Reply:
    """`DELETE /events/{id}`: gone, also for the guests, who see it as cancelled."""
    mailbox = graph.mailbox(call, WRITE)
    calendar, event = find(mailbox, call.path["event"])
    _demand_version(call, event)
    remove(graph, mailbox, calendar, event)
    return Reply(204)


def cancel(graph: Graph, call: Call) -> Reply:
    """`POST /events/{id}/cancel`: as deleting, with words to the guests."""
    delete(graph, call)
    return Reply(202)


def remove(graph: Graph, mailbox: Mailbox, calendar: Calendar, event: Event) -> None:
    """Delete an event, a series with its exceptions, or one occurrence."""
    master = calendar.events.get(event.master)
    if master is not None:
        master.called_off.add(event.id)
        graph.save(mailbox, calendar, master)
    for exception in calendar.exceptions(event.id).values():
        exception.deleted = True
        calendar.put(exception)
    event.deleted = True
    graph.save(mailbox, calendar, event, "deleted")
    guests.uninvite(graph, mailbox, event)


def calendar_of(mailbox: Mailbox, call: Call) -> Calendar:
    """Return the calendar a call names; the default one when it names none."""
    name = call.path.get("calendar")
    if name is None:
        return mailbox.default
    found = mailbox.calendars.get(name)
    if found is None:
        raise refuse(404)
    return found


def _take(graph: Graph, event: Event, body: Doc) -> None:
    """Take over what a client may set."""
    for row in rows(body, "singleValueExtendedProperties"):
        event.properties[text(row, "id")] = text(row, "value")
    given = {key: value for key, value in body.items() if key not in _SERVER_OWNED}
    if isinstance(given.get("recurrence"), dict):
        rule_of(section(given, "recurrence"))
    if given.get("recurrence", "") is None:
        event.doc.pop("recurrence", None)
        given.pop("recurrence")
    if "body" in given:
        given["body"] = _kept_body(section(given, "body"))
    if "location" in given:
        place = section(given, "location")
        given["locations"] = [place] if text(place, "displayName") else []
    event.doc |= given
    _make_online(graph, event, body)


def _kept_body(body: Doc) -> Doc:
    """Exchange makes a whole page of a piece of HTML."""
    content, kind = text(body, "content"), text(body, "contentType", "text").lower()
    if kind == "html" and "<body" not in content.lower():
        content = f"{_HEAD}{content}</body></html>"
    return {"contentType": kind, "content": content}


def _make_online(graph: Graph, event: Event, body: Doc) -> None:
    """Give the event its Teams meeting once; a body without its block loses it."""
    online = section(event.doc, "onlineMeeting")
    if not online and event.doc.get("isOnlineMeeting"):
        link = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{graph.stage.chance.word(24)}%40thread.v2/0"
        event.doc |= {"onlineMeeting": {"joinUrl": link}, "onlineMeetingProvider": TEAMS}
        held = section(event.doc, "body")
        words = text(held, "content")
        if text(held, "contentType", "html") == "text":
            words = html.escape(words)
        blob = _BLOB.format(link=link)
        page = re.sub(r"</body>", lambda end: blob + end[0], words)
        content = page if page != words else words + blob
        event.doc["body"] = _kept_body({"contentType": "html", "content": content})
    elif (
        online
        and "body" in body
        and text(online, "joinUrl") not in text(section(event.doc, "body"), "content")
    ):
        event.doc |= {
            "isOnlineMeeting": False,
            "onlineMeeting": None,
            "onlineMeetingProvider": "unknown",
        }


def _moment(body: Doc, which: str) -> tuple[datetime, str]:
    part = section(body, which)
    zone = text(part, "timeZone", "UTC")
    try:
        at = datetime.fromisoformat(text(part, "dateTime")[:26])
    except ValueError as error:
        raise refuse(400, "ErrorInvalidRequest", f"{which}: invalid DateTimeTimeZone") from error
    place = zone_named(zone)
    return (at if at.tzinfo else at.replace(tzinfo=place)), zone


def _of_transaction(mailbox: Mailbox, name: str) -> Event | None:
    if not name:
        return None
    every = (one for calendar in mailbox.calendars.values() for one in calendar.events.values())
    return next((one for one in every if one.doc.get("transactionId") == name), None)


def _demand_version(call: Call, event: Event) -> None:
    wanted = call.headers.get("if-match", "*")
    if wanted not in ("*", event.etag):
        raise refuse(412)
