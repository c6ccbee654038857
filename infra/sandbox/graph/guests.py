"""How does an event reach the calendars of its guests?

Graph has no switch for the mails: Exchange tells guests of what their organizer changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.sandbox.documents import Doc, rows, section, text
from infra.sandbox.graph.state import Event, Mailbox

if TYPE_CHECKING:
    from infra.sandbox.graph.simulator import Graph


def invite(graph: Graph, mailbox: Mailbox, event: Event) -> None:
    """Carry the organizer's version into every guest's default calendar, and mail it."""
    if not _organizes(mailbox, event):
        return
    if rows(event.doc, "attendees"):
        graph.mails.append({"about": event.id, "what": "update", "subject": event.doc["subject"]})
    for guest in _guests(graph, mailbox, event):
        _copy(graph, guest, event)


def uninvite(graph: Graph, mailbox: Mailbox, event: Event) -> None:
    """The guests' copies of a deleted event are cancelled, not deleted."""
    if not _organizes(mailbox, event):
        return
    for guest in _guests(graph, mailbox, event):
        copy = _copy_of(guest, event)
        if copy is not None:
            copy.doc["isCancelled"] = True
            graph.save(guest, guest.default, copy)


def _organizes(mailbox: Mailbox, event: Event) -> bool:
    organizer = section(section(event.doc, "organizer"), "emailAddress")
    return text(organizer, "address").lower() == mailbox.address.lower()


def _guests(graph: Graph, mailbox: Mailbox, event: Event) -> list[Mailbox]:
    invited = (
        graph.by_address.get(text(section(row, "emailAddress"), "address").lower())
        for row in rows(event.doc, "attendees")
    )
    return [graph.mailboxes[one] for one in invited if one is not None and one != mailbox.id]


def _copy_of(guest: Mailbox, event: Event) -> Event | None:
    uid = event.doc["iCalUId"]
    return next((one for one in guest.default.alive() if one.doc["iCalUId"] == uid), None)


def _copy(graph: Graph, guest: Mailbox, event: Event) -> None:
    old = _copy_of(guest, event)
    answer: Doc = {"response": "accepted" if guest.is_room else "notResponded"}
    doc = {**event.doc, "responseStatus": old.doc["responseStatus"] if old else answer}
    doc.pop("transactionId", None)
    if guest.is_room and graph.settings.room_deletes_comments:
        name = text(section(section(doc, "organizer"), "emailAddress"), "name")
        doc |= {"subject": name, "body": {"contentType": "html", "content": ""}}
    copy = old or Event(graph.new_id(), {}, event.starts, event.ends, event.zone)
    copy.doc, copy.starts, copy.ends, copy.zone = doc, event.starts, event.ends, event.zone
    graph.save(guest, guest.default, copy, "updated" if old else "created")
