"""How does an event reach the calendars of its guests, and what may a guest change?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.sandbox.documents import Doc, rows, section, text
from infra.sandbox.google.errors import refuse
from infra.sandbox.google.state import Calendar, Event

if TYPE_CHECKING:
    from infra.sandbox.google.simulator import Google

_OWN = frozenset({"reminders", "colorId", "extendedProperties"})
_SHARED = frozenset({"summary", "description", "location", "start", "end", "recurrence"})


def demand_right(calendar: Calendar, event: Event, doc: Doc) -> None:
    """Refuse a guest who changes what belongs to the organizer."""
    if _organizes(calendar, event) or event.doc.get("guestsCanModify"):
        return
    if any(event.doc.get(key) != doc.get(key) for key in _SHARED):
        raise refuse(403, "forbiddenForNonOrganizer")


def invite(google: Google, calendar: Calendar, event: Event, send: str) -> None:
    """Carry the organizer's version into every guest's calendar; a guest's answer goes back."""
    if not _organizes(calendar, event):
        _answer(google, calendar, event)
        return
    if rows(event.doc, "attendees"):
        _mail(google, event, send)
    for guest in _guests(google, calendar, event):
        _copy(google, guest, event)
    _rooms_accept(google, calendar, event)


def uninvite(google: Google, calendar: Calendar, event: Event, send: str) -> None:
    """Call a cancelled event off in its guests' calendars; a guest's own deletion declines."""
    if not _organizes(calendar, event):
        attendees = _with_answer(event.doc, {calendar.id}, "declined")
        _answer(google, calendar, Event({**event.doc, "attendees": attendees}))
        return
    if rows(event.doc, "attendees"):
        _mail(google, event, send)
    for guest in _guests(google, calendar, event):
        copy = guest.events.get(event.id)
        if copy is not None and not copy.cancelled:
            google.save(guest, {**copy.doc, "status": "cancelled"}, copy)


def _organizes(calendar: Calendar, event: Event) -> bool:
    email = text(section(event.doc, "organizer"), "email")
    return email in (calendar.owner, calendar.id)


def _guests(google: Google, calendar: Calendar, event: Event) -> list[Calendar]:
    """Return the calendars of those guests whom the sandbox knows."""
    invited = (google.calendars.get(text(row, "email")) for row in rows(event.doc, "attendees"))
    return [guest for guest in invited if guest is not None and guest is not calendar]


def _copy(google: Google, guest: Calendar, event: Event) -> None:
    """Write the guest's copy: the organizer's fields, and what is the guest's own."""
    old = guest.events.get(event.id)
    own: Doc = {key: old.doc[key] for key in _OWN if old and key in old.doc}
    shared = {key: value for key, value in event.doc.items() if key not in _OWN}
    everyones = section(section(event.doc, "extendedProperties"), "shared")
    if everyones:
        own["extendedProperties"] = {**section(own, "extendedProperties"), "shared": everyones}
    google.save(guest, shared | own, old)


def _rooms_accept(google: Google, calendar: Calendar, event: Event) -> None:
    """Let rooms that have not answered accept: another version, as in real life a moment later."""
    rooms = {
        guest.id
        for guest in _guests(google, calendar, event)
        if guest.owner in google.accounts and google.accounts[guest.owner].is_room
    }
    attendees = _with_answer(event.doc, rooms, "accepted")
    if attendees == rows(event.doc, "attendees"):
        return
    told = google.save(calendar, {**event.doc, "attendees": attendees}, event)
    for guest in _guests(google, calendar, told):
        _copy(google, guest, told)


def _with_answer(doc: Doc, emails: set[str], answer: str) -> list[Doc]:
    """Return the attendees with the answer of some of them; given answers of rooms stay."""
    return [
        {**row, "responseStatus": answer}
        if row.get("email") in emails and (answer == "declined" or _is_open(row))
        else row
        for row in rows(doc, "attendees")
    ]


def _is_open(row: Doc) -> bool:
    return text(row, "responseStatus") in ("", "needsAction")


def _answer(google: Google, calendar: Calendar, event: Event) -> None:
    """Carry a guest's answer back to the organizer's version."""
    home = google.calendars.get(text(section(event.doc, "organizer"), "email"))
    original = home.events.get(event.id) if home else None
    if home is None or original is None or original.cancelled:
        return
    mine = {text(row, "email"): row for row in rows(event.doc, "attendees")}.get(calendar.id, {})
    there = rows(original.doc, "attendees")
    changed = [{**row, **mine} if row.get("email") == calendar.id else row for row in there]
    if changed != there:
        google.save(home, {**original.doc, "attendees": changed}, original)


def _mail(google: Google, event: Event, send: str) -> None:
    if send in ("all", "externalOnly"):
        to = [text(row, "email") for row in rows(event.doc, "attendees")]
        google.mails.append({"event": event.id, "to": to, "status": event.doc["status"]})
