"""How does Graph write an event?

https://learn.microsoft.com/graph/api/resources/event
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from infra.sandbox.calls import Call
from infra.sandbox.documents import Doc, section, text
from infra.sandbox.graph.state import Event, Mailbox
from infra.sandbox.graph.zones import zone_named

_PREFERS_ZONE = re.compile(r'outlook\.timezone\s*=\s*"([^"]+)"', re.IGNORECASE)
_WANTED = re.compile(r"ep?/?id eq '([^']+)'|\bid eq '([^']+)'")
_UNSET: Doc = {
    "categories": [],
    "transactionId": None,
    "subject": "",
    "importance": "normal",
    "sensitivity": "normal",
    "isAllDay": False,
    "isCancelled": False,
    "showAs": "busy",
    "onlineMeetingUrl": None,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "onlineMeeting": None,
    "recurrence": None,
    "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
    "body": {"contentType": "html", "content": ""},
    "location": {"displayName": ""},
    "locations": [],
    "attendees": [],
}
_TAGS = re.compile(r"<[^>]*>")


def shown(mailbox: Mailbox, event: Event, call: Call) -> Doc:
    """Write an event as this call asks for it: zone, selected fields, expanded properties."""
    doc = _whole(mailbox, event, _zone(call))
    chosen = call.query.get("$select")
    if chosen:
        wanted = {name.strip() for name in chosen.split(",")}
        if "cancelledOccurrences" in wanted and event.is_series:
            doc["cancelledOccurrences"] = [
                f"OID.{event.id}.{_day(name)}" for name in sorted(event.called_off)
            ]
        doc = {
            key: value
            for key, value in doc.items()
            if key in wanted or key[0] == "@" or key == "id"
        }
    expand = call.query.get("$expand", "")
    if "singleValueExtendedProperties" in expand:
        names = [first or second for first, second in _WANTED.findall(expand)]
        held = [
            {"id": name, "value": event.properties[name]}
            for name in names
            if name in event.properties
        ]
        if held:
            doc["singleValueExtendedProperties"] = held
    return doc


def slim(event: Event, call: Call) -> Doc:
    """Write an occurrence as a delta does: its times, and whose it is."""
    zone = _zone(call)
    doc = {
        "@odata.etag": event.etag,
        "id": event.id,
        "start": _moment(event.starts, zone),
        "end": _moment(event.ends, zone),
        "type": "occurrence",
        "seriesMasterId": event.master,
    }
    return {"@odata.type": "#microsoft.graph.event", **doc}


def _whole(mailbox: Mailbox, event: Event, zone: str) -> Doc:
    doc = event.doc
    facts: Doc = {
        "@odata.etag": event.etag,
        "id": event.id,
        "changeKey": event.change_key,
        "originalStartTimeZone": event.zone,
        "originalEndTimeZone": event.zone,
        "type": event.kind,
        "seriesMasterId": event.master or None,
        "webLink": f"https://outlook.office365.com/owa/?itemid={quote(event.id)}",
        "start": _moment(event.starts, zone),
        "end": _moment(event.ends, zone),
        "isOrganizer": _is_mine(mailbox, doc),
    }
    if event.original is not None:
        original = event.original.astimezone(UTC)
        facts["originalStart"] = f"{original:%Y-%m-%dT%H:%M:%SZ}"
    held = {**_UNSET, **{key: value for key, value in doc.items() if value is not None}}
    held["bodyPreview"] = _TAGS.sub("", text(section(held, "body"), "content")).strip()[:255]
    return held | facts


def _is_mine(mailbox: Mailbox, doc: Doc) -> bool:
    organizer = section(section(doc, "organizer"), "emailAddress")
    return text(organizer, "address").lower() == mailbox.address.lower()


def _moment(at: datetime, zone: str) -> Doc:
    return {
        "dateTime": f"{at.astimezone(zone_named(zone)):%Y-%m-%dT%H:%M:%S}.0000000",
        "timeZone": zone,
    }


def _zone(call: Call) -> str:
    found = _PREFERS_ZONE.search(call.headers.get("prefer", ""))
    return found[1] if found else "UTC"


def _day(name: str) -> str:
    digits = name.rpartition(".")[2]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
